"""What must agree between a Notification and the GET that follows it."""

from __future__ import annotations

import pytest

from dersim.conformance.checks import subscriptions, wire
from dersim.conformance.evidence import Evidence, Exchange, Notified
from dersim.conformance.procedure import Verdict
from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r

ITEMS = tuple(r.FunctionSetAssignments(href=f"/edev/1/fsa/{n}", mRID=str(n) * 32) for n in (1, 2, 3))


def listing(*items: r.FunctionSetAssignments, of: int) -> r.FunctionSetAssignmentsList:
    return r.FunctionSetAssignmentsList(
        href="/edev/1/fsa", all=of, results=len(items), FunctionSetAssignments=items
    )


def judged(brought: r.FunctionSetAssignmentsList, got: r.FunctionSetAssignmentsList) -> Verdict:
    notification = r.Notification(
        subscribedResource="/edev/1/fsa", subscriptionURI="/edev/1/sub/1", status=0, Resource=brought
    )
    evidence = Evidence(0.0)
    body = encode(notification, Edition.E2018)
    evidence.notified.append(Notified(90.0, "https://127.0.0.1/notify", "/edev/1/fsa", body, 201))
    answer = encode(got, Edition.E2018)
    evidence.exchanges.append(Exchange(0, 91.0, "GET", "/edev/1/fsa", None, (), b"", 200, (), answer))
    return subscriptions.read_again(wire.at("/edev/1/fsa"))(evidence).verdict


@pytest.mark.parametrize(
    ("brought", "verdict"),
    [
        (listing(*ITEMS[:2], of=2), Verdict.PASS),
        (listing(ITEMS[0], of=2), Verdict.PASS),  # the Subscription's limit is 1
        (listing(ITEMS[2], of=2), Verdict.FAIL),
        (listing(ITEMS[0], of=3), Verdict.FAIL),
        (listing(ITEMS[0], of=1), Verdict.FAIL),
    ],
)
def test_a_list_that_the_limit_has_cut_agrees_with_the_whole_one(
    brought: r.FunctionSetAssignmentsList, verdict: Verdict
) -> None:
    assert judged(brought, listing(*ITEMS[:2], of=2)) is verdict
