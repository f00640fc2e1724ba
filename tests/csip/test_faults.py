"""The server is away, restarted, confused or rude: what was good stays, and the client comes back."""

import itertools

import pytest
import trio

from dersim.csip.tree import branch_retry_s
from dersim.http11 import Response
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r

HTML = (("content-type", "text/html"),)


async def test_a_server_that_is_away_is_tried_every_ten_seconds(autojump_clock, world):
    client = await world.ready()
    world.server.away = True
    world.begin()
    await trio.sleep(35)
    shown = client.snapshot()
    assert shown["state"] == "retrying"
    assert 0 < shown["retry_in_s"] <= 11
    assert "refused" in shown["last_error"]
    lines = world.logged("http://127.0.0.1:8443/dcap", "connection refused")
    assert len(lines) == 4
    world.server.away = False
    await trio.sleep(12)
    shown = client.snapshot()
    assert shown["state"] == "connected"
    assert shown["retry_in_s"] is None


async def test_controls_go_on_while_the_server_is_away_and_responses_are_kept(
    autojump_clock, world, make_control
):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 60, duration=60))
    world.begin()
    await trio.sleep(30)
    world.server.away = True
    world.server.hang_up()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "retrying"
    assert world.device.setpoints.value("opModMaxLimW") == 40
    assert len(client.snapshot()["active_controls"]) == 1
    await trio.sleep(60)
    assert world.device.setpoints.value("opModMaxLimW") == 90
    world.server.away = False
    await trio.sleep(40)
    codes = [body.split(b"<status>")[1][:1] for body in world.server.bodies("/rsp")]
    assert codes == [b"1", b"2", b"3"]
    # The reading of a minute is posted once, whatever happened around it.
    starts = [
        body.split(b"<start>")[1].split(b"<")[0]
        for path in set(world.server.paths("POST"))
        if path.startswith("/mup/")
        for body in world.server.bodies(path)
    ]
    assert len(starts) == len(set(starts)) >= 2


async def test_a_restarted_server_with_new_hrefs_and_the_same_mrids_gets_no_response_twice(
    autojump_clock, world, make_control, listing_of
):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 20, duration=300))
    world.begin()
    await trio.sleep(40)
    assert len(world.server.bodies("/rsp")) == 2
    puts = len(world.server.paths("PUT"))
    # Restarted: every path below the program has another name.
    moved = make_control(1, world.tree["/derp/1/derc/1"].interval.start, duration=300, href="/z/derc/1")
    for path in [p for p in world.tree if p.startswith(("/derp/1", "/mup/"))]:
        del world.tree[path]
    program = r.DERProgram(
        href="/z",
        mRID=f"{0xB1:032X}",
        primacy=5,
        DERControlListLink=r.ListLink(href="/z/derc", all=1),
    )
    world.tree.update({"/z": program, "/z/derc/1": moved})
    world.tree["/z/derc"] = listing_of(r.DERControlList, "/z/derc", moved)
    world.tree["/edev/1/fsa/1/derp"] = listing_of(
        r.DERProgramList, "/edev/1/fsa/1/derp", program, pollRate=10
    )
    world.server.hang_up()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    assert [c["mRID"] for c in client.snapshot()["active_controls"]] == [f"{1:032X}"]
    assert len(world.server.bodies("/rsp")) == 2
    assert len(world.server.paths("PUT")) >= puts


async def test_a_list_that_is_gone_is_looked_for_from_its_nearest_parent(autojump_clock, world):
    client = await world.start(for_s=5)
    puts = len(world.server.paths("PUT"))
    world.tree["/derp/1/derc/"] = world.tree.pop("/derp/1/derc")
    lists = len(world.server.times("/edev/1/fsa/1/derp"))
    await trio.sleep(8)
    assert len(world.logged("it existed before", "reading the DERProgramList /edev/1/fsa/1/derp again")) == 1
    assert len(world.server.times("/edev/1/fsa/1/derp")) == lists + 2
    await trio.sleep(25)
    # It is still not there: that is known now, and neither read as news nor a reason to walk.
    assert client.snapshot()["state"] == "connected"
    assert len(world.logged("it existed before")) == 1
    assert not world.logged("discovering again")
    assert len(world.server.paths("PUT")) == puts


