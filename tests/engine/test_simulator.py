"""The nursery tree: order of things, supervision, restarts, stop. Time is trio's mock clock."""

import io
import itertools
from argparse import Namespace
from types import SimpleNamespace

import pytest
import trio

from dersim.buffers import BufferSize
from dersim.clock import SimClock
from dersim.engine.simulator import Simulator, check_rate, derived_rng
from dersim.engine.supervision import FrontendFailed, Supervised
from dersim.errors import ConfigError, PluginError, bare_errors
from dersim.fleet_plan import FleetPlan, Group, plan_of_flags
from dersim.functions.checked import Checked
from dersim.logbuffer import LogBuffer
from dersim.plugin.extension import FrontendStatus, FrontendType
from dersim.plugin.registry import Registry

START_S = 1_700_000_000.0


class FakeFleet:
    """Devices without physics that remember when they were stepped."""

    def journal_size(self):
        return BufferSize(0, 0)

    def __init__(self, count=1, first=1):
        self.devices = [
            SimpleNamespace(
                number=n,
                step=lambda now_s: None,
                service_word="in service",
                fail=lambda reason: None,
                functions={},
                source=None,
                device_type=SimpleNamespace(name="PV"),
                setpoints=SimpleNamespace(),
            )
            for n in range(first, first + count)
        ]
        self.steps = []

    async def step(self, now_s, step):
        self.steps.append(now_s - START_S)
        for device in self.devices:
            step(device, now_s)
        await trio.lowlevel.checkpoint()


class FakeFrontend:
    """Does what the test scripted: `fails` is how many of its runs end in an error at once."""

    def __init__(
        self, context, journal, fails=0, address=None, error=None, bind_error=None, make_error=None,
        returns_after_s=None,
    ):  # fmt: skip
        if make_error:
            raise make_error
        self.name = f"{context.device.number if context.device else 0}"
        self.context = context
        self.journal = journal
        self.fails = fails
        self.address = address or {}
        self.error = error or RuntimeError("boom")
        self.bind_error = bind_error
        self.returns_after_s = returns_after_s
        if context.device:
            context.offer(FakeFrontend, self)

    def note(self, what):
        self.journal.append((round(trio.current_time(), 3), self.name, what))

    async def bind(self):
        self.note("bind")
        if self.bind_error:
            raise self.bind_error
        return self.address

    async def run(self):
        self.note("run")
        if self.fails:
            self.fails -= 1
            raise self.error
        if self.returns_after_s is not None:
            await trio.sleep(self.returns_after_s)
            return
        try:
            await trio.sleep_forever()
        finally:
            self.note("end")

    def status(self):
        return FrontendStatus("serving")


@pytest.fixture
def journal():
    return []


@pytest.fixture
def make(journal):
    """Build a simulator of these front-ends: (name, scope, arguments of FakeFrontend)."""

    def build(
        *frontends, count=1, first=1, ramp=50.0, tick=1.0, rate=1.0, fail_fast=False, seed=7, plan=None
    ):
        registry, made = Registry(), {}
        for name, scope, arguments in frontends:
            given = dict(arguments)
            order = given.pop("order", 100)

            def make_frontend(context, name=name, given=given):
                only = given.pop("only", None) if "only" in given else None
                numbers = dict(given)
                if only is not None:
                    given["only"] = only
                    if context.device.number != only:
                        numbers = {}
                made_one = FakeFrontend(context, journal, **numbers)
                made[name, context.device.number if context.device else 0] = made_one
                return made_one

            registry.frontends.add(name, FrontendType(name, scope, make_frontend, order=order), "test")
        fleet = FakeFleet(count, first)
        log = LogBuffer(stream=io.StringIO())
        options = Namespace(fail_fast=fail_fast, rate_override=False, ramp=ramp, count=count, first=first)
        options.plan = plan or plan_of_flags(options)
        clock = SimClock(start_s=START_S, rate=rate, tick_s=tick)
        simulator = Simulator(
            options=options, registry=registry, fleet=fleet, clock=clock, log=log, seed=seed
        )
        simulator.fleet, simulator.log, simulator.clock, simulator.made = fleet, log, clock, made
        return simulator

    return build


