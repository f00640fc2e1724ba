"""What the device has told of itself: its PUTs, LogEvents and meter readings."""

from __future__ import annotations

from typing import Any, TypeVar

from dersim.conformance.checks.finding import failed, not_seen, passed, warned
from dersim.conformance.evidence import Evidence, Exchange
from dersim.conformance.procedure import Check, Finding
from dersim.ieee2030_5 import resources as r

T = TypeVar("T")

#: How far the device's clock may be off the server's, s.
CLOCK_S = 5.0
#: How many LogEvents BASIC-027 asks for.
LOG_EVENTS = 5
#: The documents of a DER by the last part of their paths.
DOCUMENTS: dict[str, type[Any]] = {
    "dercap": r.DERCapability,
    "derg": r.DERSettings,
    "ders": r.DERStatus,
    "dera": r.DERAvailability,
}


def settings_told(**members: int) -> Check:
    """A DERSettings with these raw values was PUT."""

    def check(evidence: Evidence) -> Finding:
        bodies = list(evidence.posted(r.DERSettings))
        wanted = ", ".join(f"{name} {value}" for name, value in members.items())
        for exchange, body in bodies:
            if all(getattr(body, name) == value for name, value in members.items()):
                return passed(f"DERSettings with {wanted}", [exchange])
        told = [f"{name} {getattr(bodies[-1][1], name)}" for name in members] if bodies else []
        return failed(
            f"no DERSettings with {wanted}; last {', '.join(told) or 'none'}", [e for e, _ in bodies]
        )

    return check


def clock_follows(evidence: Evidence) -> Finding:
    """readingTime of DERStatus is the server's time, within 5 s."""
    bodies = list(evidence.posted(r.DERStatus))
    if not bodies:
        return failed("no DERStatus was PUT, so the device's clock is not seen")
    exchange, body = bodies[-1]
    off_s = body.readingTime - exchange.time_s
    said = f"readingTime is {abs(off_s):.0f} s {'ahead' if off_s > 0 else 'behind'}"
    return passed(said, [exchange]) if abs(off_s) <= CLOCK_S else failed(said, [exchange])


def documents_put(evidence: Evidence) -> Finding:
    """DERCapability, DERSettings, DERStatus and DERAvailability are PUT and accepted; one is enough."""
    put = {name: _puts(evidence, name) for name in DOCUMENTS}
    found = [exchanges[-1] for exchanges in put.values() if exchanges]
    missing = [DOCUMENTS[name].__name__ for name, exchanges in put.items() if not exchanges]
    if not found:
        return failed("none of the four documents was PUT and accepted")
    if missing:
        return warned(f"not PUT: {', '.join(missing)}", found)
    return passed("all four documents are PUT and accepted", found)


def fetched_again(evidence: Evidence) -> Finding:
    """Each document that was PUT is fetched afterwards, with 200."""
    missing, found = [], []
    for name, cls in DOCUMENTS.items():
        puts = _puts(evidence, name)
        gets = evidence.gets(f"{evidence.device_href}/der/1/{name}")
        later = [each for each in gets if puts and each.number > puts[0].number]
        found += later[:1]
        if puts and not later:
            missing.append(cls.__name__)
    if missing:
        return failed(f"not fetched after the PUT: {', '.join(missing)}", found)
    return passed(f"{len(found)} documents are fetched after the PUT", found)


def capability_and_settings_put(evidence: Evidence) -> Finding:
    """DERList is fetched; DERCapability and DERSettings are PUT and accepted."""
    missing = [name for name in ("dercap", "derg") if not _puts(evidence, name)]
    lists = evidence.gets(f"{evidence.device_href}/der")
    if missing or not lists:
        return failed(f"missing: {', '.join(missing) or 'GET of DERList'}", lists)
    return passed("DERList is fetched, DERCapability and DERSettings are PUT", lists)