async def test_a_document_is_read_again_once_however_many_of_its_links_are_gone(
    autojump_clock, world, listing_of
):
    client = await world.ready()
    numbers = range(2, 10)
    programs = [world.tree["/derp/1"]]
    for number in numbers:
        controls, default = f"/derp/{number}/derc", f"/derp/{number}/dderc"
        links = {
            "DERControlListLink": r.ListLink(href=controls),
            "DefaultDERControlLink": r.Link(href=default),
        }
        programs.append(r.DERProgram(href=f"/derp/{number}", mRID=f"{number:032X}", primacy=number, **links))
        world.tree[f"/derp/{number}"] = programs[-1]
        world.tree[controls] = listing_of(r.DERControlList, controls)
        base = r.DERControlBase(opModMaxLimW=100 * number)
        world.tree[default] = r.DefaultDERControl(href=default, mRID=f"{number:031X}D", DERControlBase=base)
    path = "/edev/1/fsa/1/derp"
    world.tree[path] = listing_of(r.DERProgramList, path, *programs, pollRate=60)
    world.begin()
    await trio.sleep(5)
    before = len(world.server.times(path))
    for number in numbers:
        for part in ("derc", "dderc"):
            world.server.answers["GET", f"/derp/{number}/{part}"] = [Response(410)]
    while not world.logged("it existed before", "reading the DERProgramList"):  # noqa: ASYNC110 - of a log
        await trio.sleep(1)
    await trio.sleep(5)
    # The poll, the reading for the first link that is gone, and no more until what fails is tried again.
    assert len(world.server.times(path)) == before + 2
    assert client.snapshot()["state"] == "retrying"
    await trio.sleep(30)
    assert len(world.server.times(path)) == before + 3
    assert len(world.logged("it existed before", "reading the DERProgramList")) == 1
    assert all(len(world.server.times(f"/derp/{number}/derc")) == 3 for number in numbers)
    assert client.snapshot()["state"] == "connected"


async def test_what_could_not_be_read_is_read_again_at_another_time_by_each_der(autojump_clock, world):
    client = await world.start(for_s=5)
    path = "/edev/1/fsa"
    world.server.answers["GET", path] = [Response(200, HTML, b"<html")] * 3
    await trio.sleep(90)
    *_, first_s, second_s, third_s = world.server.times(path)[-4:-1]
    pause_s = branch_retry_s(client.snapshot()["lfdi"])
    assert [second_s - first_s, third_s - second_s] == pytest.approx([pause_s, pause_s], abs=0.1)


def test_the_pauses_of_a_fleet_are_spread_below_half_a_minute():
    pauses_s = sorted(
        branch_retry_s(f"{number * 0x41C64E6D % 2**32:08X}" + 32 * "0") for number in range(1000)
    )
    assert 21 <= pauses_s[0] < 21.1
    assert 29.9 < pauses_s[-1] <= 30
    assert max(late - early for early, late in itertools.pairwise(pauses_s)) < 0.1


async def test_a_list_that_has_moved_is_found_from_its_parent(
    autojump_clock, world, listing_of, make_control
):
    client = await world.start(for_s=5)
    walks = len(world.server.times("/dcap"))
    del world.tree["/derp/1/derc"]
    item = make_control(1, world.server.now() - 5, duration=600, href="/moved/1")
    world.tree["/moved"] = listing_of(r.DERControlList, "/moved", item)
    world.tree["/derp/1"].DERControlListLink.href = "/moved"
    await trio.sleep(25)
    assert [each["mRID"] for each in client.snapshot()["active_controls"]] == [f"{1:032X}"]
    assert len(world.server.times("/dcap")) == walks


@pytest.mark.parametrize(
    ("path", "parent"),
    [
        ("/edev/1/fsa/1/derp", "/edev/1/fsa"),
        ("/edev/1/fsa", "/edev/1"),
        ("/edev/1/der", "/edev/1"),
        ("/edev/1/rg", "/edev/1"),
        ("/edev", "/dcap"),
    ],
)
async def test_a_410_is_answered_by_a_look_at_the_document_above(autojump_clock, world, path, parent):
    client = await world.start(for_s=5)
    puts = len(world.server.paths("PUT"))
    before = world.tree[path]
    world.server.answers["GET", path] = [Response(410)]
    before_s = world.clock.now_s()
    await trio.sleep(905 if path == "/edev/1/rg" else 15)
    times = [each for each in world.server.times(path) if each > before_s]
    assert [each for each in world.server.times(parent) if times[0] <= each <= times[0] + 1]
    assert times[1] - times[0] < 1
    assert world.tree[path] is before
    assert client.snapshot()["state"] == "connected"
    assert world.device.setpoints.value("opModMaxLimW") == 90
    assert len(world.server.paths("PUT")) == puts


