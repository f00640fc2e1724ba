"""The addresses that plug-ins add to the operator's REST: what their handlers get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dersim.errors import ConfigError
from dersim.plugin.server_parts import OperatorCall, OperatorView
from dersim.routes import Route
from dersim.utility import device_resources
from dersim.utility.admin.context import AdminContext, Call
from dersim.utility.head_end import HeadEnd


def of(routes: Sequence[Route]) -> list[Route]:
    """The routes with handlers of this site."""
    return [replace(route, handler=_handler(route.handler), tag="Plug-ins") for route in routes]


def _handler(handler: Callable[..., Any]) -> Callable[[AdminContext, Call], Any]:
    def answer(context: AdminContext, call: Call) -> Any:
        return handler(OperatorCall(_view(context.head_end), call.query, call.body))

    return answer


def _view(head_end: HeadEnd) -> OperatorView:
    def set_document(lfdi: str, name: str, values: Mapping[str, Any]) -> None:
        device = head_end.end_devices.find(lfdi)
        if device is None:
            raise ConfigError(f"lfdi: there is no EndDevice {lfdi[:80]}")
        device_resources.set_by_operator(head_end, device, name, values)

    devices = {device.lfdi: device.resources for device in head_end.end_devices}
    return OperatorView(head_end.now_s(), devices, set_document)
