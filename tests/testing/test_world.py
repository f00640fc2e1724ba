"""The world for tests: a utility and its DERs in one process."""

import gc
import itertools
import ssl

import pytest
import trio

from dersim import pki
from dersim.errors import ConfigError
from dersim.plugin.services import SunspecService
from dersim.testing import WorldPlan, open_world, run_virtual


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("world") / "certs", 3)


@pytest.fixture
def run(folder):
    """Runs `main(world)` in virtual time in a world of this plan; gives what it returns."""

    def run_it(main, **plan):
        async def in_world():
            async with open_world(WorldPlan(pki=folder, **plan)) as world:
                await world.connected()
                return await main(world)

        return run_virtual(in_world)

    return run_it


def test_a_control_reaches_the_der_and_is_answered(run):
    async def main(world):
        mrid = world.utility.publish({"opModMaxLimW": 40}, start_in_s=15, duration_s=60)
        await world.until(lambda: world.device().setpoints.value("opModMaxLimW") == 40, 60)
        await world.until(lambda: world.utility.responses(mrid) == [1, 2, 3], 120)

    run(main)


def test_without_tls_the_der_is_there_too(run):
    async def main(world):
        assert [each.href for each in world.utility.head_end.end_devices]

    run(main, encrypted=False)


def test_a_server_that_keeps_its_state_is_found_again(run):
    async def main(world):
        utility = world.utility
        mrid = utility.publish({"opModMaxLimW": 40}, start_in_s=200)
        await world.sleep(20)
        await utility.stop()
        await world.until(lambda: world.client().state == "retrying", 60)
        await utility.restart()
        await world.connected()
        assert utility.head_end.programs.find_control(mrid) is not None
        await world.until(lambda: world.device().setpoints.value("opModMaxLimW") == 40, 300)

    run(main)


def test_a_server_that_loses_its_state_is_another_one(run):
    async def main(world):
        utility = world.utility
        before = len(utility.requests())
        mrid = utility.publish({"opModMaxLimW": 40})
        await utility.restart(keep_state=False)
        assert utility.head_end.programs.find_control(mrid) is None
        assert len(utility.requests()) >= before
        await world.until(lambda: len(utility.head_end.end_devices) == 1, 120)

    run(main)


def test_a_server_with_a_state_file_reads_it_again_though_time_is_virtual(run, tmp_path):
    async def main(world):
        utility = world.utility
        mrid = utility.publish({"opModMaxLimW": 40}, start_in_s=3600)
        await world.sleep(30)
        server, before_s = utility.server, world.now_s()
        await utility.restart()
        assert utility.server is not server
        await world.until(lambda: utility.head_end.programs.find_control(mrid) is not None, 30)
        assert world.now_s() - before_s < 30

    run(main, utility={"state": tmp_path / "utility.sqlite"})


def test_one_der_is_restarted_with_its_state_and_another_without(run):
    async def main(world):
        await world.sleep(3600)
        first, second = world.simulators
        energy = [sum(each.device().state.exported_wh) for each in world.simulators]
        assert min(energy) > 1000
        await first.restart(first.checkpoint())
        await second.restart()
        await world.connected()
        assert sum(first.device().state.exported_wh) >= energy[0]
        assert sum(second.device().state.exported_wh) < energy[1]
        assert len(world.utility.head_end.end_devices) == 2

    run(main, ders=2, separate=True, tick_s=10.0, poll_s=300)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_simulator_goes_on_from_its_state_file(run, tmp_path, end):
    async def main(world):
        mrid = world.utility.publish({"opModMaxLimW": 40}, start_in_s=60, duration_s=600)
        await world.sleep(300)
        [simulator] = world.simulators
        exported_wh = sum(world.device().state.exported_wh)
        await getattr(simulator, end)()
        await world.sleep(60)
        await simulator.start()
        await world.connected()
        assert sum(world.device().state.exported_wh) >= exported_wh > 100
        assert world.device().setpoints.value("opModMaxLimW") == 40
        await world.until(lambda: world.utility.responses(mrid)[-1] == 3, 600)
        assert world.utility.responses(mrid) == [1, 2, 3]

    run(main, state=tmp_path, tick_s=10.0, poll_s=60)


