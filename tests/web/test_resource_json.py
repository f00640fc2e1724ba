"""Resources as JSON."""

from dersim.ieee2030_5 import resources as r
from dersim.web.resource_json import resource_json


def test_names_stay_absent_members_go_and_the_pin_is_masked():
    registration = r.Registration(href="/rg", dateTimeRegistered=5, pIN=111115)
    assert resource_json(registration) == {"href": "/rg", "dateTimeRegistered": 5, "pIN": "masked"}


def test_parts_and_repetitions():
    listed = r.FunctionSetAssignmentsList(
        href="/fsa", all=1, results=1, FunctionSetAssignments=(r.FunctionSetAssignments(mRID="AB"),)
    )
    document = resource_json(listed)
    assert document["all"] == 1
    assert document["FunctionSetAssignments"][0]["mRID"] == "AB"
