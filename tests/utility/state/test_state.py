"""A server that goes on from its state file answers as the one before."""

import json
import sqlite3

import pytest
import trio
from tests.utility.conftest import T

from dersim.errors import ConfigError
from dersim.http11 import Request
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.edition import Edition
from dersim.modes import modes_from_json
from dersim.utility import grouping
from dersim.utility.program import CANCELLED
from dersim.utility.programs import ControlOrder

LIMIT = {"opModMaxLimW": 50.0}
MRID = "0123456789ABCDEF0123456700009F1C"


def reading(number, value, *, typed=False, sets=()):
    kind = r.ReadingType(commodity=1, powerOfTenMultiplier=0, uom=38) if typed else None
    return r.MirrorMeterReading(
        mRID=f"{number:032X}",
        description=f"quantity {number}" if typed else None,
        ReadingType=kind,
        Reading=r.Reading(
            value=value, qualityFlags=1, timePeriod=r.DateTimeInterval(start=T_INT, duration=0)
        ),
        MirrorReadingSet=sets,
    )


T_INT = int(T)


def mirror_of(client, *readings):
    return r.MirrorUsagePoint(
        mRID=MRID,
        roleFlags=0x49,
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=client.lfdi,
        MirrorMeterReading=readings,
    )


def event(number):
    return r.LogEvent(
        createdDateTime=T_INT + number,
        functionSet=11,
        logEventCode=2,
        logEventID=number,
        logEventPEN=40732,
        profileID=2,
    )


def answer_to(mrid, client, status):
    return r.DERControlResponse(createdDateTime=T_INT, endDeviceLFDI=client.lfdi, status=status, subject=mrid)


async def a_day(lab):
    """All kinds of things happen to two devices; the clients."""
    first, second = lab.client(), lab.client(b"certificate of the second", Edition.E2023)
    head_end = lab.head_end
    for client in (first, second):
        client.get("/dcap")
    feeder = grouping.create(head_end, "feeder 7", "feeder")
    grouping.move(head_end, first.lfdi, feeder)
    program = grouping.program_of(head_end, feeder)
    curve = {"opModVoltVar": {"curve": [[92, 44], [98, 0], [102, 0], [108, -44]], "open_loop_s": 5}}
    head_end.publish(program, ControlOrder(modes_from_json(curve), T_INT + 60, 600))
    running = head_end.publish(program, ControlOrder(LIMIT, T_INT - 5, 500, randomize_start_s=30))
    cancelled = head_end.publish(program, ControlOrder({"opModFixedW": 10.0}, T_INT + 50, 500))
    head_end.cancel(cancelled, CANCELLED)
    assert second.put("/edev/2/der/1/ders", r.DERStatus(readingTime=5, alarmStatus=3)).status == 204
    assert first.put("/edev/1/der/1/dercap", capability()).status == 204
    for number in range(105):
        assert first.post("/edev/1/lel", event(number)).status == 201
    for each in (1, 2):
        assert first.post("/rsps/1/rsp", answer_to(running.mrid, first, each)).status == 201
    assert (
        first.post("/mup", mirror_of(first, reading(1, 5, typed=True), reading(2, 6, typed=True))).status
        == 201
    )
    many = r.MirrorMeterReadingList(all=2, results=2, MirrorMeterReading=(reading(1, 7), reading(2, 8)))
    assert first.post("/mup/1", many).status == 204
    assert first.post("/mup/1", reading(3, 9, typed=True)).status == 201
    head_end.set_poll_rates({"derp": 7})
    lab.server.state.collect()
    return first, second


def capability():
    watts = r.ActivePower(multiplier=0, value=5000)
    return r.DERCapability(modesSupported=0, rtgMaxW=watts, type=83)


PATHS = (
    "/dcap", "/edev", "/edev/1", "/edev/2", "/edev/1/rg", "/edev/1/fsa", "/edev/1/fsa/2", "/edev/1/lel",
    "/edev/1/der/1/dercap", "/edev/2/der/1/ders", "/derp", "/fsa/2/derp", "/derp/1", "/derp/2", "/derp/3",
    "/derp/1/dderc", "/derp/3/derc", "/derp/3/actderc", "/derp/3/dc", "/rsps/1/rsp", "/mup", "/mup/1",
    "/upt/1/mr", "/upt/1/mr/1/r", "/upt/1/mr/2/r", "/upt/1/mr/3/r", "/upt/1/mr/3/rt",
)  # fmt: skip


def everything(lab, certificates):
    """All documents of the clients, and what the operator sees."""
    shown = {}
    for certificate in certificates:
        client = lab.client(certificate)
        for path in PATHS:
            got = client.ask("GET", f"{path}?l=255")
            shown[certificate, path] = (got.status, got.body)
    for path in (
        "/programs",
        "/controls",
        "/groups",
        "/end-devices",
        "/responses",
        "/log-events",
        "/poll-rates",
    ):
        shown[path] = lab.admin("GET", path)
    for device in shown["/end-devices"][1]:
        for name in ("last_seen", "violations"):
            device.pop(name, None)
    return shown


