"""The CSIP client: one IEEE 2030.5 client per DER. It reads `Device.state` and submits setpoints.

`client.py` is the front-end, `lifecycle.py` its connection under one LFDI, `session.py` one request.
`discovery.py` and `programs.py` read the server into `tree.py`. `controls.py` and `responses.py` carry out
DERControls; `reporting.py`, `metering.py` and `log_events.py` send what the DER does.
"""
