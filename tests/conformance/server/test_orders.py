"""The order of lists, as 2030.5 has it."""

import pytest

from dersim.conformance.server.orders import wrong_order
from dersim.ieee2030_5 import resources as r

LOW, HIGH = "0A" * 16, "B0" * 16


def assignments(*mrids):
    return r.FunctionSetAssignmentsList(
        all=2, results=2, FunctionSetAssignments=[r.FunctionSetAssignments(mRID=each) for each in mrids]
    )


def programs(*pairs):
    return r.DERProgramList(
        all=2, results=2, DERProgram=[r.DERProgram(mRID=mrid, primacy=primacy) for primacy, mrid in pairs]
    )


@pytest.mark.parametrize(
    "listed",
    [
        assignments(HIGH, LOW),
        programs((1, LOW), (2, HIGH)),
        programs((1, HIGH), (1, LOW)),
        r.DERList(all=2, results=2, DER=[r.DER(href="/b"), r.DER(href="/a")]),
    ],
)
def test_what_is_right(listed):
    assert wrong_order(listed) is None


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (assignments(LOW, HIGH), "mRID descending"),
        (programs((2, HIGH), (1, LOW)), "primacy ascending"),
        (programs((1, LOW), (1, HIGH)), "mRID descending"),
    ],
)
def test_what_is_wrong(listed, said):
    assert said in wrong_order(listed)
    assert wrong_order(listed).startswith("item 2 must come before item 1")
