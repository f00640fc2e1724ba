"""Numbers of documents at the ends of what can be written: a violation or a protocol error, nothing else."""

import re

import pytest

from dersim.errors import ProtocolError, RemoteProtocolError
from dersim.ieee2030_5 import controlbase, curves, decode, wire_forms
from dersim.ieee2030_5 import resources as r
from dersim.modes import MODES

NAMESPACE = "urn:ieee:std:2030.5:ns"
EXTREMES = (
    "-9223372036854775808", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "1000000000", "-1000000000", "32767", "-32768", "32768", "65536", "128", "-129", "127", "-128",
    "10", "-10", "4294967296", "1" + "0" * 39, "1" + "0" * 400, "-0", "+7", "", "1.5", "1e9", "NaN", "0x10",
)  # fmt: skip

CONTROL = f"""<DERControl xmlns="{NAMESPACE}" href="/c"><mRID>0A</mRID><creationTime>1</creationTime>
<EventStatus><currentStatus>1</currentStatus><dateTime>1</dateTime><potentiallySuperseded>false
</potentiallySuperseded></EventStatus><interval><duration>60</duration><start>1</start></interval>
<randomizeDuration>5</randomizeDuration><DERControlBase>
<opModFixedPFInjectW><displacement>95</displacement><excitation>false</excitation><multiplier>-2</multiplier>
</opModFixedPFInjectW><opModFixedVar><refType>2</refType><value>5000</value></opModFixedVar>
<opModFreqDroop><dBOF>36</dBOF><dBUF>36</dBUF><kOF>50</kOF><kUF>50</kUF><openLoopTms>500</openLoopTms>
<pMin><multiplier>0</multiplier><value>5</value></pMin></opModFreqDroop>
<opModMaxLimW>6000</opModMaxLimW><opModTargetW><multiplier>0</multiplier><value>5000</value></opModTargetW>
<rampTms>100</rampTms></DERControlBase></DERControl>"""
CURVE = f"""<DERCurve xmlns="{NAMESPACE}" href="/v"><mRID>0B</mRID><creationTime>1</creationTime>
<autonomousVRefTimeConstant>100</autonomousVRefTimeConstant><CurveData><xvalue>92</xvalue><yvalue>44</yvalue>
</CurveData><CurveData><xvalue>98</xvalue><yvalue>0</yvalue></CurveData><curveType>11</curveType>
<openLoopTms>500</openLoopTms><vRef>10000</vRef><xMultiplier>0</xMultiplier><yMultiplier>0</yMultiplier>
<yRefType>2</yRefType></DERCurve>"""

NUMBER = re.compile(r"(?<=>)-?[0-9]+(?=\n?</)")


def with_each_number(document, text):
    for match in NUMBER.finditer(document):
        yield document[: match.start()] + text + document[match.end() :]


CASES = [(text, "off") for text in EXTREMES] + [(text, "fast") for text in EXTREMES[:4]]


def read_control(document, validation):
    control, _ = decode(document.encode(), r.DERControl, validation=validation)
    controlbase.modes_of(control.DERControlBase, {})


def read_curve(document, validation):
    curve, _ = decode(document.encode(), r.DERCurve, validation=validation)
    curves.curve_of(MODES["opModVoltVar"], curve)


def assert_never_fails(read, document, text, validation):
    messages = []
    for changed in with_each_number(document, text):
        try:
            read(changed, validation)
        except ProtocolError as error:
            messages.append(str(error))
    assert all(len(message) < 300 for message in messages)


@pytest.mark.parametrize(("text", "validation"), CASES)
def test_an_extreme_number_of_a_control_is_a_violation_or_a_protocol_error(text, validation):
    assert_never_fails(read_control, CONTROL, text, validation)


@pytest.mark.parametrize(("text", "validation"), CASES)
def test_an_extreme_number_of_a_curve_is_a_violation_or_a_protocol_error(text, validation):
    assert_never_fails(read_curve, CURVE, text, validation)


@pytest.mark.parametrize("multiplier", [-10, 10, 127, 32767, 10**9, -(2**63), 2**63 - 1])
def test_a_multiplier_outside_nano_to_giga_names_the_mode(multiplier):
    base = r.DERControlBase(opModTargetW=r.ActivePowerControlType(multiplier=multiplier, value=5))
    with pytest.raises(RemoteProtocolError, match=f"opModTargetW: the multiplier {multiplier} is outside -9"):
        controlbase.modes_of(base, {})


@pytest.mark.parametrize("axis", ["xMultiplier", "yMultiplier"])
def test_a_curve_with_a_multiplier_outside_nano_to_giga_names_the_mode(axis):
    document = CURVE.replace(f"<{axis}>0", f"<{axis}>32767")
    curve, violations = decode(document.encode(), r.DERCurve)
    assert any(axis in violation for violation in violations)
    with pytest.raises(RemoteProtocolError, match="opModVoltVar: the multiplier 32767 is outside -9 to 9"):
        curves.curve_of(MODES["opModVoltVar"], curve)


def test_the_multipliers_of_the_standard_are_read():
    assert (wire_forms.scaled(5, 9), wire_forms.scaled(5, -9)) == (5e9, 5e-9)


def test_a_curve_whose_y_ref_type_is_not_applicable_has_the_one_of_its_mode():
    curve, _ = decode(CURVE.replace("<yRefType>2", "<yRefType>0").encode(), r.DERCurve)
    spec = MODES["opModVoltVar"]
    assert curves.curve_of(spec, curve).y_ref_type == spec.y_ref_type == 2


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_beyond_64_bits_cannot_be_read_whatever_its_sign(sign):
    document = CURVE.replace("<vRef>10000", f"<vRef>{sign}92233720368547758080")
    for validation in ("fast", "off"):
        curve, violations = decode(document.encode(), r.DERCurve, validation=validation)
        assert curve.vRef is None
        assert any("is beyond any" in violation for violation in violations)
