"""The companion IEEE 2030.5 server: a utility's head-end for a lab. It imports nothing of the simulator."""
