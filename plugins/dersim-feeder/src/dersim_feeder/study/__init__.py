"""A study of the bundled feeder: one day without a program, with Volt-Var, Volt-Watt, an export limit.

`python -m dersim_feeder.study --out FOLDER` repeats it. Every case is a run of its own in virtual time, in
closed loop: a utility publishes over IEEE 2030.5, the clients of 30 DERs follow, the feeder is solved after
each step. Results: docs/feeder-study.md.
"""
