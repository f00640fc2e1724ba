"""The web: REST, WebSocket, dashboard, CSIP management UI. A front-end: reads states, submits setpoints.

`plugin.py` and `csip_ui.py` declare the two web sites; the web stack is imported when they bind, not before.
"""
