"""The companion IEEE 2030.5 server: a utility's head-end for a lab. Only `demo.py` imports the simulator."""
