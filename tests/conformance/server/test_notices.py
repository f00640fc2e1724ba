"""When a Notification has what a GET gives."""

import pytest

from dersim.conformance.server.notices import body_differs
from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r

PROGRAM = r.DERProgram(href="/derp/1", mRID="A0" * 16, primacy=4)
LISTED = r.DERProgramList(href="/derp", all=1, results=1, DERProgram=[PROGRAM])


def notification(resource):
    made = r.Notification(
        subscribedResource="/derp", Resource=resource, status=0, subscriptionURI="/edev/1/sub/1"
    )
    return encode(made, Edition.E2018)


def test_the_same_list_does_not_differ():
    assert body_differs(notification(LISTED), encode(LISTED, Edition.E2018)) is None


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (None, "it has no Resource"),
        (
            r.DERProgramList(href="/derp", all=2, results=1, DERProgram=[PROGRAM]),
            "results 1 of 2, GET: results 1 of 1",
        ),
        (
            r.DERProgramList(
                href="/derp",
                all=1,
                results=1,
                DERProgram=[r.DERProgram(href="/derp/1", mRID="A0" * 16, primacy=5)],
            ),
            "DERProgram differs",
        ),
    ],
)
def test_another_list_differs(resource, said):
    assert body_differs(notification(resource), encode(LISTED, Edition.E2018)) == said
