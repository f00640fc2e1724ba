"""The operator's REST: the contract's paths and shapes, what it refuses, and who may call it."""

import pytest

from dersim.http11 import Request
from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5 import resources as r
from dersim.utility.admin import api

LIMIT = {"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 120}


def test_the_programs_at_the_start(lab):
    status, programs = lab.admin("GET", "/programs")
    assert status == 200
    assert [(p["description"], p["controls"]) for p in programs] == [("operator", []), ("system", [])]
    assert programs[0]["primacy"] < programs[1]["primacy"]
    assert {"id", "href", "mRID", "default_control"} <= set(programs[0])


def test_a_program_of_ones_own(lab, client):
    status, program = lab.admin("POST", "/programs", {"description": "feeder 7", "primacy": 10})
    assert status == 201
    assert (program["description"], program["primacy"], program["controls"]) == ("feeder 7", 10, [])
    assert client.get("/derp?l=255").all == 3
    assert client.get("/edev/1/fsa").FunctionSetAssignments[0].DERProgramListLink.all == 3


def test_a_control_and_its_cancellation(lab):
    status, place = lab.admin("POST", "/programs/2/controls", LIMIT)
    assert (status, set(place)) == (201, {"mRID", "href"})
    (control,) = lab.admin("GET", "/programs")[1][0]["controls"]
    assert (control["mRID"], control["status_text"], control["duration_s"]) == (
        place["mRID"],
        "scheduled",
        120,
    )
    assert (control["start"], control["modes"]) == ("2023-11-14T22:13:50.000Z", {"opModMaxLimW": 60.0})
    assert control["response_required"] == 7
    assert lab.admin("DELETE", f"/controls/{place['mRID'].lower()}")[1]["status_text"] == "cancelled"
    status, problem = lab.admin("DELETE", f"/controls/{place['mRID']}")
    assert (status, problem["status"]) == (409, 409)
    assert lab.admin("DELETE", "/controls/00")[0] == 404


def test_a_default_control(lab, client):
    modes = {"opModMaxLimW": 80, "setGradW": 50, "setESDelay": 300}
    status, default = lab.admin("PUT", "/programs/2/default-control", {"modes": modes})
    assert (status, default["modes"]) == (200, modes)
    shown = client.get("/derp/2/dderc")
    assert (shown.DERControlBase.opModMaxLimW, shown.setGradW, shown.setESDelay) == (8000, 5000, 30_000)
    assert lab.admin("GET", "/programs")[1][0]["default_control"]["mRID"] == shown.mRID


def test_devices_with_masked_pins_and_what_they_put(lab, client):
    lab.now += 0.25
    client.get("/dcap")
    client.put("/edev/1/der/1/ders", r.DERStatus(alarmStatus=2, readingTime=5))
    (device,) = lab.admin("GET", "/end-devices")[1]
    assert (device["lfdi"], device["href"], device["pin"]) == (client.lfdi, "/edev/1", "******")
    assert device["last_seen"] == "2023-11-14T22:13:20.250Z"
    assert device["der"]["status"] == {"href": "/edev/1/der/1/ders", "alarmStatus": 2, "readingTime": 5}
    assert device["der"]["capability"] is None


def test_a_known_device_may_get_another_pin(lab, client):
    client.get("/dcap")
    assert lab.admin("POST", "/end-devices", {"lfdi": client.lfdi, "pin": "000019"})[0] == 200
    assert client.get("/edev/1/rg").pIN == 19


def test_the_request_log_masks_the_pin_and_is_bounded(lab, client):
    client.get("/edev/1/rg")
    client.ask("FOO", "/dcap")
    last, refused = lab.admin("GET", "/requests?limit=2")[1]
    assert (last["method"], last["path"], last["status"], last["lfdi"]) == (
        "GET",
        "/edev/1/rg",
        200,
        client.lfdi,
    )
    assert "111115" not in last["response_body"]
    assert "<pIN>******</pIN>" in last["response_body"]
    assert refused["status"] == 501
    for _ in range(6000):
        client.ask("GET", "/tm")
    assert len(lab.admin("GET", "/requests?limit=99999")[1]) == 5000
    assert len(lab.admin("GET", "/requests")[1]) == 100
    assert lab.admin("GET", "/requests?limit=x")[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "data", "text"),
    [
        ("POST", "/end-devices", {"lfdi": "12"}, "lfdi: an LFDI is 40"),
        ("POST", "/end-devices", {"lfdi": 12}, "lfdi"),
        ("POST", "/end-devices", {"lfdi": "0" * 40, "pin": 111116}, "check digit"),
        ("POST", "/end-devices", {}, "lfdi is missing (40 hex"),
        ("POST", "/end-devices", [], "[] is not an object"),
        ("POST", "/programs", {"description": "x", "primacy": 256}, "primacy"),
        ("POST", "/programs", {"description": 5, "primacy": 2}, "description"),
        ("POST", "/programs", {"description": "x"}, "primacy is missing"),
        ("POST", "/programs/2/controls", {**LIMIT, "modes": {}}, "modes"),
        ("POST", "/programs/2/controls", {**LIMIT, "modes": {"opModNone": 1}}, "opModNone"),
        ("POST", "/programs/2/controls", {**LIMIT, "modes": {"opModMaxLimW": 101}}, "opModMaxLimW"),
        ("POST", "/programs/2/controls", {**LIMIT, "modes": {"setGradW": 1}}, "default"),
        ("POST", "/programs/2/controls", {**LIMIT, "duration_s": 0}, "duration_s"),
        ("POST", "/programs/2/controls", {**LIMIT, "duration_s": None}, "duration_s"),
        ("POST", "/programs/2/controls", {**LIMIT, "start_in_s": "now"}, "start_in_s"),
        ("POST", "/programs/2/controls", {**LIMIT, "start_in_s": 1e300}, "start_in_s"),
        ("POST", "/programs/2/controls", {**LIMIT, "randomize_start_s": 1.5}, "randomize_start_s"),
        (
            "POST",
            "/programs/2/controls",
            {**LIMIT, "randomise": 1},
            "randomise is not known; did you mean randomize_start_s?",
        ),
        ("POST", "/programs/2/controls", {**LIMIT, "response_required": -1}, "response_required"),
        ("PUT", "/programs/2/default-control", {"modes": {"opModFixedVar": 3}}, "opModFixedVar"),
        ("PUT", "/poll-rates", {"tea": 5}, "tea"),
        ("PUT", "/poll-rates", {"derp": 0}, "derp"),
        ("PUT", "/poll-rates", {"dcap": 5, "derp": True}, "derp"),
        ("PUT", "/poll-rates", {}, "poll rates"),
    ],
)
def test_what_is_wrong_is_400_with_detail_and_hint_and_changes_nothing(lab, method, path, data, text):
    before = [lab.admin("GET", p) for p in ("/programs", "/end-devices", "/poll-rates")]
    status, problem = lab.admin(method, path, data)
    assert (status, problem["status"], problem["title"]) == (400, 400, "Bad Request")
    assert text in problem["detail"]
    assert problem["hint"]
    assert [lab.admin("GET", p) for p in ("/programs", "/end-devices", "/poll-rates")] == before


