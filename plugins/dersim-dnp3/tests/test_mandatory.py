"""Every point that IEEE 1547 asks for is served as in the profile, or is told with its reason."""

from __future__ import annotations

import pytest
from one_der import OneDer

pytest.importorskip("dnp3", reason="dnp3py is not installed: pip install 'dersim-dnp3[test]'")
from profile_tables import bundled, points_of

#: What `mandatory_1547` has and we do not serve: by reason, whether it leaves out a point.
NOT_SERVED = {
    "equipment told one by one, from 5000 on": lambda _kind, index: index >= 5000,
}


def the_mandatory():
    document = bundled("mandatory_1547")
    return [(kind, point) for kind in ("AI", "AO", "BI", "BO", "CTR") for point in points_of(document, kind)]


@pytest.fixture(scope="module")
def der():
    return OneDer("HybridDC-3Phase")


def test_it_is_served_or_told_with_a_reason(der):
    served = {(each.kind.value, each.index) for each in (*der.station.inputs, *der.station.outputs)}
    missing = {
        f"{kind}{point['point_index']}"
        for kind, point in the_mandatory()
        if (kind, point["point_index"]) not in served
        and not any(leaves_out(kind, point["point_index"]) for leaves_out in NOT_SERVED.values())
    }
    assert missing == set()


def test_scale_class_and_pairs_are_those_of_the_profile(der):
    rows = {(each.kind.value, each.index): each for each in (*der.station.inputs, *der.station.outputs)}
    wrong = []
    document = bundled("full")
    for kind in ("AI", "AO", "BI"):
        for point in points_of(document, kind):
            row = rows.get((kind, point["point_index"]))
            if row is None:
                continue
            name = f"{kind}{point['point_index']}"
            if kind != "BI" and row.multiplier != pytest.approx(point["multiplier"]):
                wrong.append(f"{name}: x{row.multiplier}, not x{point['multiplier']}")
            if kind == "AO" and point["assoc_ai"] and point["assoc_ai"] != f"AI{row.back}":
                wrong.append(f"{name}: AI{row.back}, not {point['assoc_ai']}")
            stated = str(point["event_class"] or "None") if kind != "AO" else ""
            if stated.startswith("Class") and row.event_class not in (int(stated[-1]), 0):
                wrong.append(f"{name}: class {row.event_class}, not {stated}")
    assert wrong == []