async def test_our_end_device_that_is_removed_from_a_long_list_is_missed(autojump_clock, world, listing_of):
    """A long list is not polled; that our EndDevice itself is gone makes us read it again."""
    client = await world.ready()
    others = [
        r.EndDevice(href=f"/edev/{number}", lFDI=f"{number:040X}", sFDI=1, changedTime=1)
        for number in range(1000, 1300)
    ]
    ours = world.tree["/edev/1"]
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", *others, ours, pollRate=10)
    world.begin()
    await trio.sleep(5)
    assert client.snapshot()["state"] == "connected"
    del world.tree["/edev/1"]
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", *others, pollRate=10)
    world.server.answers["POST", "/edev"] = Response(403)
    await trio.sleep(20)
    assert client.snapshot()["state"] == "retrying"
    assert "does not have our LFDI" in client.snapshot()["last_error"]


async def test_a_device_capability_that_is_gone_is_a_whole_new_discovery(autojump_clock, world):
    client = await world.start(for_s=5)
    puts = len(world.server.paths("PUT"))
    world.server.answers["GET", "/dcap"] = [Response(404)]
    await trio.sleep(45)
    assert world.logged("/dcap", "discovering again")
    assert len(world.server.paths("PUT")) >= 2 * puts
    assert client.snapshot()["state"] == "connected"


async def test_our_end_device_is_removed_and_comes_back(autojump_clock, world, listing_of):
    client = await world.start(for_s=5)
    listed = world.tree["/edev"]
    world.tree["/edev"] = listing_of(r.EndDeviceList, "/edev", pollRate=10)
    world.server.answers["POST", "/edev"] = Response(403)
    await trio.sleep(20)
    assert client.snapshot()["state"] == "retrying"
    # What held goes on holding.
    assert world.device.setpoints.value("opModMaxLimW") == 90
    world.tree["/edev"] = listed
    await trio.sleep(25)
    assert client.snapshot()["state"] == "connected"


@pytest.mark.parametrize("value", ["30", "3600", "Sun, 06 Nov 2999 08:49:37 GMT"])
async def test_retry_after_is_obeyed_up_to_300_s(autojump_clock, world, value):
    client = await world.ready()
    world.server.answers["GET", "/dcap"] = Response(503, (("retry-after", value),))
    world.begin()
    await trio.sleep(700)
    wait_s = 30 if value == "30" else 300
    found = [b - a for a, b in itertools.pairwise(world.server.times("/dcap"))]
    assert found
    assert all(each == pytest.approx(wait_s, abs=0.5) for each in found)
    assert client.snapshot()["state"] == "retrying"


async def test_retry_after_in_mid_round_silences_the_client_and_then_it_goes_on(autojump_clock, world):
    client = await world.start(for_s=15)
    world.server.answers["GET", "/edev/1/fsa"] = [Response(429, (("retry-after", "60"),))]
    await trio.sleep(12)
    quiet_since = world.server.times("/edev/1/fsa")[-1]
    assert client.snapshot()["state"] == "retrying"
    await trio.sleep(100)
    later = [each.at_s for each in world.server.seen if each.at_s > quiet_since]
    assert later[0] - quiet_since == pytest.approx(60, abs=1)
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.times("/dcap")) <= 4


async def test_a_retry_after_silences_all_items_that_are_due_together(autojump_clock, world):
    await world.start(for_s=5)
    busy = Response(503, (("retry-after", "60"),))
    for path in ("/edev", "/edev/1/fsa", "/edev/1/fsa/1/derp", "/edev/1/der"):
        world.tree[path] = busy
    before = len(world.server.seen)
    await trio.sleep(40)
    assert len(world.server.seen) == before + 1


