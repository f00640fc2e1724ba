"""Conversations of a run with its servers, as a file: recorded by `dersim sim --record`, and replayed."""
