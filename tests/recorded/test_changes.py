"""What was done to the DERs besides their servers' controls is repeated, or told if it cannot be."""

import io
import json

import pytest
from tests.recorded.test_reader import HEAD

from dersim.clock import SimClock
from dersim.errors import ConfigError
from dersim.http11 import Request, Response
from dersim.logbuffer import LogBuffer
from dersim.plugin.builtin import make_device
from dersim.plugin.services import CsipService, Services
from dersim.recorded.changes import Changes
from dersim.recorded.comparing import Allowed
from dersim.recorded.encoding import Encoder
from dersim.recorded.notifying import ReplayHub
from dersim.recorded.reader import read_record
from dersim.recorded.recorder import Recorder
from dersim.recorded.script import Script
from dersim.recorded.writer import RecordWriter
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange
from dersim.virtual_time import run_virtual


class Client:
    def __init__(self):
        self.called = []

    def opt_out(self, *args):
        self.called.append(("opt_out", *args))

    def rediscover(self):
        self.called.append(("rediscover",))


def repeated(path, device):
    """Make the changes of a record; the client, and what the DER was notified of."""
    record = read_record(path)
    client, taken = Client(), []
    services = Services()
    services.offer(CsipService, client, 1)
    hub = ReplayHub("http://h")
    hub.open(1, lambda request: taken.append(request.body) or Response(201), None)

    async def make_them():
        clock = SimClock(start_s=HEAD["start_s"], tick_s=3600.0)
        clock.start()
        script = Script(record, clock, Allowed())
        await Changes(record.changes, {1: device}, services, script, hub).run(1.0)
        return script

    return client, taken, run_virtual(make_them)


def test_what_is_done_to_a_der_is_recorded_and_done_again(tmp_path):
    path = tmp_path / "run.jsonl"
    source = make_device(1, device_type="PV")

    async def live():
        clock = SimClock(start_s=HEAD["start_s"], tick_s=3600.0)
        clock.start()
        log = LogBuffer(stream=io.StringIO())
        writer = RecordWriter(path, Encoder((), str).lines)
        recorder = Recorder(writer, clock, log, lambda _lfdis: HEAD)
        recorder.begin([source])
        source.setpoints.submit(
            SetpointChange(SetpointSource.MODBUS, "opModMaxLimW", 60.0, "40100", None, 5.0)
        )
        source.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", 50.0))
        source.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 1000.0))  # refused
        source.settings.update({"setGradW": 20.0})
        source.settings.enable_anti_islanding(not source.settings.anti_islanding)
        source.inputs.set(voltage_pu=[1.0, 1.1, 0.9])
        source.inputs.set(voltage_pu=[1.0, 1.1, 0.9])  # changes nothing
        source.command("stop")
        recorder.identified(1, "CD")
        recorder.acted(1, "opt_out", ("0A",), {})
        receive = recorder.inbox(1, lambda _request: Response(201))
        assert receive(Request("POST", "/x", (), b"<Notification/>", None, "")).status == 201
        recorder.end()
        recorder.close()

    run_virtual(live)
    kinds = [each.kind for each in read_record(path).changes]
    assert kinds == [
        *("setpoints", "settings", "settings", "inputs", "command", "lfdi", "action", "notification"),
    ]  # fmt: skip
    again = make_device(1, device_type="PV")
    client, taken, script = repeated(path, again)
    assert again.setpoints.value("opModMaxLimW") == 60.0
    assert again.settings.setGradW == 20.0
    assert again.settings.anti_islanding == source.settings.anti_islanding
    assert again.inputs.checkpoint() == source.inputs.checkpoint()
    assert not again.permitted
    assert script.lfdis == {1: "CD"}
    assert client.called == [("rediscover",), ("opt_out", "0A")]
    assert taken == [b"<Notification/>"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"action": ["__class__", [], {}]}, "__class__ is not one of log_event_burst, opt_in"),
        ({"settings": {"setNone": 1.0}}, "setNone is not a setting"),
        (
            {"setpoints": [["telex-of-nobody", "opModMaxLimW", 5]]},
            "its source telex-of-nobody is",
        ),
        ({"setpoints": [["rest"]]}, "not enough values to unpack"),
        ({"command": "stop", "der": 2}, "2"),
    ],
)
def test_a_change_that_cannot_be_repeated_is_told_in_one_line(tmp_path, change, why):
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in (HEAD, {"der": 1, "at": 1.5, **change})))
    with pytest.raises(ConfigError) as found:
        repeated(path, make_device(1, device_type="PV"))
    [kind] = change.keys() - {"der"}
    start = f"the record's DER {change.get('der', 1)}, {kind} at +1.500 s cannot be repeated: {why}"
    assert str(found.value).startswith(start)
