"""The durable state of the companion server: `dersim server --state FILE`.

journal    what has changed and is not committed yet
store      the SQLite file, used in a thread
kinds      what is kept of programs, groups, EndDevices and the rest, and how it is restored
collector  finds what has changed of them
posted     what devices sent, as they sent it, and how it is restored
state      all together: opens, commits, lets answers wait, forgets old readings
export     the readings as CSV and Parquet
"""
