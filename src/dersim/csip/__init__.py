"""The CSIP client: one IEEE 2030.5 client per DER, a front-end like any other.

It reads `Device.state` and submits setpoints, nothing deeper. `client.py` is the life of one client;
`session.py` is its one connection; `discovery.py` walks the server and fills `tree.py`; `controls.py` and
`responses.py` obey what was found; `reporting.py`, `metering.py` and `log_events.py` tell the server.
"""
