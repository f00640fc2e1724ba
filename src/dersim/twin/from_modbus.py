"""A nameplate from a device's SunSpec registers, so that `dersim sim -f FILE` is its twin.

Ratings become points of the nameplate, settings ``dersim.settings``, what is enabled ``dersim.modes``, and
what is stored and does not act ``dersim.registers``. The models of our own register map say what the
device's registers mean (`Model.meaning`), so that reading and serving cannot differ. The finished twin is
compared with the device register by register. Nothing is ever written to the device.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dersim.errors import ConfigError
from dersim.hardware.nameplate import nameplate_from_json
from dersim.hardware.settings import Settings
from dersim.local_control.refused import Refused
from dersim.modes import ModeValue, modes_to_json
from dersim.sunspec.block import Meaning
from dersim.sunspec.immediate import Immediate
from dersim.sunspec.points import Value
from dersim.twin.differences import differences
from dersim.twin.legacy_curves import legacy_modes
from dersim.twin.link import Link
from dersim.twin.ratings import NoTwin, Ratings, read_ratings
from dersim.twin.stand_in import StandIn
from dersim.twin.sunspec_map import Machine, read_machine

PORT = 502
#: 704.WRmp is in whole percents; 121.WGra, which comes before it, is finer.
_COARSE = {"setGradW": 0.5}
_HALF = 0.005  # of the last digit of a percent
_EDGE = 1e-6  # nearer than this to the end of an interval, rounding may go either way


@dataclass(frozen=True, slots=True)
class Twin:
    """What was made of a device.

    document: the nameplate as JSON. device_type: the `--device_type` it is for. source: what was read, and
    where. models: those that were read.
    unread: what could not be read or used. assumed: what no register says. differs: registers that the twin
    shows otherwise. Each is a list of lines.
    """

    document: dict[str, Any]
    device_type: str
    source: str
    models: list[int]
    unread: list[str]
    assumed: list[str]
    differs: list[str]


def nameplate_from_modbus(host: str, port: int = PORT, *, unit: int = 1, timeout_s: float = 3.0) -> Twin:
    """Read a device; it blocks until done. DersimError says in one line why it could not be."""
    with Link(host, port, unit, timeout_s) as link:
        machine = read_machine(link)
    return twin_of(machine)


def twin_of(machine: Machine) -> Twin:
    """The twin of a machine that was read; NoTwin tells why there can be none."""
    ratings = read_ratings(machine)
    try:
        return _twin(machine, ratings)
    except ConfigError as error:
        raise NoTwin(f"{machine.where}: its registers make no nameplate: {error}") from error


def _twin(machine: Machine, ratings: Ratings) -> Twin:
    device_type = _device_type(ratings.points)
    document = _nested(ratings.points)
    more = document.setdefault("dersim", {})
    bare = StandIn(nameplate_from_json(document), device_type)
    if settings := _settings(machine, bare):
        more["settings"] = settings
    base = StandIn(nameplate_from_json(document), device_type)
    modes, registers = _rules(machine, ratings, base)
    if modes:
        more["modes"] = modes_to_json(modes)
    if registers:
        more["registers"] = registers
    twin = StandIn(nameplate_from_json(document), device_type)
    source, differs = f"{_name(ratings)} at {machine.where}", differences(machine, twin)
    comments = {
        "read from": [source],
        "device type": [device_type],
        "could not be read or used": machine.unread,
        "assumed": ratings.assumed,
        "other in the twin": differs,
    }
    more["comments"] = {subject: lines for subject, lines in comments.items() if lines}
    return Twin(
        document=document,
        device_type=device_type,
        source=source,
        models=list(machine.models),
        unread=machine.unread,
        assumed=ratings.assumed,
        differs=differs,
    )


def _name(ratings: Ratings) -> str:
    words = [ratings.points[point] for point in ("1.Mn", "1.Md")]
    return " ".join(word for word in words if word) or "a device without a name"


def _device_type(points: Mapping[str, Any]) -> str:
    phases = points["701.ACType"]
    if "713.WHRtg" not in points:
        return f"PV-{phases}Phase"
    return "HybridDC-3Phase" if "714.Prt[0].DCW" in points else f"Batt-{phases}Phase"


def _nested(points: Mapping[str, Any]) -> dict[str, Any]:
    """``{"702.WMaxRtg": 1}`` as ``{"702": {"WMaxRtg": 1}}``, in the order of the models."""
    document: dict[str, Any] = {}
    for name, value in points.items():
        model, _, point = name.partition(".")
        if point.startswith("Prt[0]."):
            ports = document.setdefault(model, {}).setdefault("Prt", [{}])
            ports[0][point.removeprefix("Prt[0].")] = value
        else:
            document.setdefault(model, {})[point] = value
    return dict(sorted(document.items(), key=lambda item: (item[0] == "dersim", item[0].rjust(5))))


def _meanings(machine: Machine, twin: StandIn) -> Iterator[tuple[int, Meaning]]:
    """What each model that both have means, in the order of the register map."""
    for model in twin.blocks:
        values = dict(machine.models.get(model, {}))
        if model == 704 and model not in machine.models and 123 in machine.models:
            values = _controls_of_123(twin, machine.models[123])
        if not values:
            continue
        try:
            yield model, twin.blocks[model].model.meaning(twin.rounded(model, values))
        except (Refused, LookupError) as why:
            machine.tell(f"model {model}: what is in force there cannot be used: {why}")


def _controls_of_123(twin: StandIn, values: Mapping[str, Value]) -> dict[str, Value]:
    immediate = twin.blocks[123].model
    assert isinstance(immediate, Immediate)  # noqa: S101 - model 123 is this one
    return immediate.as_704(twin.rounded(123, values))


def _settings(machine: Machine, twin: StandIn) -> dict[str, float]:
    """The settings that are not those of a new machine; the newer model has the last word."""
    held = twin.device.settings
    found: dict[str, float] = {}
    for _, meaning in _meanings(machine, twin):
        for name, value in meaning.settings.items():
            if abs(found.get(name, value) - value) > _COARSE.get(name, 0.0):
                found[name] = value
            found.setdefault(name, value)
    if found.get("setVRef") == found.get("setVNom", held.setVNom):
        found.pop("setVRef", None)  # it follows setVNom until it is set itself
    _refine_ramp(machine, found, held)
    for name, value in list(found.items()):
        low, high = held.allowed(name)
        if not low <= value <= high:
            machine.unread.append(f"{name} {value:g} is outside {low:g} to {high:g}; it is left out")
            del found[name]
    return {name: value for name, value in found.items() if value != held[name]}


def _other_modes(twin: StandIn, model: int, meaning: Meaning) -> Mapping[str, ModeValue]:
    """What is in force, without what acts in a new machine too: the trips of 1547 by its category."""
    if model not in twin.blocks or not meaning.modes:
        return meaning.modes
    own = twin.blocks[model].model.meaning(twin.rounded(model, twin.shown(model)))
    return {} if own.modes == meaning.modes else meaning.modes


def _refine_ramp(machine: Machine, found: dict[str, float], held: Settings) -> None:
    """setGradW from 124.WChaGra, percent of another power, where that says the same with more digits."""
    rate, ramp = machine.number(124, "WChaGra"), found.get("setGradW")
    watts = found.get("setMaxW", held.setMaxW)
    if rate and ramp is not None and watts:
        share = found.get("setMaxChargeRateW", held.setMaxChargeRateW) / watts
        low = max(ramp - _HALF, (rate - _HALF) * share)
        high = min(ramp + _HALF, (rate + _HALF) * share)
        if low < high and not low + _EDGE < ramp < high - _EDGE:
            found["setGradW"] = (low + high) / 2


def _rules(
    machine: Machine, ratings: Ratings, twin: StandIn
) -> tuple[dict[str, ModeValue], dict[str, dict[str, Any]]]:
    """What is in force, and what is stored where a new machine has something else."""
    modes: dict[str, ModeValue] = {}
    registers: dict[str, dict[str, Any]] = {}
    found = legacy_modes(machine, ratings.points["dersim.HzNom"])
    asked = [(model, Meaning(modes=wanted)) for model, wanted in found.items()]
    for model, meaning in (*asked, *_meanings(machine, twin)):
        for mode, value in _other_modes(twin, model, meaning).items():
            if why := twin.objection(mode, value):
                machine.unread.append(f"model {model}: {why}; the twin starts without it")
            else:
                modes[mode] = value
        shown = twin.shown(model) if meaning.registers else {}
        stored = {path: value for path, value in meaning.registers.items() if shown[path] != value}
        if stored:
            registers[str(model)] = stored
    return modes, registers
