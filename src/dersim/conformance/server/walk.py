"""The walk of a DER through a server's tree, as 2030.5 and CSIP describe it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dersim.conformance.server.der import Der, Stopped
from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r
from dersim.modes import ModeValue
from dersim.utility.config import DEFAULT_PIN

#: How far the server's Time may be off ours, s: no record prints it; both are assumed to have NTP.
CLOCK_S = 10.0


@dataclass(slots=True)
class SeenProgram:
    """A DERProgram with what is below it. curves: by href."""

    program: r.DERProgram
    default: r.DefaultDERControl | None = None
    controls: list[r.DERControl] = field(default_factory=list)
    curves: dict[str, r.DERCurve] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its description."""
        return str(self.program.description or "")


@dataclass(slots=True)
class Seen:
    """What a walk has found. programs: each once, by href. time: of the server."""

    dcap: r.DeviceCapability
    device: r.EndDevice
    time: r.Time | None = None
    registration: r.Registration | None = None
    assignments: list[r.FunctionSetAssignments] = field(default_factory=list)
    programs: dict[str, SeenProgram] = field(default_factory=dict)

    def named(self, name: str, primacy: int) -> SeenProgram | None:
        """The program of that description, else the only one of that primacy."""
        found = [each for each in self.programs.values() if each.name == name]
        found = found or [each for each in self.programs.values() if each.program.primacy == primacy]
        return found[0] if len(found) == 1 else None


def link(resource: object, name: str) -> str | None:
    """The href of a link of a resource; None without it."""
    found = getattr(resource, name, None)
    return None if found is None else found.href


async def to_device(der: Der, lfdi: str | None = None) -> Seen:
    """DeviceCapability, Time, EndDeviceList, the own EndDevice by its href, and its Registration."""
    dcap = await der.read(r.DeviceCapability, der.target.path)
    time = await der.read(r.Time, link(dcap, "TimeLink")) if dcap.TimeLink is not None else None
    device = await own_device(der, dcap, lfdi or der.lfdi)
    seen = Seen(dcap, await der.read(r.EndDevice, device.href), time)
    seen.registration = await der.read(r.Registration, link(seen.device, "RegistrationLink"))
    return seen


async def own_device(der: Der, dcap: r.DeviceCapability, lfdi: str) -> r.EndDevice:
    """The EndDevice of the list with this LFDI, else with its SFDI; Stopped without."""
    listed = await der.items(r.EndDeviceList, link(dcap, "EndDeviceListLink"))
    mine = [each for each in listed if str(each.lFDI or "").upper() == lfdi]
    sfdi = identity.sfdi(lfdi)
    mine = mine or [each for each in listed if each.lFDI is None and each.sFDI == sfdi]
    if not der.check(
        "the EndDevice is listed once", len(mine) == 1, f"{len(mine)} of {len(listed)} have LFDI {lfdi}"
    ):
        raise Stopped
    device: r.EndDevice = mine[0]
    return device


async def assignments(der: Der, seen: Seen) -> None:
    """The FunctionSetAssignmentsList and each of its items by its own href."""
    listed = await der.items(
        r.FunctionSetAssignmentsList, link(seen.device, "FunctionSetAssignmentsListLink")
    )
    seen.assignments = [await der.read(r.FunctionSetAssignments, each.href) for each in listed]


async def programs(der: Der, seen: Seen) -> None:
    """READ of every program of the assignments: list, program, default, controls and curves."""
    for each in seen.assignments:
        href = link(each, "DERProgramListLink")
        for listed in await der.items(r.DERProgramList, href) if href else ():
            if listed.href not in seen.programs:
                seen.programs[listed.href] = await read_program(der, listed.href)


async def read_program(der: Der, href: str) -> SeenProgram:
    """One program by its own href, with all that it links to."""
    found = SeenProgram(await der.read(r.DERProgram, href))
    if (default := link(found.program, "DefaultDERControlLink")) is not None:
        found.default = await der.read(r.DefaultDERControl, default)
    if (controls := link(found.program, "DERControlListLink")) is not None:
        found.controls = await der.items(r.DERControlList, controls)
    if (curves := link(found.program, "DERCurveListLink")) is not None:
        found.curves = {each.href: each for each in await der.items(r.DERCurveList, curves)}
    return found


async def whole(der: Der, lfdi: str | None = None) -> Seen:
    """The walk to all that the device is assigned to."""
    seen = await to_device(der, lfdi)
    await assignments(der, seen)
    await programs(der, seen)
    return seen


def judge_identity(der: Der, seen: Seen, lfdi: str | None = None) -> None:
    """LFDI, SFDI and PIN are those of the device."""
    lfdi, device = lfdi or der.lfdi, seen.device
    shown = str(device.lFDI or "").upper()
    der.check("lFDI is that of the certificate", shown in ("", lfdi), f"lFDI {shown or 'is left out'}")
    sfdi = identity.sfdi(lfdi)
    der.check("sFDI follows from it", device.sFDI == sfdi, f"sFDI {device.sFDI}, {sfdi} is due")
    pin = None if seen.registration is None else seen.registration.pIN
    said = "the PIN is that of the device" if pin == DEFAULT_PIN else "the PIN is another one"
    der.check("pIN is 111115", pin == DEFAULT_PIN, said)


def judge_time(der: Der, seen: Seen) -> None:
    """currentTime is ours."""
    if seen.time is None:
        der.check("Time is linked", False, "DeviceCapability has no TimeLink")
        return
    at_s = [each for each in der.evidence.exchanges if each.got(r.Time) is not None][-1]
    off_s = seen.time.currentTime - at_s.time_s
    said = f"currentTime is {abs(off_s):.0f} s {'ahead' if off_s > 0 else 'behind'}"
    der.check(f"currentTime is right within {CLOCK_S:g} s", abs(off_s) <= CLOCK_S, said, at_s)


def offset_s(seen: Seen, der: Der) -> float:
    """How far the server's clock is ahead of ours, s; what is within a whole second counts as nothing."""
    if seen.time is None:
        return 0.0
    at_s = next(each.time_s for each in der.evidence.exchanges if each.got(r.Time) is not None)
    off_s = seen.time.currentTime - at_s
    return 0.0 if abs(off_s) < 2 else off_s


def close(one: object, other: object) -> bool:
    """Whether two values of a mode are equal but for rounding on the wire."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 0.011
    # No open-loop response and one of 0 s are the same.
    return one == other or not (one or other)


def differing(wanted: dict[str, ModeValue], served: dict[str, ModeValue]) -> Iterator[str]:
    """The modes of `wanted` that are served otherwise."""
    for name, value in wanted.items():
        if name not in served:
            yield f"{name} is missing"
        elif not close(value, served[name]):
            yield f"{name} is {served[name]} instead of {value}"
