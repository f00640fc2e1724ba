"""What a run under load looked like: latencies, errors, states over time, the way of each control.

`tally` and what it is made of are pure and mergeable: a process of a fleet counts in one and sends it as
bytes, and another one adds it to its own.
"""

from dersim.load.tally import LoadTally

__all__ = ["LoadTally"]
