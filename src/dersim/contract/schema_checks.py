"""Schema extensions: through JSON and back, and over the wire and back in both editions."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from random import Random
from typing import Any

from dersim.contract.subject import Check, Subject
from dersim.contract.values import Ranges
from dersim.csip import der_bodies
from dersim.errors import LocalProtocolError
from dersim.functions.contract import FunctionType
from dersim.ieee2030_5 import Edition, controlbase, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.modes import modes_from_json, modes_to_json
from dersim.outcomes import Failed, Skipped

_VALUES = 10


def checks(subject: Subject) -> Iterator[Check]:
    """Two checks of each extension with a mode, one of each that is reported."""
    for item in subject.own(subject.registry.schema_extensions):
        name = f"schema extension {item.element}"
        if item.mode is None and item.tell is None and item.report is None:
            continue  # read and written, but nothing of the DER
        if item.mode is None:
            yield Check(f"{name}: reported", lambda item=item: _reported(subject, item))  # type: ignore[misc]  # a bound default
            continue
        yield Check(f"{name}: JSON", lambda item=item: _json(subject, item))  # type: ignore[misc]  # a bound default
        yield Check(f"{name}: wire", lambda item=item: _wire(subject, item))  # type: ignore[misc]  # a bound default


def _values(subject: Subject, item: SchemaExtension) -> Iterator[Any]:
    """Values of its mode, within the ranges of the function that obeys it."""
    assert item.mode is not None  # noqa: S101 - the caller's
    mode = item.mode.name
    obeying = [kind for kind in subject.registry.functions.values() if mode in kind.modes]
    if not obeying:
        raise Failed(f"no control function has the mode {mode}; register one, or give the extension a tell")
    kind: FunctionType = obeying[0]
    rng = Random(f"{subject.seed} {item.element}")  # noqa: S311 - not for secrets
    for _ in range(_VALUES):
        yield Ranges(kind, mode).inside(rng)


def _json(subject: Subject, item: SchemaExtension) -> str:
    """REST and nameplates read what they write."""
    assert item.mode is not None  # noqa: S101 - see `checks`
    for value in _values(subject, item):
        text = json.dumps(modes_to_json({item.mode.name: value}), allow_nan=False)
        back = modes_from_json(json.loads(text))[item.mode.name]
        if not _near(back, value):
            raise Failed(f"{text} is read as {back!r}")
    return f"{_VALUES} values there and back"


def _wire(subject: Subject, item: SchemaExtension) -> str:
    """A DefaultDERControl with it is valid in both editions, and gives the value back."""
    assert item.mode is not None  # noqa: S101 - see `checks`
    if item.mode.local or "DERControlBase" not in item.parents:
        raise Skipped("no DERControl carries it: it is a local setting")
    mode = item.mode.name
    for drawn in _values(subject, item):
        value, base = _carried(mode, drawn)
        control = r.DefaultDERControl(mRID="0A", DERControlBase=base)
        for edition in Edition:
            decoded = decode(encode(control, edition), strict=True, edition=edition)
            received = decoded.resource.DERControlBase
            back = controlbase.modes_of(received, {}).get(mode)
            if not _near(back, value):
                raise Failed(
                    f"{mode} {value!r} arrives as {back!r} in edition {edition.value}; "
                    f"{item.wire_type} does not hold it"
                )
    return f"{_VALUES} values there and back in both editions"


def _carried(mode: str, value: Any) -> tuple[Any, r.DERControlBase]:
    """The value, as a whole number where the wire holds no other, in a DERControlBase."""
    try:
        return value, controlbase.base_of({mode: value}, lambda _mode: "/curve")[0]
    except LocalProtocolError:
        if not isinstance(value, float):
            raise
        return _carried(mode, round(value))


def _reported(subject: Subject, item: SchemaExtension) -> str:
    """DERCapability or DERSettings with it is valid in both editions."""
    told = []
    for bench in subject.benches():
        device, modes = bench.device, bench.device.setpoints.supported_modes
        for edition in Edition:
            bodies = (
                der_bodies.capability(device.nameplate, modes, edition, device),
                der_bodies.settings(device.nameplate, device.settings, modes, 0, edition, device),
            )
            for body in bodies:
                document = encode(body, edition)
                decode(document, strict=True, edition=edition)
                if f"<{item.element} ".encode() in document:
                    told.append(type(body).__name__)
    if not told:
        raise Failed(f"no DER of any type reports it in {', '.join(item.parents)}; see its tell")
    return f"in {', '.join(sorted(set(told)))}, valid in both editions"


def _near(back: Any, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(back, int | float):
        return bool(back == value)
    # ActivePower and its like have three or four digits.
    return math.isclose(back, value, rel_tol=1e-3, abs_tol=0.51)