async def run_for(simulator, seconds):
    """Run so long; the ready line."""
    lines = []
    with bare_errors():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(simulator.run, lines.append)
            await trio.sleep(seconds)
            simulator.stop()
    return lines


async def test_all_are_bound_in_order_before_any_runs(make, journal, autojump_clock):
    simulator = make(
        ("csip", "device", {}),
        ("web", "fleet", {"order": 200, "address": {"dashboard": "http://127.0.0.1:8111"}}),
        ("utility", "fleet", {"order": 20, "address": {"utility": "https://127.0.0.1:8443"}}),
        count=2,
    )
    assert await run_for(simulator, 0.5) == [
        "dersim ready utility=https://127.0.0.1:8443 dashboard=http://127.0.0.1:8111"
    ]
    assert [(name, what) for _, name, what in journal[:4]] == [
        ("0", "bind"),
        ("1", "bind"),
        ("2", "bind"),
        ("0", "bind"),
    ]
    assert {what for _, _, what in journal[4:8]} == {"run"}
    assert {what for _, _, what in journal[8:]} == {"end"}


async def test_the_ready_line_tells_each_device_its_own(make, autojump_clock):
    simulator = make(("modbus", "device", {"address": {"modbus": "127.0.0.1:8502"}}), count=3)
    [line] = await run_for(simulator, 0.1)
    assert line == "dersim ready modbus=127.0.0.1:8502 modbus_2=127.0.0.1:8502 modbus_3=127.0.0.1:8502"


async def test_the_ready_line_names_others_than_the_first_by_their_own_number(make, autojump_clock):
    simulator = make(("modbus", "device", {"address": {"modbus": "h:1"}}), count=2, first=501)
    assert await run_for(simulator, 0.1) == ["dersim ready modbus=h:1 modbus_502=h:1"]


async def test_the_fleet_is_stepped_at_start_and_at_every_tick(make, autojump_clock):
    simulator = make(tick=2.0)
    await run_for(simulator, 7)
    assert simulator.fleet.steps == pytest.approx([0, 2, 4, 6])


async def test_time_runs_at_the_rate(make, autojump_clock):
    simulator = make(tick=60, rate=600.0)
    await run_for(simulator, 1.01)
    assert simulator.fleet.steps == pytest.approx([60.0 * n for n in range(11)])


async def test_a_step_longer_than_a_tick_slows_time_down(make, autojump_clock):
    simulator = make()

    async def slow(now_s, step):
        simulator.fleet.steps.append(now_s - START_S)
        await trio.sleep(3)

    simulator.fleet.step = slow
    await run_for(simulator, 30)
    assert simulator.clock.lag_s == pytest.approx(3)
    steps = simulator.fleet.steps
    gaps = [b - a for a, b in itertools.pairwise(steps)]
    assert 5 < len(steps) <= 11
    assert max(gaps) <= 1.5 + 1e-6  # the clock waited for the physics


@pytest.mark.parametrize("ramp", [50.0, 200.0])
async def test_so_many_ders_start_each_second(make, journal, autojump_clock, ramp):
    simulator = make(("csip", "device", {}), count=50, ramp=ramp)
    await run_for(simulator, 5)
    starts = [time for time, _, what in journal if what == "run"]
    gaps = [b - a for a, b in itertools.pairwise(starts)]
    assert gaps == pytest.approx([1 / ramp] * 49, abs=1e-3)


