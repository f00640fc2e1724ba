"""CSIP profiles: what they give for each DER is valid in both editions, and every mRID is its own."""

from __future__ import annotations

from collections.abc import Iterator

from dersim.contract.subject import Check, Subject
from dersim.csip import mirror
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.outcomes import Failed
from dersim.plugin.csip_profile import CsipProfile

_LFDI = "AB" * 20


def checks(subject: Subject) -> Iterator[Check]:
    """Two checks of each profile."""
    for item in subject.own(subject.registry.csip_profiles):
        name = f"CSIP profile {item.name}"
        yield Check(f"{name}: mirrors", lambda item=item: _mirrors(subject, item))  # type: ignore[misc]  # a bound default
        yield Check(f"{name}: EndDevice", lambda item=item: _end_device(subject, item))  # type: ignore[misc]  # a bound default


def _mirrors(subject: Subject, item: CsipProfile) -> str:
    kinds = item.mirrors
    if kinds is None:
        return "the client's own"
    count = 0
    for bench in subject.benches():
        device = bench.device
        mrids: list[str] = []
        for kind in kinds(device.nameplate, device.inputs.site is not None):
            items = kind.quantities(device.nameplate.phases)
            point = mirror.usage_point(_LFDI, items, device.name, kind, item.mrid_end)
            for edition in Edition:
                decode(encode(point, edition), strict=True, edition=edition)
            mirror.readings(_LFDI, items, device.state, 0, item.mrid_end)
            mrids += [point.mRID, *(each.mRID for each in point.MirrorMeterReading)]
            count += 1
        if len(set(mrids)) != len(mrids):
            raise Failed(f"two mirrors or quantities of {device.name} have one key, and so one mRID")
    return f"{count} mirrors, valid in both editions"


def _end_device(subject: Subject, item: CsipProfile) -> str:
    if item.end_device is None:
        return "the client's own"
    for bench in subject.benches():
        me = {**item.end_device(bench.device), "lFDI": _LFDI, "sFDI": 1, "changedTime": 0}
        for edition in Edition:
            decode(encode(r.EndDevice(**me), edition), strict=True, edition=edition)
    return "valid in both editions"