@pytest.mark.parametrize("number", ["0", "3", "x", "-1", "99999999999999999999", "%2e"])
def test_a_program_that_is_not_there_is_404(lab, number):
    assert lab.admin("POST", f"/programs/{number}/controls", LIMIT)[0] == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff", b'{"derp": NaN}', b'{"derp": 1e999}'])
def test_what_is_not_json_is_400(lab, body):
    fields = (("host", "localhost"), ("content-type", "application/json"))
    request = Request("PUT", "/api/utility/poll-rates", fields, body, None, "peer")
    response = lab.server.answer_admin(request)
    assert response.status == 400
    assert response.header("content-type") == "application/problem+json"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8444", "127.0.0.1.evil.example", "", None, "[::1"]
)
def test_a_foreign_host_is_refused(lab, host):
    status, problem = lab.admin("GET", "/programs", host=host)
    assert status == 421
    assert problem["hint"] == "Use localhost, an IP address, or the name of --admin_host."


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8444", "[::1]:8444", "LOCALHOST:1", "192.0.2.5"])
def test_localhost_and_addresses_are_taken(lab, host):
    assert lab.admin("GET", "/programs", host=host)[0] == 200


def test_a_foreign_page_cannot_write(lab):
    assert lab.admin("PUT", "/poll-rates", {"derp": 5}, origin="http://evil.example")[0] == 403
    assert lab.admin("PUT", "/poll-rates", {"derp": 5}, content_type="text/plain")[0] == 415
    assert lab.admin("PUT", "/poll-rates", {"derp": 5}, content_type=None)[0] == 415
    assert lab.admin("PUT", "/poll-rates", {"derp": 5}, origin="http://127.0.0.1:8444")[0] == 200