async def test_a_restarted_server_answers_everything_as_before(runs):
    async with runs.run() as lab:
        first, second = await a_day(lab)
        certificates = [first.certificate, second.certificate]
        before = everything(lab, certificates)
    assert before[first.certificate, "/fsa/2/derp"][0] == 200
    assert before[first.certificate, "/edev/1/lel"][0] == 200
    async with runs.run() as lab:
        after = everything(lab, certificates)
        for key, shown in before.items():
            assert after[key] == shown, key
        [line] = [line for line in lab.log.lines if "goes on" in line]
        assert line.endswith(
            "2 EndDevices with 107 documents, 2 groups, 3 programs with 3 controls, 0 Subscriptions"
        )
    async with runs.run() as lab:  # and nothing is lost by the second restart
        assert everything(lab, certificates) == after


async def test_controls_go_on_at_their_times_and_no_number_is_used_twice(runs):
    async with runs.run() as lab:
        head_end = lab.head_end
        program = head_end.programs.get(2)
        head_end.publish(program, ControlOrder(LIMIT, T_INT + 100, 50))
        gone = head_end.publish(program, ControlOrder(LIMIT, T_INT + 300, 50))
        lab.server.state.collect()
        head_end.withdraw(gone)
        lab.client().get("/dcap")
        lab.head_end.remove_device(head_end.end_devices.get(1))
        extra = head_end.create_program("extra", 9)
        lab.server.state.collect()
        head_end.remove_program(extra)
        lab.server.state.collect()
    async with runs.run() as lab:
        head_end = lab.head_end
        [control] = head_end.programs.get(2).controls.values()
        lab.now = T + 101
        head_end.advance()
        assert control.status == 1
        lab.now = T + 151
        head_end.advance()
        assert control.status == 5
        again = head_end.publish(head_end.programs.get(2), ControlOrder(LIMIT, T_INT + 400, 50))
        assert (again.number, again.id) == (3, 3)
        assert head_end.create_program("later", 9).number == 4
        client = lab.client()
        assert head_end.programs.has_published(gone.mrid)
        assert client.ask("GET", "/edev/1").status == 404  # removed: not registered at contact again
        device, _ = head_end.provision(client.lfdi, None)
        assert device.number == 2


async def test_a_request_is_answered_only_when_it_is_committed(runs, monkeypatch):
    async with runs.run() as lab:
        state, store = lab.server.state, lab.server.state._store
        held = trio.Event()
        write, wrote = store.write, []

        def slow(batch):
            trio.from_thread.run(held.wait)
            write(batch)
            wrote.append(batch.number)

        monkeypatch.setattr(store, "write", slow)
        answered = []

        async def ask(method, target):
            peer = "127.0.0.1:40000"
            headers = (("host", "127.0.0.1"),)
            certificate = b"certificate of the first"
            answer = await lab.server.handle(Request(method, target, headers, b"", certificate, peer))
            answered.append(answer.status)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, "GET", "/dcap")  # the first contact registers the device
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert answered == []
            held.set()
        assert answered == [200]
        assert wrote
        assert state._committed == lab.head_end.journal.number
        with trio.fail_after(1):
            await ask("GET", "/tm")  # changes nothing, waits for nothing


async def test_what_was_not_committed_is_answered_503_and_goes_with_the_next_commit(runs, monkeypatch):
    async with runs.run() as lab:
        store = lab.server.state._store
        write, full = store.write, True

        def refuse(batch):
            if full:
                raise sqlite3.OperationalError("database or disk is full")
            write(batch)

        monkeypatch.setattr(store, "write", refuse)
        headers = (("host", "127.0.0.1"),)
        request = Request("GET", "/dcap", headers, b"", b"certificate of the first", "127.0.0.1:40000")
        answer = await lab.server.handle(request)
        assert (answer.status, answer.header("retry-after")) == (503, "10")
        [line] = [line for line in lab.log.lines if "disk is full" in line]
        assert "or show what is not committed, are answered 503 until it can be written again" in line
        answer = await lab.server.handle_admin(
            Request("GET", "/api/utility/programs", headers, b"", None, "127.0.0.1:40001")
        )
        assert (answer.status, answer.header("retry-after")) == (503, "10")
        assert "make room" in json.loads(answer.body)["hint"]
        full = False
        lab.server.state._failing = False
        assert (await lab.server.handle(request)).status == 200
    async with runs.run() as lab:
        assert len(lab.head_end.end_devices) == 1


