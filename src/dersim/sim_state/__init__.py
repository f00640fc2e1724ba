"""The durable state of the simulator: `dersim sim --state FILE`.

store      the SQLite file, used in a thread
resuming   what a file says of its run: whether this run may go on from it, and at which simulated time
saving     takes the states of all DERs after every step, and of one where somebody waits
state      all together: opens, restores, saves, closes
"""