BROKEN = {
    "/derp/1/derc": (b"<interval>", b"<interval><start>soon</start>"),
    "/edev/1/fsa": (f"<mRID>{0xA1:032X}</mRID>".encode(), b""),
    "/edev/1/fsa/1/derp": (b"<primacy>5</primacy>", b"<primacy>high</primacy>"),
}


@pytest.mark.parametrize("path", BROKEN)
async def test_an_item_that_cannot_be_read_is_not_an_item_that_is_gone(
    autojump_clock, world, make_control, path
):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 3, duration=300))
    world.begin()
    await trio.sleep(15)
    good = world.tree[path]
    world.tree[path] = encode(good, Edition.E2018).replace(*BROKEN[path])
    await trio.sleep(30)
    assert world.logged(path, "not valid")
    assert world.device.setpoints.value("opModMaxLimW") == 40
    assert "1 item(s) could not be read" in client.found().unreadable[path]
    world.tree[path] = good
    await trio.sleep(15)
    assert not client.found().unreadable
    assert [body.split(b"<status>")[1][:1] for body in world.server.bodies("/rsp")] == [b"1", b"2"]


async def test_a_control_that_seems_over_waits_until_the_clock_is_sampled(
    autojump_clock, world, make_control
):
    await world.ready()
    right_s = world.server.offset_s
    world.server.offset_s = right_s + 3600
    world.begin()
    await trio.sleep(80)  # the clock is known well: the next regular sample is 15 minutes away
    world.server.offset_s = right_s
    world.add_control(make_control(1, world.server.now() + 30, duration=60))
    await trio.sleep(60)
    assert world.device.setpoints.value("opModMaxLimW") == 40
    assert [body.split(b"<status>")[1][:1] for body in world.server.bodies("/rsp")] == [b"1", b"2"]


async def test_redirects_to_many_servers_leave_few_connections_open(autojump_clock, world):
    client = await world.ready()
    numbers = itertools.count()
    world.tree["/derp/1/derc"] = lambda request: Response(
        302, (("location", f"http://host{next(numbers)}.test/derp/1/list"),)
    )
    world.tree["/derp/1/list"] = encode(
        r.DERControlList(href="/derp/1/derc", all=0, results=0), Edition.E2018
    )
    world.begin()
    await trio.sleep(200)
    assert next(numbers) > 10
    assert len(client.lifecycle.session._connections) == 4
    assert client.lifecycle.session.origin in client.lifecycle.session._connections


async def test_a_response_survives_a_redirect_loop(autojump_clock, world, make_control):
    await world.ready()
    world.server.answers["POST", "/rsp"] = [Response(302, (("location", "/rsp"),))] * 4
    world.add_control(make_control(1, world.server.now() + 3, duration=300))
    world.begin()
    await trio.sleep(60)
    assert world.logged("redirected in a loop")
    codes = [body.split(b"<status>")[1][:1] for body in world.server.bodies("/rsp")[4:]]
    assert codes == [b"1", b"2"]


async def test_errors_in_mid_round_keep_the_last_good_state(autojump_clock, world, make_control):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 3, duration=3000))
    world.begin()
    await trio.sleep(20)
    good = dict(world.tree)
    for path in ("/dcap", "/edev", "/edev/1/fsa", "/edev/1/fsa/1/derp", "/derp/1/derc", "/derp/1/dderc"):
        world.tree[path] = Response(500, HTML, b"<html>oops</html>")
    await trio.sleep(200)
    shown = client.snapshot()
    assert shown["state"] == "retrying"
    assert "500" in shown["last_error"]
    assert [p["href"] for p in shown["programs"]] == ["/derp/1"]
    assert world.device.setpoints.value("opModMaxLimW") == 40
    world.tree.update(good)
    await trio.sleep(120)
    shown = client.snapshot()
    assert shown["state"] == "connected"
    assert shown["last_error"] is None
    assert len(world.server.bodies("/rsp")) == 2


