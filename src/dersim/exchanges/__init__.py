"""Exchanges over HTTP with their verdicts: kept, searched and shown, for the sides of client and server."""
