"""64415, CSIP control: makes the 2030.5 client do what conformance tests need.

LogEventEna starts the burst of BASIC-027 and reads 0 again when it is done; 0 stops it. Functions that the
client does not have (the plain-HTTP probe, the certificates of COMM-004, subscriptions) are refused with
exception 3 when switched on, so that no test waits in vain; switching them off is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dersim.errors import DersimError
from dersim.local_control.view import View
from dersim.plugin.services import CsipService
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Meaning, Model, Values
from dersim.sunspec.exceptions import DEVICE_BUSY, DEVICE_FAILURE, ILLEGAL_VALUE, ModbusRefusal

_LATER = {
    "HTTPMsg": "probe over plain HTTP",
    "COMM004Cert": "choice of COMM-004 certificates",
    "SubscriptionEna": "subscriptions",
}


FindClient = Callable[[], CsipService | None]


class CsipControl(Model):
    """The registers of 64415. find_client: the CSIP client of this DER, None where the run has none."""

    KEPT = ("_resource",)

    model_id = 64415
    #: Any word but 0 starts a burst.
    open_enums = frozenset({"LogEventEna"})

    def __init__(self, view: View, find_client: FindClient) -> None:
        self.view = view
        self._client = find_client
        self._resource = ""

    def _bursting(self) -> bool:
        client = self._client()
        return client is not None and client.bursting

    def stamp(self) -> object:
        """Changes when the burst starts or ends."""
        return (self._bursting(), self.view.version)

    def values(self) -> Values:
        """Whether the burst runs; all other functions are off."""
        return {
            "LogEventEna": int(self._bursting()),
            "SubscribedResource": self._resource,
            **dict.fromkeys(_LATER, 0),
        }

    def writable(self, path: str) -> bool:  # noqa: ARG002 - as in Model
        """Every point."""
        return True

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:  # noqa: ARG002 - as in Model
        """Start or stop the burst, store the resource."""
        for point, what in _LATER.items():
            if changes.get(point):
                raise ModbusRefusal(ILLEGAL_VALUE, f"64415.{point}: the client has no {what} yet")
        if changes.get("LogEventEna"):
            self._start()
        elif "LogEventEna" in changes and (client := self._client()) is not None:
            client.stop_log_event_burst()
        self._resource = changes.get("SubscribedResource", self._resource)
        self.view.touched()

    def meaning(self, values: Values) -> Meaning:
        """The resource, which is a text without effect."""
        resource = values.get("SubscribedResource")
        return Meaning(registers={"SubscribedResource": resource} if resource else {})

    def restore(self, registers: Mapping[str, Any]) -> None:
        """The resource."""
        rest = dict(registers)
        self._resource = rest.pop("SubscribedResource", self._resource)
        super().restore(rest)

    def _start(self) -> None:
        client = self._client()
        if client is None:
            raise ModbusRefusal(DEVICE_FAILURE, "64415.LogEventEna: this run has no CSIP client")
        busy = self._bursting()
        try:
            client.log_event_burst()
        except DersimError as error:
            raise ModbusRefusal(
                DEVICE_BUSY if busy else DEVICE_FAILURE, f"64415.LogEventEna: {error}"
            ) from None