@pytest.mark.parametrize(
    "body", [b"", b"<", b"\x00" * 100, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", b"{}"]
)
async def test_rubbish_in_mid_round_is_one_line_and_no_more(autojump_clock, world, body):
    client = await world.start(for_s=5)
    world.tree["/derp/1/derc"] = Response(200, (("content-type", "application/sep+xml"),), body)
    await trio.sleep(65)
    assert world.device.setpoints.value("opModMaxLimW") == 90
    assert client.snapshot()["state"] == "retrying"
    assert "/derp/1/derc" in client.snapshot()["last_error"]
    assert len(world.logged("/derp/1/derc?", "going on")) == 1
    assert "Traceback" not in world.stream.getvalue()


async def test_a_hang_up_in_mid_request_is_survived(autojump_clock, world):
    client = await world.ready()

    async def hang_up(request):
        world.server.hang_up()
        await trio.sleep_forever()

    world.server.answers["GET", "/edev/1/fsa"] = [hang_up, hang_up]
    world.begin()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    assert [p["href"] for p in client.snapshot()["programs"]] == ["/derp/1"]


async def test_a_silent_link_costs_time_but_not_the_rest(autojump_clock, world):
    client = await world.ready()

    async def silent(request):
        await trio.sleep_forever()

    world.server.answers["GET", "/edev/1/lel"] = silent
    world.begin()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    assert world.logged("LogEventList", "silent")


async def test_a_silent_list_is_told_while_the_next_one_is_silent_too(autojump_clock, world):
    async def silent(request):
        await trio.sleep_forever()

    client = await world.start(for_s=5)
    for path in ("/derp/1/dderc", "/derp/1/derc"):
        world.server.answers["GET", path] = silent
    began_s = trio.current_time()
    while client.snapshot()["state"] == "connected":
        await trio.sleep(1)
        assert trio.current_time() - began_s < 23  # the next poll, and 10 s of silence
    assert "silent" in client.snapshot()["troubles"][0]["error"]


async def test_an_html_400_after_tls_is_told_as_what_it_is(autojump_clock, world, tls_world):
    client = await tls_world.start(for_s=0)
    world.server.answers["GET", "/dcap"] = Response(
        400, HTML, b"<html>400 No required SSL certificate</html>"
    )
    await trio.sleep(3)
    assert client.snapshot()["state"] == "retrying"
    assert "client certificate" in client.snapshot()["last_error"]


async def test_a_2018_server_that_complains_of_schema_ver_gets_the_hint_into_the_log(autojump_clock, world):
    await world.ready()
    world.server.answers["PUT", "/edev/1/der/1/ders"] = Response(
        400, (("content-type", "text/plain"),), b"attribute 'schemaVer' is not allowed"
    )
    world.begin()
    await trio.sleep(60)
    assert world.logged("--csip-2018-compat")
    # A body that was refused is not sent again unchanged.
    assert len(world.server.bodies("/edev/1/der/1/ders", "PUT")) == 1


async def test_on_demand_the_server_is_walked_at_once(autojump_clock, world):
    client = await world.start(for_s=3)
    puts = len(world.server.paths("PUT"))
    client.rediscover()
    await trio.sleep(1)
    assert len(world.server.times("/dcap")) == 2
    assert len(world.server.paths("PUT")) == 2 * puts
    assert world.server.connections == 2
    assert client.snapshot()["state"] == "connected"


async def test_on_demand_also_while_waiting(autojump_clock, world):
    client = await world.ready()
    world.server.away = True
    world.begin()
    await trio.sleep(3)
    world.server.away = False
    client.rediscover()
    await trio.sleep(1)
    assert client.snapshot()["state"] == "connected"


async def test_violations_are_used_counted_and_told_but_refused_when_strict(autojump_clock, world):
    wrong_order = (
        b'<DefaultDERControl xmlns="urn:ieee:std:2030.5:ns"><DERControlBase><opModMaxLimW>5000</opModMaxLimW>'
        b"</DERControlBase><mRID>00</mRID></DefaultDERControl>"
    )
    client = await world.ready()
    world.tree["/derp/1/dderc"] = wrong_order
    world.begin()
    await trio.sleep(2)
    assert world.device.setpoints.value("opModMaxLimW") == 50
    assert client.snapshot()["counters"]["violations"] >= 1
    assert world.logged("/derp/1/dderc", "not valid")


async def test_strict_refuses_them(autojump_clock, world):
    client = await world.ready("--strict")
    world.tree["/derp/1/dderc"] = (
        b'<DefaultDERControl xmlns="urn:ieee:std:2030.5:ns"><DERControlBase><opModMaxLimW>5000</opModMaxLimW>'
        b"</DERControlBase><mRID>00</mRID></DefaultDERControl>"
    )
    world.begin()
    await trio.sleep(2)
    assert world.device.setpoints.value("opModMaxLimW") is None
    assert client.snapshot()["state"] == "connected"


async def test_the_certificates_of_the_seed_may_come_later(autojump_clock, world, certificates, tmp_path):
    client = world.make("--csip_enc", "yes")
    await client.bind()
    world.server.use_tls(certificates)
    world.begin()
    await trio.sleep(15)
    shown = client.snapshot()
    assert shown["state"] == "retrying"
    assert "cert.pem" in shown["last_error"]
    assert shown["lfdi"] is None
    for name, source in (("cert", "cert.pem"), ("key", "key.pem"), ("root", "cert_root.pem")):
        (tmp_path / f"{name}.pem").write_bytes((certificates / source).read_bytes())
    await trio.sleep(12)
    assert client.snapshot()["lfdi"] is not None


async def test_swapped_certificates_are_another_identity(autojump_clock, world, tls_world, certificates):
    client = await tls_world.start(for_s=3)
    first = client.snapshot()
    assert first["state"] == "connected"
    (tls_world.folder / "cert.pem").write_bytes((certificates / "cert_2.pem").read_bytes())
    (tls_world.folder / "key.pem").write_bytes((certificates / "key_2.pem").read_bytes())
    await trio.sleep(60)
    assert client.snapshot()["lfdi"] == first["lfdi"]  # never between
    world.server.answers["POST", "/edev"] = Response(403)
    client.rediscover()
    await trio.sleep(3)
    second = client.snapshot()
    assert second["lfdi"] != first["lfdi"]
    assert second["state"] == "retrying"
    assert second["lfdi"] in second["last_error"]


async def test_a_server_of_another_ca_is_told_by_phase_and_reason(autojump_clock, world, tls_world, tmp_path):
    from dersim import pki

    other = pki.create(tmp_path / "other", 1)
    (tls_world.folder / "cert_root.pem").write_bytes((other / "cert_root.pem").read_bytes())
    client = await tls_world.start(for_s=3)
    assert client.snapshot()["state"] == "retrying"
    assert "tls" in client.snapshot()["last_error"]
    assert world.logged("https://127.0.0.1:8443/dcap")


async def test_a_control_whose_mrid_is_no_mrid_harms_nobody(autojump_clock, world, make_control):
    """Text mRIDs occur; such a control cannot be answered, the next one is."""
    client = await world.ready()

    good, odd = make_control(1, world.server.now() + 20), make_control(2, world.server.now() + 200)
    both = r.DERControlList(href="/derp/1/derc", all=2, results=2, DERControl=(odd, good))
    text = encode(both, Edition.E2018).replace(f"{2:032X}".encode(), b"hello world")
    world.tree["/derp/1/derc"] = text
    world.begin()
    await trio.sleep(60)
    assert client.snapshot()["state"] == "connected"
    subjects = {body.split(b"<subject>")[1].split(b"<")[0] for body in world.server.bodies("/rsp")}
    assert f"{1:032X}".encode() in subjects


async def test_a_reply_to_that_is_no_link_is_given_up(autojump_clock, world, make_control):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 5, replyTo="ftp://elsewhere/rsp"))
    world.begin()
    await trio.sleep(30)
    assert client.snapshot()["state"] == "connected"
    assert world.device.setpoints.value("opModMaxLimW") == 40


