"""64414, what the device meets, and 64415, what the CSIP client does."""

import math
import struct

import pytest
from tests.sunspec.conftest import START_S

from dersim.errors import DersimError
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile
from dersim.plugin.services import CsipService, Services
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


def near(value):
    return pytest.approx(value, rel=1e-6)


def test_sun_and_temperature_change_the_power(bench):
    assert bench.read(64414, "Irradiance") == 800
    assert bench.write(64414, Irradiance=400.0) == 0
    bench.wait(2)
    assert bench.state.irradiance_w_m2 == 400
    half = bench.read(701, "W")
    assert 3400 < half < 4000
    assert bench.write(64414, Temperature=60.0) == 0
    bench.wait(2)
    assert bench.read(701, "W") < half - 300
    assert bench.read(64414, "IrradianceModelSource") == "const"


def test_the_grid_in_one_write(bench):
    values = {"GridVoltageA": 1.05, "GridVoltageB": 0.98, "GridVoltageC": 1.01, "GridFrequency": 60.2}
    assert bench.write(64414, **values) == 0
    assert bench.state.frequency_hz == near(60.2)
    assert bench.read(701, "VL2") == pytest.approx(0.98 * 480 / math.sqrt(3), abs=0.06)
    assert bench.read(701, "Hz") == pytest.approx(60.2, abs=0.001)
    assert bench.write(64414, GridVoltageB=1.0) == 0
    assert [bench.read(64414, f"GridVoltage{p}") for p in "ABC"] == [near(1.05), 1, near(1.01)]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Irradiance": -5.0}, 3),
        ({"GridVoltageA": 9.0}, 3),
        ({"GridFrequency": math.nan}, 3),
        ({"GridFrequency": math.inf}, 3),
        ({"GridModelSource": "csv"}, 3),  # there is no profile
        ({"GridModelSource": "magic"}, 3),
        ({"Time": "12:00:00"}, 2),
    ],
)
def test_refused_inputs_change_nothing(bench, values, code):
    before = bench.device.inputs.at(START_S)
    assert bench.write(64414, **values) == code
    assert bench.device.inputs.at(START_S) == before


def test_one_bad_value_of_the_grid_changes_none(bench):
    assert bench.write(64414, GridVoltageA=1.05, GridVoltageB=1.05, GridVoltageC=3.0) == 3
    assert bench.read(64414, "GridVoltageA") == 1


def test_the_sources_follow_a_profile_and_leave_it(make_bench):
    columns = {"irradiance_w_m2": [100.0, 900.0], "temperature_c": [25.0, 25.0]}
    weather = Profile([0.0, 1000.0], columns, stepwise=True, start_s=START_S)
    bench = make_bench(inputs=Inputs(Conditions(), weather=weather))
    sources = [bench.read(64414, f"{of}ModelSource") for of in ("Irradiance", "Grid")]
    assert sources == ["csv", "const"]
    assert bench.read(64414, "Irradiance") == 100
    assert bench.write(64414, Irradiance=500.0) == 0
    assert bench.read(64414, "Irradiance") == 500
    assert bench.write(64414, IrradianceModelSource="csv") == 0
    assert (bench.read(64414, "Irradiance"), bench.read(64414, "IrradianceModelSource")) == (100, "csv")
    assert bench.write(64414, IrradianceModelSource="const") == 0
    assert bench.read(64414, "IrradianceModelSource") == "const"


def test_time_is_the_simulated_clock(bench):
    assert bench.read(64414, "Time") == "20:26:42"  # 1,780,000,002 s UTC
    bench.wait(18)
    assert bench.read(64414, "Time") == "20:27:00"


class StandInClient:
    """What the register map asks of the CSIP client: bursts of log events."""

    def __init__(self):
        self.bursting = False
        self.bursts = 0
        self.refusal = ""

    def log_event_burst(self):
        if self.refusal or self.bursting:
            raise DersimError(self.refusal or "a burst is running")
        self.bursts += 1
        self.bursting = True

    def stop_log_event_burst(self):
        self.bursting = False


@pytest.fixture
def client():
    return StandInClient()


def offering(client):
    services = Services()
    services.offer(CsipService, client, 1)
    return services


