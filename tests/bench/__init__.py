"""Benchmarks against peers, run by `tox -e bench`: each runs the peer in the same run and prints a ratio."""