def _answers(world, path):
    return [
        (int(each.subject, 16), each.status)
        for body in world.server.bodies(path)
        for each in [decode(body, r.DERControlResponse).resource]
    ]


async def test_a_response_goes_to_the_reply_to_that_the_control_has_after_a_restart(
    autojump_clock, world, make_control, listing_of
):
    await world.ready()
    world.add_control(make_control(1, world.server.now() + 20, duration=60))
    world.begin()
    await trio.sleep(10)
    assert _answers(world, "/rsp") == [(1, 1)]
    # While it starts, the server is away; it comes back with another address for Responses.
    start = world.tree["/derp/1/derc/1"].interval.start
    moved = make_control(1, start, duration=60, replyTo="/rsps/2")
    world.tree["/derp/1/derc/1"] = world.tree["/rsps/2"] = moved
    world.tree["/derp/1/derc"] = listing_of(r.DERControlList, "/derp/1/derc", moved)
    world.server.answers["POST", "/rsp"] = Response(404)
    world.server.away = True
    world.server.hang_up()
    await trio.sleep(45)
    world.server.away = False
    await trio.sleep(60)
    assert _answers(world, "/rsps/2") == [(1, 2), (1, 3)]


async def test_a_reply_to_that_is_gone_means_a_new_walk_before_the_response_is_given_up(
    autojump_clock, world, make_control, listing_of
):
    await world.ready(poll=900)
    world.add_control(make_control(1, world.server.now() + 20, duration=60))
    world.begin()
    await trio.sleep(10)
    walks = len(world.server.times("/dcap"))
    moved = make_control(1, world.tree["/derp/1/derc/1"].interval.start, duration=60, replyTo="/rsps/2")
    world.tree["/derp/1/derc"] = listing_of(r.DERControlList, "/derp/1/derc", moved)
    world.server.answers["GET", "/derp/1/derc/1"] = Response(500)  # the list alone tells
    world.server.answers["POST", "/rsp"] = Response(404)
    world.tree["/rsps/2"] = moved
    await trio.sleep(20)
    assert world.logged("Responses were accepted before", "discovering again")
    assert len(world.server.times("/dcap")) == walks + 1
    assert _answers(world, "/rsps/2") == [(1, 2)]