async def test_a_killed_server_has_what_it_had_committed(runs):
    async with runs.run(kill=True) as lab:
        client = lab.client()
        client.get("/dcap")
        assert await lab.server.state.saved(writing=True)
        lab.client(b"another").get("/dcap")
    async with runs.run() as lab:
        assert [device.lfdi for device in lab.head_end.end_devices] == [client.lfdi]


async def test_a_file_that_cannot_be_used_is_refused_in_one_line(runs, tmp_path):
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE mine(a)")
    db.close()
    text = tmp_path / "text.db"
    text.write_text("this is no database, but a text that is long enough for a header" * 20)
    async with runs.run():
        for path, words in (
            (runs.path, "another dersim server uses this file"),
            (other, "this is no state file of dersim"),
            (text, "file is not a database"),
            (tmp_path / "no" / "folder.db", "No such file or directory"),
        ):
            runs_of_it = type(runs)(path)
            with pytest.raises(ConfigError) as refusal:
                async with runs_of_it.run():
                    pass
            assert words in str(refusal.value)
            assert "\n" not in str(refusal.value)


async def test_a_file_of_another_format_is_refused(runs):
    async with runs.run():
        pass
    with sqlite3.connect(runs.path) as db:
        db.execute("PRAGMA user_version=9")
    db.close()
    with pytest.raises(ConfigError, match="its format is 9, and this dersim reads 1"):
        async with runs.run():
            pass


async def test_reading_sets_are_kept_as_many_as_the_server_holds(runs):
    async with runs.run() as lab:
        client = lab.client()
        client.get("/dcap")
        client.post("/mup", mirror_of(client, reading(1, 5, typed=True)))
        for number in range(60):
            period = r.DateTimeInterval(start=T_INT + 60 * number, duration=60)
            one = r.MirrorReadingSet(
                mRID=f"{1000 + number:032X}", timePeriod=period, Reading=(r.Reading(value=number),)
            )
            assert client.post("/mup/1", reading(1, number, sets=(one,))).status == 204
        before = client.ask("GET", "/upt/1/mr/1/rs?l=255").body
    async with runs.run() as lab:
        assert lab.client().ask("GET", "/upt/1/mr/1/rs?l=255").body == before


async def test_a_mirror_that_was_removed_stays_removed(runs):
    async with runs.run() as lab:
        client = lab.client()
        client.get("/dcap")
        client.post("/mup", mirror_of(client, reading(1, 5, typed=True)))
        client.post("/mup/1", reading(1, 6))
        assert client.ask("DELETE", "/mup/1").status == 204
    async with runs.run() as lab:
        client = lab.client()
        assert client.ask("GET", "/mup/1").status == 404
        client.post("/mup", mirror_of(client, reading(1, 5, typed=True)))
        assert client.ask("GET", "/mup/2").status == 200


async def test_the_cycle_goes_on_where_it_was(runs):
    async with runs.run(cycle=True) as lab:
        lab.now += 100
        lab.head_end.advance()
        lab.server.state.collect()
        before = [(c.mrid, c.start_s) for c in lab.head_end.programs.get(1).listed_controls()]
    async with runs.run(cycle=True) as lab:
        lab.head_end.advance()
        assert [(c.mrid, c.start_s) for c in lab.head_end.programs.get(1).listed_controls()] == before
        lab.now += 60
        lab.head_end.advance()
        starts = [c.start_s for c in lab.head_end.programs.get(1).listed_controls()]
        assert len(set(starts)) == len(starts)
    assert json.dumps(before)


async def test_a_control_of_an_earlier_run_still_competes(runs):
    async with runs.run() as lab:
        order = ControlOrder(modes_from_json(LIMIT), T_INT + 600, 600)
        lab.head_end.publish(lab.head_end.programs.get(1), order)
    async with runs.run() as lab:
        lab.head_end.publish(lab.head_end.programs.get(2), order)
        [control] = lab.head_end.programs.get(1).controls.values()
        assert control.potentially_superseded


async def test_the_life_of_a_control_goes_on_after_a_restart(runs):
    order = {"modes": LIMIT, "duration_s": 600}
    async with runs.run() as lab:
        client = lab.client()
        assert lab.admin("POST", "/end-devices", {"lfdi": client.lfdi})[0] == 201
        mrid = lab.admin("POST", "/programs/2/controls", order)[1]["mRID"]
        body = r.DERControlResponse(endDeviceLFDI=client.lfdi, status=2, subject=mrid)
        assert client.post("/rsps/1/rsp", body).status == 201
    async with runs.run() as lab:
        [life] = lab.admin("GET", f"/control-lives?lfdi={client.lfdi}")[1]
        assert (life["control"]["mRID"], life["life"]["stage"]) == (mrid, "started")
        assert lab.admin("GET", "/fleet")[1]["rows"][0]["registered_by"] == "operator"
