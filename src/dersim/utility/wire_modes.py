"""Modes of a program as 2030.5 resources: DERControlBase, DefaultDERControl, DERCurve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dersim.errors import ConfigError, LocalProtocolError
from dersim.ieee2030_5 import Edition, controlbase, encode
from dersim.ieee2030_5 import resources as r
from dersim.modes import MODES, Curve, ModeValue
from dersim.utility import modes_2023
from dersim.utility.mrids import MridMaker
from dersim.utility.program import DefaultControl, ListedCurve, Program


def control_base(owner: Program, modes: Mapping[str, ModeValue]) -> Any:
    """The DERControlBase of `modes`, whose curves are in the program's DERCurveList."""
    hrefs = {
        mode: curve_href(owner, owner.curves.find(mode, value))
        for mode, value in modes.items()
        if isinstance(value, Curve)
    }
    return _base(modes, hrefs.__getitem__)[0]


def _base(modes: Mapping[str, ModeValue], link: Callable[[str], str]) -> tuple[Any, Any]:
    known, of_2023 = modes_2023.split(modes)
    base, curves = controlbase.base_of(known, link)
    modes_2023.set_on(base, of_2023)
    return base, curves


def default_resource(owner: Program, default: DefaultControl) -> Any:
    """The DefaultDERControl of a program."""
    return r.DefaultDERControl(
        href=f"{owner.href}/dderc",
        mRID=default.mrid,
        version=default.version,
        DERControlBase=control_base(owner, _shared(default.modes)),
        **_default_members(default.modes),
    )


def _shared(modes: Mapping[str, ModeValue]) -> dict[str, ModeValue]:
    return {name: value for name, value in modes.items() if not is_default_only(name)}


def is_default_only(mode: str) -> bool:
    """Whether only a DefaultDERControl can carry the mode."""
    return mode in MODES and MODES[mode].default_only


def _default_members(modes: Mapping[str, ModeValue]) -> dict[str, Any]:
    return dict(controlbase.default_members(modes))


def curve_href(owner: Program, item: ListedCurve) -> str:
    """The path of a curve."""
    return f"{owner.href}/dc/{item.number}"


def curve_resource(owner: Program, item: ListedCurve) -> Any:
    """The DERCurve with its href, mRID and creationTime."""
    href = curve_href(owner, item)
    _, ((_, made),) = controlbase.base_of({item.mode: item.curve}, lambda _: href)
    made.href = href
    made.mRID = item.mrid
    made.creationTime = item.creation_s
    return made


def check_writable(modes: Mapping[str, ModeValue]) -> None:
    """ConfigError if a value does not fit its 2030.5 type; to be called before anything is published."""
    try:
        base, curves = _base(_shared(modes), lambda _: "/derp/1/dc/1")
        trial = r.DefaultDERControl(mRID=MridMaker()("trial"), DERControlBase=base, **_default_members(modes))
        encode(trial, Edition.E2023 if modes_2023.any_of(modes) else Edition.E2018)
        for _, curve in curves:
            curve.creationTime = 0
            encode(curve, Edition.E2018)
    except LocalProtocolError as error:
        raise ConfigError(f"modes: {error}") from None
