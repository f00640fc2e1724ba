"""The report of a campaign as one HTML file that needs nothing else, for a screen or for paper.

`document` is the whole, `detail` one procedure, `exchanges` its requests, `plot` its power, `setup` what the
server had. Every text may come from a hostile device: all of them go through `markup`.
"""
