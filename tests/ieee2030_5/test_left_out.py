"""What is left out of a document that can be read only in part, and what is never read in part."""

import pytest

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.codec_read import LeftOut

NS = 'xmlns="urn:ieee:std:2030.5:ns"'
MRID = "0123456789ABCDEF0123456700009F1C"


def read(text, kind, **more):
    return decode(text.encode(), kind, **more)


def control(inner="", creation_time="1000", base="<opModMaxLimW>4000</opModMaxLimW>"):
    return (
        f'<DERControl href="/c/1"><mRID>{MRID}</mRID><creationTime>{creation_time}</creationTime>'
        "<EventStatus><currentStatus>0</currentStatus><dateTime>1</dateTime>"
        "<potentiallySuperseded>false</potentiallySuperseded></EventStatus>"
        "<interval><duration>60</duration><start>2000</start></interval>"
        f"{inner}<DERControlBase>{base}</DERControlBase></DERControl>"
    )


def controls(*items):
    return (
        f'<DERControlList {NS} href="/c" all="{len(items)}" results="{len(items)}">{"".join(items)}'
        "</DERControlList>"
    )


def left_out(decoded):
    return [each for each in decoded.violations if isinstance(each, LeftOut)]


def test_an_unreadable_optional_element_costs_that_element():
    decoded = read(
        f"<EndDevice {NS} href='/edev/1'><lFDI>{'AB' * 20}</lFDI><sFDI>5</sFDI><changedTime>1</changedTime>"
        "<enabled>True</enabled></EndDevice>",
        r.EndDevice,
    )
    assert (decoded.resource.lFDI, decoded.resource.enabled) == ("AB" * 20, None)
    (line,) = left_out(decoded)
    assert "/EndDevice/enabled" in line
    assert not line.is_item


def test_an_unreadable_optional_element_of_an_item_is_told_with_its_mrid():
    decoded = read(controls(control("<randomizeStart>soon</randomizeStart>")), r.DERControlList)
    (item,) = decoded.resource.DERControl
    assert (item.mRID, item.randomizeStart) == (MRID, None)
    (line,) = left_out(decoded)
    assert MRID in line
    assert "randomizeStart" in line


def test_an_unreadable_mode_costs_the_control_and_is_told_with_its_mrid():
    bad = control(base="<opModMaxLimW>a lot</opModMaxLimW><opModConnect>true</opModConnect>")
    decoded = read(controls(bad, control()), r.DERControlList)
    assert len(decoded.resource.DERControl) == 1
    (line,) = left_out(decoded)
    assert line.is_item
    assert MRID in line
    assert "opModMaxLimW" in line


def test_an_unreadable_mode_of_a_default_refuses_the_default():
    text = (
        f"<DefaultDERControl {NS}><mRID>{MRID}</mRID><DERControlBase><opModMaxLimW>a lot</opModMaxLimW>"
        "</DERControlBase></DefaultDERControl>"
    )
    with pytest.raises(RemoteProtocolError, match="opModMaxLimW"):
        read(text, r.DefaultDERControl)


def test_a_creation_time_with_a_fraction_is_cut_to_its_second():
    decoded = read(controls(control(creation_time="1000.75")), r.DERControlList)
    (item,) = decoded.resource.DERControl
    assert item.creationTime == 1000
    assert any("creationTime" in each for each in decoded.violations)
    assert left_out(decoded) == []


def test_a_number_that_is_no_time_has_no_fraction():
    decoded = read(controls(control(base="<opModMaxLimW>40.5</opModMaxLimW>")), r.DERControlList)
    assert decoded.resource.DERControl == ()


def test_an_unreadable_optional_attribute_costs_that_attribute():
    decoded = read(f'<DERProgramList {NS} all="0" results="0" pollRate="often"/>', r.DERProgramList)
    assert decoded.resource.pollRate is None
    assert "pollRate" in left_out(decoded)[0]


def test_strict_reading_refuses_what_would_be_left_out():
    with pytest.raises(RemoteProtocolError):
        read(controls(control("<randomizeStart>soon</randomizeStart>")), r.DERControlList, strict=True)
