"""The web: REST, WebSocket, dashboard, CSIP management UI. It reads states and submits setpoints.

`plugin.py` and `csip_ui.py` declare the two web sites; the web stack is imported when they bind, not before.
"""