def test_a_foreign_page_cannot_fetch_but_may_link_here(lab):
    def asked(**of_browser):
        return lab.admin("GET", "/requests", sec_fetch_site="cross-site", **of_browser)[0]

    assert asked(sec_fetch_mode="no-cors", sec_fetch_dest="image") == 403
    assert asked(sec_fetch_mode="cors", sec_fetch_dest="empty") == 403
    assert asked(sec_fetch_mode="navigate", sec_fetch_dest="iframe") == 403
    assert asked(sec_fetch_mode="navigate", sec_fetch_dest="document") == 200
    assert lab.admin("GET", "/requests", origin="http://evil.example")[0] == 403


def test_the_name_of_admin_host_is_taken(make_lab):
    assert make_lab(admin_host="Lab-7").admin("GET", "/programs", host="lab-7:8444")[0] == 200


TOKEN = "not-to-be-guessed"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer guess"},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": f"dersim_token={TOKEN}"},
    ],
)
def test_without_its_token_no_address_answers_but_the_pages_files(make_lab, headers):
    lab = make_lab(admin_token=TOKEN)
    for route in api.ROUTES:
        path = route.path.removeprefix("/api/utility").replace("{", "").replace("}", "")
        status, problem = lab.admin(route.method, path, {}, **headers)
        assert (status, problem["type"]) == (401, "urn:dersim:problem:token-needed"), route.path
        assert "--admin_token" in problem["hint"]
    fields = (("host", "localhost"), *headers.items())
    for path, status in (("/openapi.json", 401), ("/nothing", 401), ("/", 200), ("/static/js/dom.js", 200)):
        response = lab.server.answer_admin(Request("GET", path, fields, b"", None, ""))
        assert response.status == status
        assert (response.header("www-authenticate") is None) == (status == 200)


def test_the_token_opens_all_and_is_told_nowhere(make_lab):
    lab = make_lab(admin_token=TOKEN)
    assert lab.admin("GET", "/server", authorization=f"Bearer {TOKEN}")[0] == 200
    assert lab.admin("PUT", "/poll-rates", {"derp": 5}, authorization=f"bearer {TOKEN}")[0] == 200
    assert lab.admin("GET", "/server", authorization="Bearer guess")[0] == 401
    everything = [
        lab.admin("GET", path, authorization=f"Bearer {TOKEN}") for path in ("/server", "/requests")
    ]
    assert TOKEN not in f"{everything} {lab.log.lines} {lab.server.config!r}"


def test_wrong_methods_and_paths(lab):
    status, problem = lab.admin("DELETE", "/programs")
    assert status == 405
    assert "GET, HEAD, POST" in problem["hint"]
    assert lab.admin("GET", "/nothing")[0] == 404
    status, problem = lab.admin("PUT", "/programs/2/controls", {})
    assert (status, problem["hint"]) == (405, "use GET, HEAD, POST")
    response = lab.server.answer_admin(Request("GET", "/nothing", (("host", "localhost"),), b"", None, ""))
    assert response.status == 404


def test_the_server_tells_which_it_is(make_lab):
    lab = make_lab(personality=Edition.E2023)
    lab.server.addresses = {"dashboard": "http://127.0.0.1:8080"}
    lab.client().get("/dcap")
    status, told = lab.admin("GET", "/server")
    assert status == 200
    assert (told["edition"], told["demo"], told["devices"]) == ("2023", False, 1)
    assert told["links"] == {"dashboard": "http://127.0.0.1:8080"}
    assert (told["url"], told["time"]) == ("https://127.0.0.1:8443", "2023-11-14T22:13:20.000Z")
    assert make_lab().admin("GET", "/server")[1]["edition"] is None
