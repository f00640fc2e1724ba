"""`GET /api/dersim/nameplate`: the ratings of the machine, and the settings that act."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from dersim.json_schema import described
from dersim.pages.routes import Route
from dersim.web.context import BOTH, Call, WebContext


class Identity(TypedDict):
    """Who made it."""

    manufacturer: str
    model: str
    serial_number: str
    version: str
    options: str


class NameplateDocument(TypedDict):
    """Ratings and settings by their 2030.5 names, in W, VA, var, V, A, Wh, s, Hz, %."""

    device: int
    name: str
    device_type: str
    phases: int
    frequency_hz: Annotated[float, described("nominal")]
    identity: Identity
    normal_category: str
    abnormal_category: Annotated[str, described("I, II or III (1547-2018 1.4)")]
    ratings: Annotated[dict[str, float], described("DERCapability")]
    settings: Annotated[dict[str, float], described("DERSettings, as they act now")]
    modes_supported: list[str]


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    del context
    device, plate = call.device, call.device.nameplate
    names = [name for name in type(plate).__dataclass_fields__ if name.startswith("rtg")]
    return {
        "device": device.number,
        "name": device.name,
        "device_type": device.device_type.name,
        "phases": plate.phases,
        "frequency_hz": plate.frequency_hz,
        "identity": {key: getattr(plate, key) for key in Identity.__annotations__},
        "normal_category": plate.normal_category,
        "abnormal_category": "I" * plate.abnormal_category,
        "ratings": {name: getattr(plate, name) for name in names},
        "settings": device.settings.as_dict(),
        "modes_supported": sorted(device.setpoints.supported_modes),
    }


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/nameplate",
        handler=_get,
        summary="Ratings, settings and supported modes.",
        response=NameplateDocument,
        etag=True,
        sites=BOTH,
    )
]
