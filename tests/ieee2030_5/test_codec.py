"""Documents there and back; what the field sends; what an attacker sends."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ieee2030_5.documents import ROOTS, random_resource

from dersim.errors import LocalProtocolError, RemoteProtocolError
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.codec_read import MAX_EXTRAS
from dersim.ieee2030_5.declare import Extra

NS = 'xmlns="urn:ieee:std:2030.5:ns"'


def xml(text: str) -> bytes:
    return text.replace("NS", NS, 1).encode()


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(ROOTS), st.sampled_from(Edition), st.floats(0, 1))
def test_what_is_written_is_read_again(
    rng: random.Random, cls: type, edition: Edition, fullness: float
) -> None:
    resource = random_resource(rng, cls, edition, fullness)
    body = encode(resource, edition)
    for validation in ("fast", "off"):
        read = decode(body, cls, validation=validation, edition=edition, strict=True)
        assert read == (resource, ())


LISTS_A_NUMBER = r.DERControlList(all=1, results=1, DERControl=(1,))  # type: ignore[arg-type]
NO_POINTS = r.DERCurve(
    mRID="00", creationTime=1, CurveData=(), curveType=0, xMultiplier=0, yMultiplier=0, yRefType=0
)


def control(**modes: Any) -> r.DERControl:
    return r.DERControl(
        mRID="0A",
        creationTime=1,
        EventStatus=r.EventStatus(currentStatus=0, dateTime=1, potentiallySuperseded=False),
        interval=r.DateTimeInterval(duration=60, start=100),
        DERControlBase=r.DERControlBase(**modes),
    )


def test_the_2018_writer_leaves_out_what_2018_does_not_know() -> None:
    written = control(
        opModMaxLimW=r.Disabled(6000),
        opModVoltVar=r.DERCurveLink(href="/c", disabled=True),
        opModVoltWatt=r.DERCurveLink(href="/d", disabled=False),
        opModDeltaW=r.ActivePowerDeltaControlType(multiplier=0, value=1),
        opModFreqDroop=r.FreqDroopType(
            dBOF=1, dBUF=1, kOF=1, kUF=1, openLoopTms=1, pMin=r.ActivePower(multiplier=0, value=1)
        ),
        extra=(Extra("urn:foreign", "odd", '<odd xmlns="urn:foreign"/>'),),
    )
    read = decode(encode(written, Edition.E2018), edition=Edition.E2018, strict=True).resource
    assert read.DERControlBase == r.DERControlBase(
        opModVoltWatt=r.DERCurveLink(href="/d"),
        opModFreqDroop=r.FreqDroopType(dBOF=1, dBUF=1, kOF=1, kUF=1, openLoopTms=1),
    )
    mirror = r.MirrorUsagePoint(
        mRID="0A", subscribable=1, roleFlags=73, serviceCategoryKind=0, status=1, deviceLFDI="AB" * 20
    )
    default = r.DefaultDERControl(
        mRID="0A", replyTo="/r", responseRequired=1, updatedTime=1, DERControlBase=r.DERControlBase()
    )
    response = r.DERControlResponse(
        endDeviceLFDI="AB" * 20, subject="0A", modesResponded=1, modesResponded2=1
    )
    status = r.DERStatus(readingTime=1, connectStatus=r.ConnectStatusType2(dateTime=1, value=3))
    for resource in (mirror, default, response, status):
        body = encode(resource, Edition.E2018)
        decode(body, edition=Edition.E2018, strict=True)
        for newer in (
            b"schemaVer",
            b"subscribable",
            b"replyTo",
            b"updatedTime",
            b"modesResponded",
            b"connectS",
        ):
            assert newer not in body
    assert b'schemaVer="2.2"' in encode(mirror, Edition.E2023)


def test_disabled_modes_are_told_from_others() -> None:
    body = encode(control(opModMaxLimW=r.Disabled(6000), opModFixedW=5), Edition.E2023)
    for validation in ("fast", "off"):
        base = decode(body, validation=validation).resource.DERControlBase
        assert (base.opModMaxLimW, base.opModFixedW) == (6000, 5)
        assert isinstance(base.opModMaxLimW, r.Disabled)
        assert not isinstance(base.opModFixedW, r.Disabled)


def test_a_notification_carries_any_resource() -> None:
    notification = r.Notification(
        subscribedResource="/derp/1/derc",
        status=0,
        subscriptionURI="/sub/1",
        Resource=r.DERControlList(all=1, results=1, DERControl=(control(opModMaxLimW=5),)),
    )
    for edition in Edition:
        read = decode(encode(notification, edition), r.Notification, edition=edition, strict=True)
        assert read.resource == notification
    prefixed = xml(
        '<Notification NS xmlns:s="urn:ieee:std:2030.5:ns" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">'
        '<subscribedResource>/a</subscribedResource><Resource i:type="s:Time"><currentTime>7</currentTime>'
        "<dstEndTime>0</dstEndTime><dstOffset>0</dstOffset><dstStartTime>0</dstStartTime><quality>4</quality>"
        "<tzOffset>0</tzOffset></Resource><status>0</status><subscriptionURI>/s</subscriptionURI></Notification>"
    )
    assert decode(prefixed).resource.Resource.currentTime == 7
    unknown = prefixed.replace(b"s:Time", b"s:Nothing")
    assert decode(unknown).violations


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (r.DERProgram(mRID="zz", primacy=1), "DERProgram/mRID: 'zz' is not a hexBinary"),
        (r.DERProgram(mRID="0" * 34, primacy=1), "DERProgram/mRID"),
        (r.DERProgram(mRID="00", primacy=256), "DERProgram/primacy: 256 is not a PrimacyType (0 to 255)"),
        (r.DERProgram(mRID="00", primacy=1.5), "DERProgram/primacy: a whole number is needed"),  # type: ignore[arg-type]
        (r.DERProgram(mRID="00", primacy=None), "DERProgram/primacy: is required"),  # type: ignore[arg-type]
        (r.DERProgram(mRID="00", primacy=1, description="a\x0b"), "DERProgram/description"),
        (r.DERProgram(mRID="00", primacy=1, description="a\ud800"), "DERProgram/description"),
        (r.DERProgram(mRID="00", primacy=1, description="a" * 33), "has 33 characters, 32 are allowed"),
        (r.DERProgram(mRID="00", primacy=1, DERControlListLink="/x"), "ListLink is needed"),  # type: ignore[arg-type]
        (control(opModConnect=1), "DERControl/DERControlBase/opModConnect: True or False"),
        (LISTS_A_NUMBER, "DERControl[1]: DERControl is needed"),
        (r.Link(href="/x"), "Link is not a document"),
        (NO_POINTS, "CurveData: 0 given, 1 to 10"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_named(resource: Any, path: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode(resource, Edition.E2023)
    assert path in str(caught.value)


CONTROL = (
    "<DERControl NS><mRID>0a</mRID><creationTime>1</creationTime><EventStatus>"
    "<currentStatus>1</currentStatus><dateTime>1</dateTime><potentiallySuperseded>false</potentiallySuperseded></EventStatus><interval>"
    "<duration>60</duration><start>100</start></interval><DERControlBase><opModMaxLimW>5000</opModMaxLimW>"
    "</DERControlBase></DERControl>"
)


@pytest.mark.parametrize("validation", ["fast", "full", "off"])
@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("<creationTime>", '<odd xmlns="urn:ieee:std:2030.5:ns"/><creationTime>', "DERControl"),
        ("<creationTime>1</creationTime>", "", "creationTime"),
        ("<dateTime>1</dateTime>", "", "dateTime"),
        ("<dateTime>1</dateTime><potentiallySuperseded>false</potentiallySuperseded>", "", "EventStatus"),
        ("<mRID>0a</mRID>", "<mRID>curtail-1</mRID>", "mRID"),
        ("<duration>60</duration><start>100</start>", "<start>100</start><duration>60</duration>", ""),
    ],
)
def test_broken_but_readable_documents_are_used(validation: Any, before: str, after: str, where: str) -> None:
    body = xml(CONTROL.replace(before, after))
    read = decode(body, validation=validation)
    assert read.resource.DERControlBase.opModMaxLimW == 5000
    assert read.resource.interval == r.DateTimeInterval(duration=60, start=100)
    if where:
        assert any(where in violation for violation in read.violations)
        with pytest.raises(RemoteProtocolError, match="strict"):
            decode(body, validation=validation, strict=True)
    elif validation != "off":
        assert read.violations


def test_an_mrid_in_words_is_kept_and_can_be_answered() -> None:
    read = decode(xml(CONTROL.replace("0a", "Curtail one"))).resource
    assert read.mRID == "Curtail one"
    answer = r.DERControlResponse(endDeviceLFDI="AB" * 20, status=1, subject=read.mRID)
    assert b"<subject>Curtail one</subject>" in encode(answer, Edition.E2018)


def test_a_garbled_item_never_acts_and_spares_the_others() -> None:
    item = CONTROL.replace(" NS", "")
    garbled = item.replace("<opModMaxLimW>5000", "<opModMaxLimW>5O%")
    read = decode(xml(f'<DERControlList NS all="2" results="2">{garbled}{item}</DERControlList>'))
    assert [each.DERControlBase.opModMaxLimW for each in read.resource.DERControl] == [5000]
    assert any("DERControl[1]" in note and "left out" in note for note in read.violations)
    with pytest.raises(RemoteProtocolError, match="opModMaxLimW"):
        decode(xml(CONTROL.replace("5000", "5O%")))
    with pytest.raises(RemoteProtocolError, match="is given twice"):
        decode(xml(CONTROL.replace("</DERControlBase>", "<opModMaxLimW>1</opModMaxLimW></DERControlBase>")))


@pytest.mark.parametrize("validation", ["fast", "off"])
def test_small_traps(validation: Any) -> None:
    def read(text: str) -> Any:
        return decode(xml(text), validation=validation).resource

    fsa = read("<FunctionSetAssignments NS><mRID>0A</mRID><version/></FunctionSetAssignments>")
    assert fsa.version == 0
    assert read(CONTROL.replace("<opModMaxLimW>5000</opModMaxLimW>", "")).DERControlBase == r.DERControlBase()
    self_closing = CONTROL.replace(
        "<DERControlBase><opModMaxLimW>5000</opModMaxLimW></DERControlBase>", "<DERControlBase/>"
    )
    assert read(self_closing).DERControlBase == r.DERControlBase()
    short = read("<DERSettings NS><modesEnabled>500088</modesEnabled></DERSettings>")
    assert short.modesEnabled == 0x00500088
    commented = (
        "<?xml version='1.0'?><!-- a --><Registration NS><!-- b --><dateTimeRegistered>1<?pi x?>2<!-- c -->"
    )
    assert read(commented + "</dateTimeRegistered><pIN><![CDATA[7]]></pIN></Registration>") == r.Registration(
        dateTimeRegistered=12, pIN=7
    )
    empty = read("<DERCapability NS/>")
    assert (empty.modesSupported, empty.type) == (0, 0)
    listed = read('<DERList NS all="5" pollRate="60"><DER href="/der/1"/></DERList>')
    assert (listed.all, listed.results, listed.pollRate) == (5, 1, 60)
    time = read(
        "<Time NS><currentTime>5</currentTime><dstEndTime>0</dstEndTime><tzOffset>0</tzOffset></Time>"
    )
    assert (time.currentTime, time.quality) == (5, 7)


def test_utf16_is_read_with_a_remark() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>' + CONTROL.replace("NS", NS)
    read = decode(text.encode("utf-16"))
    assert read.resource.mRID == "0A"
    assert "UTF-16" in read.violations[0]
    with pytest.raises(RemoteProtocolError, match="UTF-16"):
        decode(text.encode("utf-16"), strict=True)


def billion_laughs() -> str:
    entities = '<!ENTITY e0 "ha">' + "".join(
        f'<!ENTITY e{n} "' + f"&e{n - 1};" * 8 + '">' for n in range(1, 20)
    )
    start = f"<!DOCTYPE d [{entities}]>"
    return start + "<Registration NS><dateTimeRegistered>&e19;</dateTimeRegistered></Registration>"


LAUGHS = billion_laughs()
EXTERNAL = (
    '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Registration NS><pIN>&x;</pIN></Registration>'
)
LONG = f"<DERProgram NS><mRID>00</mRID><primacy>{'9' * 9999}</primacy></DERProgram>"
FLOOD = "<Registration NS " + " ".join(f'a{n}="1"' for n in range(50_000)) + "/>"
BROKEN = "<EndDeviceList NS>" + "<EndDevice><sFDI>x</sFDI></EndDevice>" * 12_000 + "</EndDeviceList>"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"hello", "not well-formed"),
        (b"<Time", "not well-formed"),
        (b"<html><body>400 No required SSL certificate was sent</body></html>", "HTML"),
        (b"<!DOCTYPE html><html><p>x</html>", "HTML"),
        (b"<Time/>", "in no namespace"),
        (b'<Time xmlns="http://ieee.org/2030.5"/>', "2013 drafts"),
        (b'<Time xmlns="http://zigbee.org/sep"/>', "'http://zigbee.org/sep'"),
        (xml("<Nonsense NS/>"), "'Nonsense' is not a document"),
        (xml("<EventStatus NS/>"), "'EventStatus' is not a document"),
        (xml("<DERProgram NS><mRID>00</mRID></DERProgram>"), "primacy: is missing"),
        (xml("<DERProgram NS><mRID>00</mRID><primacy>1e1</primacy></DERProgram>"), "not a whole number"),
        (xml("<DERProgram NS><mRID>00</mRID><primacy>٣</primacy></DERProgram>"), "not a whole number"),
        (xml("<DERProgram NS><mRID>00</mRID><primacy>1_0</primacy></DERProgram>"), "not a whole number"),
        (xml(f"<DERProgram NS><mRID>00</mRID><primacy>{'9' * 30}</primacy></DERProgram>"), "beyond any"),
        (xml(LONG), "not a whole number"),
        (xml("<!DOCTYPE Time><Registration NS/>"), "DOCTYPE"),
        (xml('<!DOCTYPE d SYSTEM "file:///etc/passwd"><Registration NS/>'), "DOCTYPE"),
        (xml('<!DOCTYPE d [<!ENTITY x "1">]><Registration NS><pIN>&x;</pIN></Registration>'), "DOCTYPE"),
        (xml(EXTERNAL), "DOCTYPE"),
        (xml(LAUGHS), "DOCTYPE|well-formed"),
        (xml(LAUGHS).decode().encode("utf-16"), "DOCTYPE|well-formed"),
        (xml("<Registration NS>" + "<a>" * 100_000 + "</a>" * 100_000 + "</Registration>"), "well-formed"),
        (xml(FLOOD), "50000 attributes"),
        (xml(BROKEN), "12000 elements within; at most 8000"),
        (b"<" + b"a" * (1 << 21), "at most 1048576"),
        (b"\x00\x01\x02", "not well-formed"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_one_line(body: bytes, message: str) -> None:
    for validation in ("fast", "off"):
        with pytest.raises(RemoteProtocolError, match=message) as caught:
            decode(body, validation=validation)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 500


def test_a_document_of_another_kind_is_refused() -> None:
    with pytest.raises(
        RemoteProtocolError, match="the body is a DERControl; Time or DERProgram was expected"
    ):
        decode(xml(CONTROL), (r.Time, r.DERProgram))


def test_a_schema_location_is_not_followed() -> None:
    xsi = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
    hint = f'NS {xsi} i:schemaLocation="urn:ieee:std:2030.5:ns /nowhere.xsd"'
    assert decode(xml(CONTROL.replace("NS", hint, 1))).resource.mRID == "0A"


def test_foreign_elements_are_kept_and_written_again() -> None:
    body = xml(CONTROL.replace("NS>", 'NS><f:a xmlns:f="urn:f" f:b="1">x<f:c/></f:a>', 1))
    read = decode(body)
    assert read.violations == ()
    ((namespace, name, kept),) = read.resource.extra
    assert (namespace, name) == ("urn:f", "a")
    assert kept == '<f:a xmlns:f="urn:f" f:b="1">x<f:c></f:c></f:a>'
    assert decode(encode(read.resource, Edition.E2023)) == (read.resource, ())


DOCUMENT = '<Time xmlns="urn:ieee:std:2030.5:ns"><currentTime>{}</currentTime></Time>'


@pytest.mark.parametrize(
    "body",
    [
        DOCUMENT.format("\ud800").encode("utf-8", "surrogatepass"),
        DOCUMENT.format("\udcff").encode("utf-16", "surrogatepass"),
        DOCUMENT.format("&#xD800;").encode(),
        DOCUMENT.format("\0").encode(),
        DOCUMENT.format("&#0;").encode(),
        DOCUMENT.format("\x1b[31m").encode(),
        b"<html>\x1b[31m red\x00\x07\r\n",
        b"\0" * 100,
    ],
    ids=[
        "surrogate",
        "surrogate in UTF-16",
        "its reference",
        "NUL",
        "its reference too",
        "escape",
        "HTML",
        "NULs",
    ],
)
def test_characters_that_xml_cannot_hold_are_refused_in_one_printable_line(body):
    for validation in ("fast", "full", "off"):
        with pytest.raises(RemoteProtocolError) as refused:
            decode(body, validation=validation)
        message = str(refused.value)
        assert message.isprintable()
        assert "<string>" not in message
        assert "b'" not in message


@pytest.mark.parametrize("text", ["1&#10;2", "\u202e", "\x85", "1" * 5000])
def test_what_is_told_of_a_value_is_one_printable_line(text):
    for validation in ("fast", "full", "off"):
        body = DOCUMENT.format("1").replace("</Time>", f"<quality>{text}</quality></Time>").encode()
        try:
            told = decode(body, validation=validation).violations
        except RemoteProtocolError as error:
            told = (str(error),)
        assert all(line.isprintable() and len(line) < 300 for line in told)


@pytest.mark.parametrize("unknown", ['<z xmlns="urn:x"/>', "<z/>"])
def test_of_a_flood_of_unknown_elements_the_first_are_kept(unknown: str) -> None:
    body = xml(f"<DeviceCapability NS>{unknown * 2500}</DeviceCapability>")
    assert len(decode(body).resource.extra) == MAX_EXTRAS


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("pin", ["111115.0", "111115x", "1 11115", "\u0661111115"])
def test_no_message_quotes_a_pin(pin: str, strict: bool) -> None:
    body = f"<Registration {NS}><dateTimeRegistered>1</dateTimeRegistered><pIN>{pin}</pIN></Registration>"
    with pytest.raises(RemoteProtocolError, match="'masked'") as caught:
        decode(body.encode(), strict=strict)
    assert "1111" not in str(caught.value)


def test_a_server_that_ignores_paging_may_list_thousands():
    devices = tuple(
        r.EndDevice(href=f"/edev/{number}", sFDI=111111111111, lFDI="AA" * 20, changedTime=0)
        for number in range(6000)
    )
    body = encode(r.EndDeviceList(href="/edev", all=6000, results=6000, EndDevice=devices), Edition.E2018)
    assert len(decode(body).resource.EndDevice) == 6000


@pytest.mark.parametrize("digits", ["3", "03", "0003", "0a", "0A", "00000003", ""])
@pytest.mark.parametrize("validation", ["fast", "off"])
def test_a_hexbinary_is_written_as_it_was_read(digits, validation):
    body = (
        f'<DERStatus xmlns="urn:ieee:std:2030.5:ns"><alarmStatus>{digits}</alarmStatus>'
        "<readingTime>5</readingTime></DERStatus>"
    ).encode()
    read = decode(body, validation=validation).resource
    assert read.alarmStatus == int(digits or "0", 16)
    written = encode(read, Edition.E2018)
    assert decode(written, strict=True).resource == read
    if digits not in ("", "3"):  # neither is a hexBinary
        assert written == body
