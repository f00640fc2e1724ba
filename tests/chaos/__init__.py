"""The seeded scenario machine: a utility, its DERs and all that may go wrong between them (docs/chaos.md).

drawing.py    what a seed draws: the world, the utility's days, faults, restarts
acts.py       does what was drawn
machine.py    runs one seed and looks at every tick
promises.py, responses.py, in_force.py    what is looked for beside `dersim.invariants`
defects.py    defects that are planted to see that the machine finds them
"""