def settings_fit(evidence: Evidence) -> Finding:
    """Every setting is within its rating, and what modesSupported needs is there."""
    capability = _last(evidence, r.DERCapability)
    settings = _last(evidence, r.DERSettings)
    if capability is None or settings is None:
        return failed("DERCapability or DERSettings is missing")
    wrong = [*_missing(capability, settings), *_beyond(capability, settings)]
    return failed("; ".join(wrong)) if wrong else passed("every setting is within its rating")


def _missing(capability: r.DERCapability, settings: r.DERSettings) -> list[str]:
    modes = capability.modesSupported or 0
    needed = [("rtgMaxW", capability, True), ("setMaxW", settings, True)]
    needed += [("rtgMaxVar", capability, bool(modes & 1 << 6))]
    with_pf = bool(modes & 1 << 5)
    needed += [("rtgMinPFOverExcited", capability, with_pf)]
    return [f"{name} is missing" for name, body, due in needed if due and getattr(body, name) is None]


def _beyond(capability: r.DERCapability, settings: r.DERSettings) -> list[str]:
    wrong = []
    for what in ("MaxW", "MaxVA", "MaxVar", "MaxVarNeg", "MaxChargeRateW", "MaxDischargeRateW"):
        rating, setting = getattr(capability, f"rtg{what}", None), getattr(settings, f"set{what}", None)
        if rating is None or setting is None:
            continue
        high, value = _plain(rating), _plain(setting)
        # Both are negative for the absorbed reactive power: its setting is nearer to 0.
        if abs(value) > abs(high) * 1.0001 or value * high < 0:
            wrong.append(f"set{what} {value:g} is beyond rtg{what} {high:g}")
    return wrong


def _plain(quantity: r.ActivePower | r.ReactivePower) -> float:
    return float(quantity.value * 10.0 ** (quantity.multiplier or 0))


def _last(evidence: Evidence, cls: type[T]) -> T | None:
    bodies = [body for _, body in evidence.posted(cls)]
    return bodies[-1] if bodies else None


def _puts(evidence: Evidence, name: str) -> list[Exchange]:
    return evidence.of("PUT", f"{evidence.device_href}/der/1/{name}", (200, 201, 204))


def status_complete(evidence: Evidence) -> Finding:
    """DERStatus has the connection, the inverter's and the operational state, and its time."""
    bodies = [(each, body) for each, body in evidence.posted(r.DERStatus) if each.status in (200, 201, 204)]
    if not bodies:
        return failed("no DERStatus was PUT and accepted")
    exchange, body = bodies[-1]
    names = ["localControlModeStatus", "manufacturerStatus", "operationalModeStatus", "readingTime"]
    is_storage = body.stateOfChargeStatus is not None
    names += ["stateOfChargeStatus", "storageModeStatus"] if is_storage else ["inverterStatus"]
    missing = [name for name in names if getattr(body, name) is None]
    # 2023 has one connectStatus for both, the record the two of 2018.
    connected = "storConnectStatus" if is_storage else "genConnectStatus"
    if getattr(body, connected) is None and body.connectStatus is None:
        missing.append(connected)
    if missing:
        return failed(f"DERStatus without {', '.join(missing)}", [exchange])
    return passed(f"DERStatus with {', '.join(names)}", [exchange])


def log_events_posted(evidence: Evidence) -> Finding:
    """Five LogEvents that differ, each answered 201 with a Location."""
    if evidence.facts.get("alarms") is False:
        return not_seen("the operator must make the device raise five errors")
    posted = [(each, event) for each, event in evidence.posted(r.LogEvent) if each.status == 201]
    different = {(event.createdDateTime, event.logEventID, event.logEventCode) for _, event in posted}
    homeless = [each for each, _ in posted if each.location is None]
    exchanges = [each for each, _ in posted]
    if homeless:
        return failed("a LogEvent was answered without Location", homeless)
    said = f"{len(different)} different LogEvents"
    return passed(said, exchanges) if len(different) >= LOG_EVENTS else failed(f"only {said}", exchanges)
