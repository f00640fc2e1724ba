"""The durable state of the companion server: `dersim server --state FILE`.

journal   what has changed and is not committed yet; who waits until it is
store     the SQLite file, used in a thread
kinds     what is kept of programs, groups, EndDevices and the rest, and how it is restored
posted    the same for what devices sent: their own documents, read again at the start
state     the three together: opens, collects, commits, forgets
export    the readings as CSV and Parquet
"""
