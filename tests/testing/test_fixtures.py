"""The fixtures of the plug-in, used as a user does."""

import pytest

from dersim.errors import ConfigError
from dersim.ieee2030_5 import resources as r
from dersim.testing.handles.modbus import ModbusRefused


@pytest.fixture
def dersim_settings():
    return {"poll_s": 10}


def test_a_control_is_carried_out_and_answered(utility, der, conversation):
    der.wait_connected()
    mrid = utility.publish({"opModMaxLimW": 40}, start_in_s=15, duration_s=60)
    der.wait_for(lambda der: der.setpoint("opModMaxLimW") == 40)
    utility.wait_for_responses(mrid, [1, 2, 3])
    assert not utility.violations
    received, *_ = conversation.assert_post("/rsps/*/rsp", count=3, status=201, der=der)
    assert received.sent().status == 1
    assert der.lfdi in utility.end_devices


@pytest.mark.dersim(poll_s=900, tick_s=30.0)
def test_time_passes_while_the_test_waits(clock, der):
    assert clock.elapsed_s == 0
    clock.advance(3600)
    assert clock.elapsed_s == 3600
    assert sum(der.values.exported_wh) > 1000
    with pytest.raises(AssertionError, match="snow has not happened in 5 s"):
        clock.wait_for(lambda: False, 5, "snow")


def test_a_failure_lists_what_was_seen(der, conversation):
    with pytest.raises(AssertionError) as caught:
        conversation.assert_get("/dcap")
    assert "time passes while the test waits" in str(caught.value)
    der.wait_connected()
    with pytest.raises(AssertionError) as caught:
        conversation.assert_put("/edev/*/der/*/ders", count=7)
    said = str(caught.value).splitlines()
    assert said[0] == "PUT /edev/*/der/*/ders: wanted 7, seen 1"
    assert "     1 x  PUT    /edev/1/der/1/ders  204" in said


def test_documents_that_no_schema_takes_are_told_with_the_reason(der, conversation, faults):
    der.wait_connected()
    conversation.assert_valid()
    faults.plant("xml", flaw="wrong_order", path="/edev/1/der")
    conversation.wait_for("GET", "/edev/1/der", count=2, within_s=600)
    with pytest.raises(AssertionError, match="GET /edev/1/der -> 200, answer: /DERList"):
        conversation.assert_valid()


def test_requests_are_counted_from_the_last_clear(der, conversation, clock):
    der.wait_connected()
    [put] = conversation.assert_put("*/dercap", where=lambda each: each.sent().rtgMaxW is not None)
    assert isinstance(put.sent(), r.DERCapability)
    conversation.clear()
    conversation.assert_get("*", count=0)
    found = conversation.wait_for("GET", "/derp/*/derc", count=4, within_s=40)
    assert len(found) == 4
    assert isinstance(found[0].got(), r.DERControlList)
    with pytest.raises(AssertionError, match=r"DELETE \*: wanted 1 within 20 s, seen 0"):
        conversation.wait_for("DELETE", "*", within_s=20)


def test_faults_act_within_their_block(der, faults, conversation):
    with faults.planted("status", status=503, path="/dcap"):
        conversation.wait_for("GET", "/dcap", status=503)
        assert der.state in ("discovering", "retrying")
    der.wait_connected()
    faults.plant("status", status=500, path="/derp*")
    faults.clear()
    conversation.clear()
    conversation.wait_for("GET", "/derp/*/derc", within_s=20)
    conversation.assert_get("*", status=500, count=0)


def test_registers_are_read_and_written(modbus, der):
    assert modbus.read(40000, 2) == [0x5375, 0x6E53]
    modbus.set(704, {"WMaxLimPctEna": True, "WMaxLimPct": 50.0})
    der.wait_for(lambda der: der.p_w <= 5001)
    assert modbus.points(704)["WMaxLimPct"] == 50
    with pytest.raises(ModbusRefused, match="exception 2"):
        modbus.read(10)


@pytest.mark.dersim(ders=3, poll_s=900, tick_s=30.0)
def test_each_der_of_a_fleet_can_be_restarted_alone(fleet, utility, clock):
    fleet.wait_connected()
    clock.advance(1800)
    assert len({each.lfdi for each in fleet}) == len(fleet) == len(utility.end_devices) == 3
    assert fleet.p_w == pytest.approx(sum(each.p_w for each in fleet))
    before = [sum(each.values.exported_wh) for each in fleet]
    fleet[0].restart()
    fleet[1].restart(keep_state=False)
    fleet.wait_connected()
    after = [sum(each.values.exported_wh) for each in fleet]
    assert after[0] >= before[0]
    assert after[1] < before[1]
    assert after[2] >= before[2]


