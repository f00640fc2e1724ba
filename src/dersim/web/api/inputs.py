"""`/api/dersim/inputs`: grid, weather, load and alarms, and the PV array's I-V curve."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.errors import ConfigError
from dersim.json_schema import described, unit
from dersim.pages.problems import Problem
from dersim.pages.routes import Route
from dersim.web.context import Call, WebContext

Volts = Annotated[float, unit("pu", "phase to neutral", minimum=0, maximum=2)]
VoltsPu = Annotated[
    Volts | Annotated[list[Volts], described("phases A, B, C", minItems=3, maxItems=3)],
    described("one number for all phases, or three"),
]
Degrees = Annotated[float, unit("deg", "ahead of the nominal phasor", minimum=-180, maximum=180)]
AnglesDeg = Annotated[
    Degrees | Annotated[list[Degrees], described("phases A, B, C", minItems=3, maxItems=3)],
    described("one number for all phases, or three; a change is a jump"),
]
HertzPerSecond = Annotated[float, unit("Hz/s", "at which the frequency moves now", minimum=-100, maximum=100)]
Rate = Annotated[float, unit("Hz/s", "at which it moves to frequency_hz", minimum=0.001, maximum=100)]
Hertz = Annotated[float, unit("Hz", minimum=30, maximum=90)]
Irradiance = Annotated[float, unit("W/m2", minimum=0, maximum=2000)]
Celsius = Annotated[float, unit("degC", "ambient", minimum=-60, maximum=80)]
Wind = Annotated[float, unit("m/s", minimum=0, maximum=100)]
LoadW = Annotated[float, unit("W", "> 0 consumes", minimum=-1e9, maximum=1e9)]
LoadVar = Annotated[float, unit("var", "> 0 is inductive", minimum=-1e9, maximum=1e9)]
LoadsW = Annotated[
    LoadW | Annotated[list[LoadW], described("phases A, B, C", minItems=3, maxItems=3)],
    described("behind the DER's meter, of all phases, or one a phase; sets load_var by the power factor"),
]
LoadsVar = Annotated[
    LoadVar | Annotated[list[LoadVar], described("phases A, B, C", minItems=3, maxItems=3)],
    described("behind the DER's meter, of all phases, or one a phase"),
]
GridLost = Annotated[bool, described("the DER is in an island; anti-islanding trips it")]
AlarmRaised = Annotated[bool, described("raises the DERStatus alarm of this name")]
InputSource = Annotated[
    Literal["const", "csv", "grid"],
    described("csv: some input follows a profile; grid: some come from the grid behind the fleet"),
]
OfferedByGrid = Annotated[list[str], described("what a grid behind the fleet gives")]
HeldByGrid = Annotated[list[str], described("what it gives now: not what was set to a constant since")]


class Inputs(TypedDict):
    """The inputs as they are now."""

    voltage_pu: VoltsPu
    angle_deg: AnglesDeg
    frequency_hz: Hertz
    rocof_hz_s: HertzPerSecond
    grid_lost: GridLost
    irradiance_w_m2: Irradiance
    temperature_c: Celsius
    wind_m_s: Wind
    current_imbalance: AlarmRaised
    phase_rotation: AlarmRaised
    emergency_local: AlarmRaised
    emergency_remote: AlarmRaised
    source: InputSource
    grid_source: InputSource
    weather_source: InputSource
    load_source: InputSource
    load_w: Annotated[float | list[float] | None, described("W, a list: one a phase; null: no load")]
    load_var: Annotated[float | list[float] | None, described("var, > 0 inductive; null: no load")]
    offered_by_grid: OfferedByGrid
    held_by_grid: HeldByGrid


class InputsChange(TypedDict):
    """A part of the inputs. A value given makes that input const; a source switches its group."""

    voltage_pu: NotRequired[VoltsPu]
    angle_deg: NotRequired[AnglesDeg]
    frequency_hz: NotRequired[Hertz]
    rocof_hz_s: NotRequired[Rate]
    grid_lost: NotRequired[GridLost]
    irradiance_w_m2: NotRequired[Irradiance]
    temperature_c: NotRequired[Celsius]
    wind_m_s: NotRequired[Wind]
    current_imbalance: NotRequired[AlarmRaised]
    phase_rotation: NotRequired[AlarmRaised]
    emergency_local: NotRequired[AlarmRaised]
    emergency_remote: NotRequired[AlarmRaised]
    source: NotRequired[InputSource]
    grid_source: NotRequired[InputSource]
    weather_source: NotRequired[InputSource]
    load_source: NotRequired[InputSource]
    load_w: NotRequired[LoadsW]
    load_var: NotRequired[LoadsVar]


class IvPoint(TypedDict):
    """One point of the curve."""

    v: Annotated[float, unit("V")]
    i: Annotated[float, unit("A")]
    p: Annotated[float, unit("W")]


class DcIv(TypedDict):
    """The I-V curve of the PV array, from short to open circuit; the maximum is one of the samples."""

    irradiance_w_m2: Annotated[float, unit("W/m2")]
    cell_temperature_c: Annotated[float, unit("degC")]
    operating_point: IvPoint
    curve: list[IvPoint]


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    del context
    return call.device.inputs.as_json(call.device.inputs.now_s())


def _post(context: WebContext, call: Call) -> dict[str, Any]:
    if not call.body:
        raise Problem("bad-request", "the body names no input", hint='Try {"irradiance_w_m2": 500}.')
    taken = call.device.inputs.set(**call.body)
    told = ", ".join(f"{name}={value}" for name, value in call.body.items())
    if taken:
        told += f"; {taken}"
    context.engine.log.log("Info", "DC", f"inputs changed over REST: {told}", call.device.number)
    return _get(context, call)


def _dc_iv(context: WebContext, call: Call) -> dict[str, Any]:
    del context
    try:
        return call.device.dc_iv()
    except ConfigError as error:
        raise Problem("conflict", str(error), hint="Only a device with a PV array has one.") from None


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/inputs",
        handler=_get,
        summary="Grid voltage, frequency, irradiance, weather, load and raised alarms.",
        response=Inputs,
        tag="Inputs",
    ),
    Route(
        method="POST",
        path="/api/dersim/inputs",
        handler=_post,
        summary="Change a part of the inputs; they act at once.",
        request=InputsChange,
        response=Inputs,
        tag="Inputs",
        problems=("bad-request",),
    ),
    Route(
        method="GET",
        path="/api/dersim/dc-iv",
        handler=_dc_iv,
        summary="The I-V curve of the PV array with its operating point.",
        response=DcIv,
        tag="Inputs",
        problems=("conflict",),
    ),
]