@pytest.mark.parametrize("value", [1, 2, 77])
def test_any_word_but_0_starts_a_burst_and_a_second_is_busy(make_bench, client, value):
    bench = make_bench(services=offering(client))
    _, _, address = bench.at(64415, "LogEventEna")
    assert bench.pdu(f"06{address:04x}0000").hex() == f"06{address:04x}0000"
    assert client.bursts == 0
    assert bench.pdu(f"06{address:04x}{value:04x}").hex() == f"06{address:04x}{value:04x}"
    assert (client.bursts, bench.read(64415, "LogEventEna")) == (1, 1)
    assert bench.pdu(f"06{address:04x}0001").hex() == "8606"
    assert client.bursts == 1
    client.bursting = False
    assert bench.read(64415, "LogEventEna") == 0
    assert bench.write(64415, LogEventEna=1) == 0


def test_a_burst_that_cannot_be_says_so(make_bench, bench, client):
    assert bench.write(64415, LogEventEna=1) == 4  # no client in this run
    client.refusal = "the server has no LogEventList"
    other = make_bench(services=offering(client))
    assert other.write(64415, LogEventEna=1) == 4
    assert "no LogEventList" in other.logged()[-1]


@pytest.mark.parametrize("point", ["HTTPMsg", "COMM004Cert", "SubscriptionEna"])
def test_what_the_client_cannot_do_is_refused_and_off_is_taken(make_bench, client, point):
    bench = make_bench(services=offering(client))
    assert bench.write(64415, **{point: 1}) == 3
    assert bench.write(64415, **{point: 0}) == 0
    assert bench.read(64415, point) == 0


def test_the_resource_to_subscribe_to_is_kept(bench):
    assert bench.write(64415, SubscribedResource="/derp/1/derc") == 0
    assert bench.read(64415, "SubscribedResource") == "/derp/1/derc"
    _, _, address = bench.at(64415, "SubscribedResource")
    request = struct.pack(">BHHB", 16, address, 64, 128) + b"\xc3\xa9".ljust(128, b"\0")
    assert bench.service.answer(request) == b"\x90\x03"


def test_0_stops_a_burst(make_bench, client):
    bench = make_bench(services=offering(client))
    assert bench.write(64415, LogEventEna=1) == 0
    assert bench.write(64415, LogEventEna=0) == 0
    assert not client.bursting
    assert bench.read(64415, "LogEventEna") == 0
    assert make_bench().write(64415, LogEventEna=0) == 0  # without a client nothing runs


def test_an_alarm_without_a_bit_is_the_manufacturer_s_and_has_its_name(bench):
    bench.device.inputs.set(phase_rotation=True, emergency_remote=True)
    assert bench.read(701, "Alrm") == 1 << 16
    assert bench.read(701, "MnAlrmInfo") == "EMERGENCY_REMOTE, PHASE_ROTATION"
    assert bench.read(103, "Evt1") == 0


def test_a_grid_phase_the_machine_does_not_use_is_shown_at_once(make_bench):
    bench = make_bench(device_type="PV-1Phase")
    assert bench.read(64414, "GridVoltageC") == 1
    bench.device.inputs.set(voltage_pu=[1.0, 1.0, 0.9])
    assert bench.read(64414, "GridVoltageC") == pytest.approx(0.9)


def test_a_control_that_changes_no_power_is_shown_at_once(bench):
    assert bench.read(122, "StActCtl") & 1 << 1 == 0
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModTargetVar", 0.0))
    assert bench.read(122, "StActCtl") & 1 << 1


def test_a_voltage_that_is_written_is_taken_from_the_grid_and_given_back(bench):
    inputs = bench.device.inputs
    inputs.offer_grid(["voltage_pu"])
    assert bench.read(64414, "GridModelSource") == "grid"
    assert bench.write(64414, GridVoltageA=1.05, GridVoltageB=1.05, GridVoltageC=1.05) == 0
    assert bench.read(64414, "GridModelSource") == "const"
    told = [entry.message for entry in bench.log.entries() if "no longer" in entry.message]
    assert told == ["64414: voltage_pu no longer from the grid, until grid_source is set to grid"]
    assert bench.write(64414, GridModelSource="grid") == 0
    assert inputs.held == {"voltage_pu"}