def test_a_planted_fault_acts_until_it_is_removed(run):
    async def main(world):
        world.utility.plant("status", status=503, path="/derp*")
        await world.until(lambda: world.client().counts()["errors"] > 2, 60)
        world.utility.clear_faults()
        await world.sleep(60)
        errors = world.client().counts()["errors"]
        await world.sleep(60)
        assert world.client().counts()["errors"] == errors

    run(main)


def test_a_wire_is_between_each_der_and_the_server(run):
    dialled = []

    def wire(plain, number):
        async def dial(host, port):
            dialled.append(number)
            if len(dialled) < 3:
                raise OSError("no route")
            return await plain(host, port)

        return dial

    async def main(world):
        assert sorted(set(dialled)) == [1, 2]

    run(main, ders=2, separate=True, wire=wire)
    assert len(dialled) >= 4


def test_a_call_follows_each_step(run):
    async def main(world):
        seen = []
        world.on_step(lambda simulator: seen.append(simulator.device().state.time_s))
        await world.sleep(50)
        assert [b - a for a, b in itertools.pairwise(seen)] == [10.0] * (len(seen) - 1)
        assert len(seen) == 5

    run(main, tick_s=10.0)


def test_subscriptions_need_no_port_either(run):
    async def main(world):
        await world.until(lambda: len(world.utility.operate("GET", "subscriptions")) > 2, 60)
        mrid = world.utility.publish({"opModMaxLimW": 40}, start_in_s=30)
        await world.until(lambda: world.utility.responses(mrid) == [1, 1], 20)
        assert all(client.client().counts()["notifications"] for client in world.simulators)
        await world.simulators[0].restart()
        await world.until(lambda: world.device(1).setpoints.value("opModMaxLimW") == 40, 60)

    run(main, ders=2, separate=True, poll_s=300, flags=("--csip_subscriptions", "yes"))


def test_the_registers_of_a_der_need_no_port(run):
    async def main(world):
        service = world.simulator_of().service(SunspecService)
        assert service.shown_points(1)["points"]["Mn"]

    run(main, frontends=("csip", "modbus"))


def test_the_same_seed_gives_the_same_requests(run):
    async def main(world):
        world.utility.publish({"opModMaxLimW": 40}, start_in_s=15, duration_s=60, randomize_start_s=30)
        await world.sleep(60)
        return [
            (e.time_s, e.method, e.path, e.status, e.lfdi, e.request_body) for e in world.utility.requests()
        ]

    first, again, other = (run(main, ders=2, seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_what_has_not_happened_is_told_with_the_log(run):
    async def main(world):
        with pytest.raises(AssertionError, match=r"snow has not happened in 5 s(.|\n)*DER 1"):
            await world.until(lambda: False, 5, "snow")

    run(main)


async def test_over_the_loopback_it_is_real_mutual_tls(folder):
    with trio.fail_after(20):
        async with open_world(WorldPlan(pki=folder, over="loopback", start_s=None)) as world:
            await world.connected(20)
            [device] = world.utility.head_end.end_devices
            assert device.lfdi == world.client().snapshot()["lfdi"]
            context = ssl.create_default_context(cafile=folder / "cert_root.pem")
            stream = await trio.open_ssl_over_tcp_stream("127.0.0.1", world.network.port, ssl_context=context)
            with pytest.raises((ssl.SSLError, trio.BrokenResourceError)):
                await _ask(stream)
            await trio.aclose_forcefully(stream)


async def test_a_world_that_cannot_start_leaves_nothing_open(folder):
    with pytest.raises(ConfigError, match="no such flag"):
        async with open_world(WorldPlan(pki=folder, over="loopback", flags=("--snow", "yes"))):
            pytest.fail("it has started")
    gc.collect()  # a socket that is open is a ResourceWarning here


async def _ask(stream):
    await stream.send_all(b"GET /dcap HTTP/1.1\r\nhost: x\r\n\r\n")
    await stream.receive_some()