async def test_a_failing_front_end_restarts_with_back_off_and_its_siblings_go_on(
    make, journal, autojump_clock
):
    simulator = make(("csip", "device", {"fails": 8, "only": 2}), ("web", "fleet", {}), count=3)
    seen = {}

    async def look():
        await trio.sleep(10)
        seen.update({number: dict(simulator.statuses(number)) for number in (0, 1, 2, 3)})

    async with trio.open_nursery() as nursery:
        nursery.start_soon(simulator.run, lambda line: None)
        nursery.start_soon(look)
        await trio.sleep(400)
        after = simulator.statuses(2)
        simulator.stop()

    runs = [time for time, name, what in journal if name == "2" and what == "run"]
    gaps = [round(b - a, 3) for a, b in itertools.pairwise(runs)]
    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60]
    binds = [time for time, name, what in journal if name == "2" and what == "bind"]
    assert len(binds) == len(runs)
    assert seen[2]["csip"].state == "failed"
    assert seen[2]["csip"].detail.startswith("RuntimeError('boom') in tests.engine.test_simulator:")
    assert {seen[0]["web"].state, seen[1]["csip"].state, seen[3]["csip"].state} == {"serving"}
    assert after["csip"].state == "serving"
    assert [what for _, name, what in journal if name in "13"] == ["bind", "bind", "run", "run", "end", "end"]


async def test_after_a_minute_of_good_running_the_pause_starts_anew(make, journal, autojump_clock):
    simulator = make(("csip", "device", {}))
    runs = []

    async def run_a_while():
        runs.append(trio.current_time())
        await trio.sleep(70 if len(runs) == 4 else 0)
        raise RuntimeError("boom")

    frontend = FakeFrontend(SimpleNamespace(device=None), journal)
    frontend.run = run_a_while
    with trio.move_on_after(90):
        await Supervised(frontend, "csip", 1, simulator.log, simulator.fences).run()
    gaps = [round(b - a, 3) for a, b in itertools.pairwise(runs)]
    assert gaps[:5] == [1, 2, 4, 71, 2]


async def test_a_failure_is_logged_in_a_line_with_its_traceback_at_debug(make, autojump_clock):
    simulator = make(("csip", "device", {"fails": 1}))
    await run_for(simulator, 0.5)
    errors = simulator.log.entries(level="Error")
    assert [(each.module, each.device, each.message) for each in errors] == [
        ("Engine", 1, "front-end csip of DER 1 failed: unexpected RuntimeError('boom')")
    ]
    [debug] = [each for each in simulator.log.entries() if each.level == "Debug"]
    assert "Traceback (most recent call last)" in debug.message


async def test_an_error_inside_a_nursery_of_the_front_end_is_named(make, autojump_clock):
    group = ExceptionGroup("nursery", [ExceptionGroup("nursery", [ConfigError("port 8502 is busy")])])
    simulator = make(("modbus", "device", {"fails": 1, "error": group}))
    await run_for(simulator, 0.5)
    assert simulator.log.entries(level="Error")[0].message.endswith("failed: port 8502 is busy")


def broken(now_s):
    raise ZeroDivisionError("in the inverter")


async def test_a_der_whose_physics_fail_stands_still_and_the_others_go_on(make, journal, autojump_clock):
    simulator = make(("csip", "device", {}), count=3)
    stepped = []
    devices = simulator.fleet.devices
    devices[1].step = broken
    devices[2].step = stepped.append
    await run_for(simulator, 5.5)
    assert len(stepped) == 6
    told = simulator.statuses(2)["physics"]
    assert told.state == "failed"
    assert told.detail.startswith("its step in tests.engine.test_simulator:")
    assert told.detail.endswith(" (broken): ZeroDivisionError('in the inverter')")
    assert simulator.fences.counts == {"physics": 1}
    assert "physics" not in simulator.statuses(1)
    assert simulator.statuses(2)["csip"].state == "serving"
    [error] = simulator.log.entries(level="Error")
    assert error.device == 2
    assert error.message.startswith("DER 2 failed and is not stepped again: its step in ")


async def test_fail_fast_lets_failing_physics_end_the_run(make, autojump_clock):
    simulator = make(fail_fast=True)
    simulator.fleet.devices[0].step = broken
    with pytest.raises(FrontendFailed, match=r"DER 1 failed .*ZeroDivisionError"):
        await run_for(simulator, 5)


