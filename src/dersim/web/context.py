"""What the handlers of the dashboard and of the CSIP UI work on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dersim.pages.problems import Problem

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.plugin.extension import FrontendContext
    from dersim.web.history import History

#: Which of the two web sites an address belongs to.
Site = Literal["dashboard", "csip_ui"]
BOTH: tuple[Site, ...] = ("dashboard", "csip_ui")
DASHBOARD: tuple[Site, ...] = ("dashboard",)
CSIP_UI: tuple[Site, ...] = ("csip_ui",)


#: Up to so many DERs, a document about all of them is made anew for each request.
SMALL_FLEET = 50
REMEMBER_S = 2.0


@dataclass(frozen=True, slots=True)
class WebContext:
    """What handlers work on: the engine's context, the history that the web keeps, the site's own docs."""

    engine: FrontendContext
    history: History
    openapi: Callable[[], dict[str, Any]] = dict
    _remembered: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def of_fleet(self, key: str, make: Callable[[], Any]) -> Any:
        """What is made of every DER: anew each time in a small fleet, every few seconds in a large one."""
        count = len(self.engine.fleet.devices)
        if count <= SMALL_FLEET:
            return make()
        made_at, value = self._remembered.get(key, (-math.inf, None))
        if time.monotonic() - made_at > REMEMBER_S + count / 300:
            value = make()
            self._remembered[key] = (time.monotonic(), value)
        return value


class Call(NamedTuple):
    """One request, decoded and checked: the device that `?device=` names, the query, the body."""

    device: Device
    query: Mapping[str, Any]
    body: Any = None


def find_device(context: WebContext, number: int | None) -> Device:
    """The DER with this number, None: the first; Problem no-such-device."""
    fleet = context.engine.fleet
    first, last = fleet.devices[0], fleet.devices[-1]
    device = first if number is None else fleet.find(number)
    if device is None:
        many = first is not last
        known = f"this fleet has {first.number} to {last.number}" if many else _only(first)
        raise Problem("no-such-device", f"device {number} does not exist; {known}")
    return device


def _only(device: Device) -> str:
    return f"device {device.number} is the only one"
