"""The companion server with the plug-in: ConnectionPoint, mRIDs, refusals, the limits in their places."""

import json
from argparse import Namespace

import pytest
from dersim_csip_aus import nmi
from lxml import etree

from dersim.http11 import Request
from dersim.ieee2030_5 import identity
from dersim.logbuffer import LogBuffer
from dersim.plugin.candidates import find
from dersim.plugin.loader import PluginSet
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer

NS = "https://csipaus.org/ns"
SEP = "{urn:ieee:std:2030.5:ns}"
T = 1_800_000_000.0
CERTIFICATE = b"certificate of the first"
LFDI = identity.lfdi(CERTIFICATE)


@pytest.fixture(scope="module")
def plugins():
    found = PluginSet([each for each in find() if each.name == "csip-aus"])
    found.learn_extensions()
    return found


class Served:
    def __init__(self, plugins, **options):
        parts = plugins.server_parts(Namespace(**options))
        config = UtilityConfig(pen=28547, certificate=None)
        config.follow(parts.one_profile())
        self.server = UtilityServer(config, lambda: T, LogBuffer(), parts=parts)
        self.server.begin()

    def ask(self, method, path, body=b""):
        fields = (("host", "127.0.0.1"), ("content-type", "application/sep+xml"))
        return self.server.answer(Request(method, path, fields, body, CERTIFICATE, "127.0.0.1:40000"))

    def get(self, path):
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return etree.fromstring(answer.body)

    def operate(self, method, path, body):
        fields = (("host", "127.0.0.1:8444"), ("content-type", "application/json"))
        request = Request(method, f"/api/utility/{path}", fields, body.encode(), None, "127.0.0.1:50000")
        return self.server.answer_admin(request)


@pytest.fixture
def served(plugins):
    return Served(plugins)


def point(text, namespace=NS):
    child = f"<connectionPointId>{text}</connectionPointId>"
    return f'<ConnectionPoint xmlns="{namespace}">{child}</ConnectionPoint>'.encode()


def test_the_end_device_links_to_its_connection_point_after_all_elements_of_the_standard(served):
    device = served.get("/edev")[0]
    assert device[-1].tag == f"{{{NS}}}ConnectionPointLink"
    assert device[-1].get("href") == "/edev/1/cp"
    empty = served.get("/edev/1/cp")
    assert (empty.tag, empty[0].text) == (f"{{{NS}}}ConnectionPoint", None)


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_nmi_is_kept_with_a_location_and_another_one_taken(served, method):
    served.get("/edev")
    for text, status in (("41020000002", 201), ("4102000002", 204)):
        answer = served.ask(method, "/edev/1/cp", point(text))
        assert (answer.status, answer.header("location")) == (status, "/edev/1/cp")
        assert served.get("/edev/1/cp")[0].text == text


@pytest.mark.parametrize("text", ["NOTAVALIDID", "41020000003", "", "410200000", "4102 00000", "41020000ab"])
def test_what_is_no_nmi_is_refused_with_reason_code_1(plugins, served, text):
    served.get("/edev")
    answer = served.ask("PUT", "/edev/1/cp", point(text))
    assert answer.status == 400
    assert etree.fromstring(answer.body).findtext(f"{SEP}reasonCode") == "1"
    trusting = Served(plugins, csip_aus_check_nmi=False)
    trusting.get("/edev")
    assert trusting.ask("PUT", "/edev/1/cp", point(text)).status == 201


def test_the_namespace_is_that_of_the_version(plugins):
    served = Served(plugins, csip_aus_version="1.3")
    served.get("/edev")
    assert served.get("/edev")[0][-1].tag == f"{{{NS}/v1.3}}ConnectionPointLink"
    assert served.ask("PUT", "/edev/1/cp", point("4102000000", f"{NS}/v1.3")).status == 201
    assert served.ask("PUT", "/edev/1/cp", point("4102000000")).status == 400, "one server, one namespace"


def test_where_a_client_of_1_3_begins(plugins, served):
    assert served.ask("GET", "/.well-known/csipaus").status == 404, "1.2 has none"
    answer = Served(plugins, csip_aus_version="1.3").ask("GET", "/.well-known/csipaus")
    assert (answer.status, answer.header("content-type")) == (200, "application/json")
    found = json.loads(answer.body)["supportedSchemaVersions"]
    assert found == {"https://csipaus.org/ns/v1.3": {"dcap": ["/dcap"]}}


def test_mrids_end_in_the_decimal_digits_of_the_pen(served):
    assert served.get("/derp")[0].findtext(f"{SEP}mRID")[-8:] == "00028547"


def test_a_response_to_no_event_is_refused(served):
    served.get("/edev")
    body = (
        f'<DERControlResponse xmlns="{SEP[1:-1]}"><endDeviceLFDI>{LFDI}</endDeviceLFDI>'
        f"<status>1</status><subject>{'0' * 32}</subject></DERControlResponse>"
    )
    assert served.ask("POST", "/rsps/1/rsp", body.encode()).status == 400


def test_the_limits_stand_in_the_order_of_the_xsd(served):
    served.get("/edev")
    modes = (
        '"opModLoadLimW": 1, "opModGenLimW": 2, "opModExpLimW": 3, "opModImpLimW": 4, "opModConnect": true'
    )
    body = f'{{"modes": {{{modes}}}, "start_in_s": 5, "duration_s": 60}}'
    assert served.operate("POST", "programs/2/controls", body).status == 201
    base = served.get("/derp/2/derc")[0].find(f"{SEP}DERControlBase")
    names = [etree.QName(each).localname for each in base]
    assert names == ["opModConnect", "opModImpLimW", "opModExpLimW", "opModGenLimW", "opModLoadLimW"]


@pytest.mark.parametrize(
    ("text", "digit"), [("4102000000", 2), ("4102000002", 6), ("2001985732", 8), ("QAAAVZZZZZ", 3)]
)
def test_the_check_digit(text, digit):
    assert nmi.check_digit(text) == digit
    assert nmi.wrong_with(f"{text}{digit}") == ""
    assert f"is {digit}" in nmi.wrong_with(f"{text}{(digit + 1) % 10}")