async def test_a_reply_to_that_never_was_is_given_up_without_a_walk(autojump_clock, world, make_control):
    await world.ready()
    world.add_control(make_control(1, world.server.now() + 20, duration=60))
    world.server.answers["POST", "/rsp"] = Response(404)
    world.begin()
    await trio.sleep(25)
    assert _answers(world, "/rsp") == [(1, 1), (1, 2)]
    assert len(world.server.times("/dcap")) == 1


async def test_a_retry_after_to_a_response_silences_the_client(autojump_clock, world, make_control):
    await world.ready()
    world.add_control(make_control(1, world.server.now() + 20, duration=60))
    world.server.answers["POST", "/rsp"] = [Response(503, (("retry-after", "40"),))]
    world.begin()
    await trio.sleep(60)
    first, second = world.server.times("/rsp", "POST")[:2]
    assert second - first >= 40
    assert not [each for each in world.server.seen if first + 1 < each.at_s < first + 40]
    assert _answers(world, "/rsp") == [(1, 1), (1, 1), (1, 2)]


async def test_a_put_to_a_place_that_is_gone_means_a_new_walk(autojump_clock, world):
    client = await world.start(for_s=5)
    world.server.answers["PUT", "/edev/1/der/1/ders"] = [Response(404)]
    world.device.command("stop")
    await trio.sleep(20)
    assert world.logged("/edev/1/der/1/ders", "discovering again")
    assert len(world.server.times("/dcap")) == 2
    assert client.snapshot()["state"] == "connected"
    assert b"<value>4</value>" not in world.server.bodies("/edev/1/der/1/ders", "PUT")[-1]


@pytest.mark.parametrize("path", ["/edev/1/fsa", "/edev/1/fsa/1/derp"])
async def test_a_list_that_is_linked_but_not_found_ends_no_running_control(
    autojump_clock, world, make_control, path
):
    client = await world.ready()
    world.add_control(make_control(1, world.server.now() + 5, duration=600))
    world.begin()
    await trio.sleep(20)
    lost = world.tree.pop(path)  # half started: links to it, and does not have it
    await trio.sleep(90)
    assert world.logged(path, "404")
    assert world.device.setpoints.value("opModMaxLimW") == 40
    assert _answers(world, "/rsp") == [(1, 1), (1, 2)]
    world.tree[path] = lost
    await trio.sleep(60)
    assert [each["mRID"] for each in client.snapshot()["active_controls"]] == [f"{1:032X}"]
    assert _answers(world, "/rsp") == [(1, 1), (1, 2)]


