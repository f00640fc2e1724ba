"""The documents of what binds P and Q and of the return to service; parts of setpoints and overview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim import binding, returning
from dersim.json_schema import described, unit

if TYPE_CHECKING:
    from dersim.device import Device


class Binds(TypedDict):
    """What holds an output where it is."""

    mode: Annotated[str, described("a mode, a setting, trip, stop, failed, or a function's name")]
    function: Annotated[str | None, described("the control function; null for a setting or a state")]
    value: Annotated[Any, described("the mode's number; of a curve the percent that it gives now")]
    source: Annotated[
        str, described("as of in_force, or 1547 default, settings, plug-in (a function without a mode)")
    ]
    detail: Annotated[str, described("as of in_force")]
    moving: Annotated[bool, described("on a ramp or an open-loop response")]
    text: Annotated[str, described("the same in words")]


class BindsP(Binds):
    """What holds the active power."""

    limit_kw: Annotated[float, unit("kW", "where it holds it now")]


class BindsQ(Binds):
    """What holds the reactive power."""

    limit_kvar: Annotated[float, unit("kvar", "where it holds it now")]


class Binding(TypedDict):
    """What binds P and what binds Q."""

    p: Annotated[BindsP | None, described("null: only the source or the goal does")]
    q: Annotated[BindsQ | None, described("null: nobody asks for reactive power")]


class WaitsFor(TypedDict):
    """A measurement that has to come back within its limits."""

    quantity: str
    value: float
    low: float
    high: float | None
    unit: str


class ReturnToService(TypedDict):
    """The way back of a DER that is out of service, ceased, or on the ramp of entering service."""

    state: Annotated[
        str,
        described("counting, waiting, blocked, stopped, not permitted, ceased, entering or failed"),
    ]
    left_s: Annotated[float | None, unit("s", "simulated: until service is entered, or until the ramp ends")]
    progress_pct: Annotated[float | None, unit("%", "of setMaxW: what the ramp allows")]
    waits_for: list[WaitsFor]
    by: Annotated[str | None, described("the function that keeps it out")]
    text: Annotated[str, described("the same in words")]


class Told(TypedDict):
    """What setpoints and overview both tell."""

    binding: Binding
    return_to_service: Annotated[ReturnToService | None, described("null in service")]


def told(device: Device, rate: float) -> dict[str, Any]:
    """Both documents of one DER. rate: simulated seconds per second."""
    return {
        "binding": binding.document(device),
        "return_to_service": returning.document(device, rate),
    }