async def test_fail_fast_ends_the_run_and_names_the_front_end(make, autojump_clock):
    simulator = make(("csip", "device", {"fails": 1}), ("web", "fleet", {}), fail_fast=True)
    with pytest.raises(FrontendFailed, match="front-end csip of DER 1 failed") as caught:
        await run_for(simulator, 5)
    assert isinstance(caught.value.__cause__, RuntimeError)


async def test_a_busy_port_ends_the_start_before_anything_ran(make, journal, autojump_clock):
    simulator = make(
        ("csip", "device", {}),
        ("web", "fleet", {"order": 200, "bind_error": ConfigError("--website_port 8111: busy")}),
    )
    with pytest.raises(ConfigError, match="--website_port 8111: busy"):
        await simulator.run(lambda line: journal.append("ready"))
    assert [what for _, _, what in journal] == ["bind", "bind"]
    assert simulator.fleet.steps == []


async def test_a_front_end_may_stop_the_program(make, autojump_clock):
    simulator = make(("web", "fleet", {}))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(simulator.run, lambda line: None)
        await trio.sleep(1)
        simulator.made["web", 0].context.stop()
    assert simulator.stopping.is_set()


async def test_a_front_end_without_a_run_is_refused(make):
    simulator = make()
    kind = FrontendType("wire", "fleet", lambda context: SimpleNamespace(bind=print, status=print))
    simulator._registry.frontends.add("wire", kind, "test")
    with pytest.raises(PluginError, match=r"front-end wire: .*no run\(\)"):
        await simulator.run(print)


@pytest.mark.parametrize("method", ["bind", "run"])
async def test_a_front_end_whose_bind_or_run_is_not_async_is_refused(make, method):
    class Wire(FakeFrontend):
        pass

    setattr(Wire, method, lambda self: {})
    simulator = make()
    kind = FrontendType("wire", "fleet", lambda context: Wire(context, []))
    simulator._registry.frontends.add("wire", kind, "test")
    with pytest.raises(PluginError, match=f"plug-in test: front-end wire: its {method} must be an async def"):
        await simulator.run(print)


async def test_front_ends_find_each_other_and_draw_from_their_own_generators(make, autojump_clock):
    draws = []
    for _ in range(2):
        simulator = make(("csip", "device", {}), ("web", "fleet", {}), count=2)
        await run_for(simulator, 0.1)
        assert set(simulator.made) == {("csip", 1), ("csip", 2), ("web", 0)}
        assert simulator.made["web", 0].context.service(FakeFrontend, 2) is simulator.made["csip", 2]
        draws.append([each.context.rng.random() for each in simulator.made.values()])
    assert draws[0] == draws[1]
    assert len(set(draws[0])) == 3
    assert derived_rng(8, "csip", 1).random() not in draws[0]


@pytest.mark.parametrize(
    ("rate", "follows", "override", "refused"),
    [(1, False, False, False), (60, True, False, False), (60, False, False, True), (60, False, True, False)],
)
def test_the_rate_rule(rate, follows, override, refused):
    kind = FrontendType("csip", "device", lambda _: None, peer_follows_simulated_time=follows)
    options = Namespace(rate_override=override)
    if refused:
        with pytest.raises(ConfigError, match=r"--rate 60: .*front-end csip.*--rate_override yes"):
            check_rate(options, rate, [kind])
    else:
        check_rate(options, rate, [kind])


class Faulty:
    """A control function of a plug-in."""

    def step(self, now_s):
        return 1 / 0


async def test_a_function_that_raises_is_named_with_its_plugin_and_its_line(make, autojump_clock):
    simulator = make(tick=60)
    simulator._physics._owners = {"soft": "extra"}
    device = simulator.fleet.devices[0]
    device.functions = {"volt-var": object(), "soft": Faulty()}
    device.step = device.functions["soft"].step
    await run_for(simulator, 1)
    told = simulator.statuses(1)["physics"].detail
    assert told.startswith("control function 'soft' of plug-in extra in tests.engine.test_simulator:")
    assert told.endswith(" (step): ZeroDivisionError('division by zero')")