@pytest.mark.parametrize("keep_state", [True, False])
def test_a_der_with_a_state_file_goes_on_from_it(dersim_start, tmp_path, keep_state):
    world = dersim_start(state=tmp_path, poll_s=900, tick_s=30.0)
    world.der.wait_connected()
    world.clock.advance(900)
    before = sum(world.der.values.exported_wh)
    world.der.restart(keep_state=keep_state)
    assert (sum(world.der.values.exported_wh) >= before) == keep_state


@pytest.mark.dersim(ders=9)
def test_many_ders_share_a_simulator(fleet):
    fleet.wait_connected()
    with pytest.raises(ConfigError, match="separate=True"):
        fleet[3].restart()


def test_the_server_goes_and_comes_back(utility, der, conversation):
    der.wait_connected()
    utility.stop()
    der.wait_for(lambda der: der.state == "retrying")
    utility.restart(keep_state=False)
    der.wait_connected()
    conversation.assert_put("*/dercap", count=2)


def test_the_grid_and_the_clock_are_moved(der, utility):
    der.wait_connected()
    der.set_inputs(irradiance_w_m2=0)
    der.wait_for(lambda der: der.p_w < 100)
    utility.set_clock(ahead_s=30)
    der.wait_for(lambda der: abs(der.status["clock"]["offset_s"] - 30) < 1, within_s=300)


async def test_an_async_test_awaits_what_waits(utility, der, clock, conversation):
    await der.wait_connected()
    mrid = utility.publish({"opModMaxLimW": 40}, start_in_s=15)
    await utility.wait_for_responses(mrid, [1, 2])
    await clock.advance(60)
    await conversation.wait_for("PUT", "*/ders")
    await utility.restart()


@pytest.mark.dersim(over="loopback")
def test_over_the_loopback_time_is_real(utility, der, clock, dersim_start, dersim_certificates):
    assert not clock.is_virtual
    der.wait_connected(within_s=20)
    assert der.lfdi == dersim_certificates.device(1).lfdi
    elsewhere = dersim_start(server=utility.url)
    elsewhere.der.wait_connected(within_s=20)
    elsewhere.conversation.assert_put("/edev/*/der/*/dercap", status=204, der=elsewhere.der)
    with pytest.raises(ConfigError, match="has no utility of ours"):
        elsewhere.utility.publish({"opModMaxLimW": 40})


def test_without_a_port_there_is_no_url(utility):
    with pytest.raises(AssertionError, match="loopback"):
        _ = utility.url


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"der": 2}, r"dersim\(der=...\): no such keyword"),
        ({"time": "slow"}, "virtual or real"),
        ({"time": "virtual", "over": "loopback"}, "sockets need real time"),
        ({"server": "127.0.0.1"}, "a URL such as"),
    ],
)
def test_a_bad_keyword_is_named(dersim_start, settings, said):
    with pytest.raises(ConfigError, match=said):
        dersim_start(**settings)


@pytest.mark.dersim(over="loopback", ders=0)
def test_a_der_may_have_certificates_of_its_own(utility, dersim_start, dersim_certificates):
    own = dersim_certificates.device(7)
    world = dersim_start(server=utility.url, files=(own.cert, own.key, dersim_certificates.root))
    world.der.wait_connected(within_s=20)
    assert utility.end_devices == [own.lfdi]


def test_programs_are_started_waited_for_and_stopped(dersim_program, dersim_free_port):
    port = dersim_free_port()
    started = dersim_program("python", "-m", "http.server", str(port), "--bind", "127.0.0.1")
    started.wait_listening(port)
    started.wait_line("Serving HTTP")
    failed = dersim_program("python", "-c", "print('no such file'); exit(3)")
    with pytest.raises(AssertionError, match=r"has ended with 3; (.|\n)*no such file"):
        failed.wait_listening(dersim_free_port())
    assert started.stop() in (0, 130, -2)


def test_our_client_conforms(assert_conforms):
    [outcome] = assert_conforms("CORE-003")
    assert outcome.procedure.id == "CORE-003"


def test_what_the_operator_is_refused_is_told_in_a_line(utility):
    with pytest.raises(AssertionError, match=r"programs/2/controls: 400: .*mean opModMaxLimW\?; for inst"):
        utility.publish({"opModMaxLimWW": 40})


def test_requests_that_are_refused_are_listed_but_for_planted_faults(der, conversation, faults):
    faults.plant("status", status=503, path="/derp", count=1)
    der.wait_connected()
    conversation.assert_request("GET", "/derp", status=503, count=1)
    conversation.assert_none_refused()