async def test_an_unreadable_item_is_told_and_the_server_is_not_called_a_liar(
    autojump_clock, world, make_control, listing_of
):
    """Four controls, one without a readable creationTime: three are held, `all` is four and true."""
    await world.ready()
    items = [make_control(number, world.server.now() + 100 * number) for number in (1, 2, 3, 4)]
    text = encode(listing_of(r.DERControlList, "/derp/1/derc", *items), Edition.E2023)
    broken = text.replace(f"<creationTime>{items[2].creationTime}".encode(), b"<creationTime>yesterday")
    world.tree["/derp/1/derc"] = broken
    world.begin()
    await trio.sleep(5)
    assert len(world.client.explain()) == 3
    assert world.logged("creationTime", f"{3:032X}", "left out")
    assert not world.logged("not true")
    assert not world.logged("repeats itself")


async def test_everything_that_is_left_out_is_told_whatever_else_is_wrong(
    autojump_clock, world, make_control, listing_of
):
    await world.ready()
    items = [make_control(number, world.server.now() + 100 * number) for number in range(1, 9)]
    text = encode(listing_of(r.DERControlList, "/derp/1/derc", *items), Edition.E2023)
    world.tree["/derp/1/derc"] = text.replace(b"<opModMaxLimW>4000", b"<opModMaxLimW>lots")
    world.begin()
    await trio.sleep(3)
    assert all(world.logged(f"{number:032X}", "opModMaxLimW", "left out") for number in range(1, 9))


async def test_an_end_device_with_an_unreadable_member_is_still_ours(autojump_clock, world):
    client = await world.ready()
    for path in ("/edev", "/edev/1"):
        text = encode(world.tree[path], Edition.E2023)
        world.tree[path] = text.replace(b"<sFDI>", b"<enabled>True</enabled><sFDI>")
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "connected"
    assert "/edev" not in world.server.paths("POST")
    assert world.logged("enabled", "left out")


async def test_a_response_is_posted_at_once_when_the_server_answers_again_after_500s(
    autojump_clock, world, make_control
):
    await world.ready()
    world.add_control(make_control(1, world.server.now() + 20, duration=600))
    world.add_control(make_control(2, world.server.now() + 700, duration=60))
    world.begin()
    await trio.sleep(10)
    world.server.failing = 500
    await trio.sleep(300)
    world.server.failing = None
    back_s = world.clock.now_s()
    await trio.sleep(60)
    first_s = next(each.at_s for each in world.server.seen if each.at_s >= back_s)
    posted_s = next(each for each in world.server.times("/rsp", "POST") if each >= back_s)
    assert posted_s - first_s <= 1.0


async def test_what_fails_now_is_listed_as_troubles_with_since(autojump_clock, world):
    client = await world.start(for_s=5)
    assert client.snapshot()["troubles"] == []
    world.tree["/edev/1/fsa"] = Response(500)
    await trio.sleep(100)
    troubles = client.snapshot()["troubles"]
    assert [each["what"] for each in troubles] == ["links"]
    assert "/edev/1/fsa" in troubles[0]["error"]
    assert troubles[0]["since"] < "2027-01-15T08:00:20"


@pytest.mark.parametrize("path", ["/edev/1", "/edev/1/fsa/1", "/derp/1", "/edev/1/lel"])
async def test_a_link_that_failed_in_one_walk_is_read_again_while_its_list_is_unchanged(
    autojump_clock, world, path
):
    client = await world.start(for_s=15)
    good = world.tree[path]
    world.tree[path] = Response(500)
    client.rediscover()
    await trio.sleep(15)
    assert client.snapshot()["state"] == "retrying"
    world.tree[path] = good
    await trio.sleep(40)
    assert client.snapshot()["state"] == "connected"
    assert client.snapshot()["troubles"] == []


async def test_log_events_are_posted_to_a_list_that_could_not_be_read_at_first(autojump_clock, world):
    await world.ready()
    good = world.tree["/edev/1/lel"]
    world.tree["/edev/1/lel"] = Response(500)
    world.begin()
    await trio.sleep(5)
    world.device.inputs.set(voltage_pu=(1.18, 1.18, 1.18))
    await trio.sleep(60)
    assert not world.server.bodies("/edev/1/lel")
    world.tree["/edev/1/lel"] = good
    await trio.sleep(40)
    assert world.server.bodies("/edev/1/lel")