async def test_a_function_whose_answer_is_refused_is_named_with_its_plugin(make, autojump_clock):
    simulator = make(tick=60)
    simulator._physics._owners = {"soft": "extra"}
    device = simulator.fleet.devices[0]
    soft = SimpleNamespace(configure=None, step=lambda dt_s, seen: None)
    device.functions = {"soft": soft}
    checked = Checked("soft", soft)
    device.step = lambda now_s: checked.step(1.0, None)
    await run_for(simulator, 1)
    told = simulator.statuses(1)["physics"].detail
    assert told.startswith("control function 'soft' of plug-in extra: ")
    assert told.endswith("step returned None; return a Demand")


async def test_a_status_that_raises_makes_its_own_row_failed_and_is_told_once(make, autojump_clock):
    simulator = make(("wire", "device", {}), ("web", "fleet", {}))
    await run_for(simulator, 0.5)
    wire = simulator.made["wire", 1]
    wire.status = lambda: 1 / 0
    for _ in range(3):
        assert simulator.statuses(1)["wire"].state == "failed"
    assert "ZeroDivisionError" in simulator.statuses(1)["wire"].detail
    assert simulator.statuses(0)["web"].state == "serving"
    [error] = simulator.log.entries(level="Error")
    assert error.message.startswith("status() of front-end wire of DER 1, plug-in test: unexpected Zero")
    assert simulator.fences.counts == {"frontend_status": 4}
    wire.status = lambda: FrontendStatus("serving")
    assert simulator.statuses(1)["wire"] == FrontendStatus("serving")


@pytest.mark.parametrize("answer", [None, "serving", ("a", "b", "c"), 7])
async def test_a_status_that_is_none_makes_its_own_row_failed(make, autojump_clock, answer):
    simulator = make(("wire", "device", {}))
    await run_for(simulator, 0.5)
    simulator.made["wire", 1].status = lambda: answer
    assert simulator.statuses(1)["wire"].state == "failed"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"bind_error": KeyError("x")},
            r"plug-in test: bind of front-end wire of DER 1 failed: KeyError\('x'\)",
        ),
        ({"address": 7}, "plug-in test: bind of front-end wire of DER 1 returned 7; return names"),
        ({"make_error": KeyError("x")}, r"plug-in test: make of front-end wire failed: KeyError\('x'\)"),
    ],
)
async def test_a_front_end_that_cannot_start_is_named_with_its_plugin(make, changes, words):
    simulator = make(("wire", "device", changes))
    with pytest.raises(PluginError, match=words):
        await simulator.run(print)


async def test_a_run_that_returns_at_once_ends_the_program_and_names_the_plugin(make, autojump_clock):
    simulator = make(("wire", "device", {"returns_after_s": 0}))
    with pytest.raises(PluginError, match="plug-in test: front-end wire of DER 1: its run returned"):
        await simulator.run(lambda line: None)


async def test_a_run_that_returns_later_is_a_failure_and_starts_again(make, journal, autojump_clock):
    simulator = make(("wire", "device", {"returns_after_s": 5}))
    await run_for(simulator, 9)
    assert [time for time, _, what in journal if what == "run"] == [0, 6]
    [error] = simulator.log.entries(level="Error")
    assert "front-end wire of DER 1 failed: its run returned" in error.message
    assert simulator.fences.counts == {"frontend": 1}


async def test_a_failing_front_end_is_counted(make, autojump_clock):
    simulator = make(("wire", "device", {"fails": 2}))
    await run_for(simulator, 5)
    assert simulator.fences.counts == {"frontend": 2}


async def test_each_der_has_the_flags_of_its_group(make, autojump_clock):
    groups = (Group("a", 4, 1, {"colour": "red", "ramp": 3.0}), Group("b", 5, 2))
    simulator = make(("wire", "device", {}), count=3, first=4, plan=FleetPlan(groups, 4, 3))
    await run_for(simulator, 1)
    of = [simulator.made["wire", number].context.options for number in (4, 5, 6)]
    assert [(each.ramp, getattr(each, "colour", None)) for each in of] == [
        (3.0, "red"), (50.0, None), (50.0, None)
    ]  # fmt: skip
    assert of[1] is of[2]
