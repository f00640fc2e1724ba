"""Runs a fleet and its front-ends."""
