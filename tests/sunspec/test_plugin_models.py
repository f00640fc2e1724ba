"""SunSpec models of plug-ins with an object: what acts is shown, a write acts, an error ends one request."""

from __future__ import annotations

import pytest

from dersim.errors import ConfigError, PluginError
from dersim.plugin import SetpointChange, SetpointSource, SunspecModel

HEAD = [{"name": name, "type": "uint16", "size": 1} for name in ("ID", "L")]
POINTS = [
    {
        "name": "Ena",
        "type": "enum16",
        "size": 1,
        "access": "RW",
        "symbols": [{"name": "OFF", "value": 0}, {"name": "ON", "value": 1}],
    },
    {"name": "Pct", "type": "uint16", "size": 1, "sf": "Pct_SF", "access": "RW", "units": "%"},
    {"name": "W", "type": "int32", "size": 2, "units": "W"},
    {"name": "GradW", "type": "uint16", "size": 1, "access": "RW"},
    {"name": "Note", "type": "string", "size": 4},
    {"name": "Pct_SF", "type": "sunssf", "size": 1, "value": -1},
]
DEFINITION = {"id": 64950, "group": {"name": "limit", "type": "group", "points": [*HEAD, *POINTS]}}
MODE = "opModMaxLimW"


class Limit:
    """A percentage of setMaxW; the enable puts it in force and shows whether it is."""

    def __init__(self, device, now_s):
        self.device, self.now_s, self.reads = device, now_s, 0
        self._pct = 100.0

    def stamp(self):
        return self.device.setpoints.changes, self.device.settings.changes, self.device.state.time_s

    def read(self):
        self.reads += 1
        acts = self.device.setpoints.value(MODE)
        return {
            "Ena": acts is not None,
            "Pct": self._pct if acts is None else acts,
            "W": self.device.state.p_w,
            "GradW": self.device.settings["setGradW"],
            "Note": "on" if acts is not None else "off",
        }

    def write(self, points, source):
        if points.get("Pct", 0) > 100:
            raise ConfigError("Pct is at most 100")
        if "GradW" in points:
            self.device.settings.update({"setGradW": points["GradW"]})
        self._pct = points.get("Pct", self._pct)
        on = points.get("Ena", self.device.setpoints.value(MODE) is not None)
        return {MODE: self._pct if on else None}


def model(**changes):
    made = []
    kind = type("Changed", (Limit,), changes)

    def make(device, now_s):
        made.append(kind(device, now_s))
        return made[-1]

    return SunspecModel(DEFINITION, make), made


@pytest.fixture
def limited(make_bench):
    kind, made = model()
    bench = make_bench(models=[kind])
    bench.made = made[0]
    return bench


def test_a_write_submits_and_registers_show_what_acts(limited):
    assert limited.write(64950, Ena=1, Pct=40) == 0
    limited.wait(60)
    [entry] = [each for each in limited.device.setpoints.in_force() if each.mode == MODE]
    assert (entry.value, entry.source, entry.detail) == (40, SetpointSource.MODBUS, "64950.Ena")
    assert (limited.read(64950, "Pct"), limited.read(64950, "W")) == (40, 4000)
    assert limited.read(704, "WMaxLimPct") == 40


def test_it_shows_what_someone_else_asked_for(limited):
    limited.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, MODE, 25.0))
    assert (limited.read(64950, "Ena"), limited.read(64950, "Pct")) == (1, 25)


def test_none_withdraws_whoever_asked_locally(limited):
    limited.write(704, WMaxLimPctEna=1)
    assert limited.write(64950, Ena=0) == 0
    assert limited.device.setpoints.value(MODE) is None


def test_settings_are_written(limited):
    assert limited.write(64950, GradW=50) == 0
    assert limited.device.settings["setGradW"] == limited.read(64950, "GradW") == 50


def test_a_refusal_in_words_is_exception_3_and_changes_nothing(limited):
    assert limited.write(64950, Ena=1, Pct=120) == 3
    assert "model 64950: Pct is at most 100" in limited.logged()[-1]
    assert limited.device.setpoints.value(MODE) is None
    assert limited.write(64950, Ena=7) == 3
    assert limited.write(64950, W=7) == 2


def test_a_setpoint_that_the_der_refuses_is_exception_3(make_bench):
    kind, _ = model(write=lambda self, points, source: {MODE: 400.0})
    bench = make_bench(models=[kind])
    assert bench.write(64950, Pct=50) == 3


def test_changes_in_full_are_submitted_with_their_end(make_bench):
    def write(self, points, source):
        return [SetpointChange(source, MODE, points["Pct"], "ours", self.now_s() + 30)]

    kind, _ = model(write=write)
    bench = make_bench(models=[kind])
    assert bench.write(64950, Pct=50) == 0
    assert bench.device.setpoints.value(MODE) == 50
    bench.wait(31)
    assert bench.device.setpoints.value(MODE) is None


def test_a_read_is_a_slice_of_bytes_while_nothing_changed(limited):
    limited.read(64950, "W")
    before = limited.made.reads
    for _ in range(5):
        limited.read(64950, "W")
    assert limited.made.reads == before
    limited.wait(1)
    limited.read(64950, "W")
    assert limited.made.reads == before + 1


def test_without_a_stamp_the_registers_follow_the_der(make_bench):
    kind, made = model(stamp=None)
    bench = make_bench(models=[kind])
    assert bench.write(64950, Ena=1, Pct=40) == 0
    bench.wait(60)
    assert (bench.read(64950, "Pct"), bench.read(64950, "W")) == (40, 4000)
    before = made[0].reads
    bench.read(64950, "W")
    assert made[0].reads == before


def test_rest_reads_and_writes_by_name(limited):
    shown = limited.server.apply_points(64950, {"Ena": "ON", "Pct": 30})["points"]
    assert (shown["Ena"], shown["Pct"], shown["Note"]) == (1, 30, "on")
    [entry] = [each for each in limited.device.setpoints.in_force() if each.mode == MODE]
    assert entry.source is SetpointSource.REST
    with pytest.raises(ConfigError, match="Pct is at most 100"):
        limited.server.apply_points(64950, {"Pct": 101})


def fails(*_arguments):
    raise ZeroDivisionError("oops")


@pytest.fixture
def failing(limited, monkeypatch):
    monkeypatch.delenv("DERSIM_FAIL_FAST", raising=False)
    return limited


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("read", fails, "oops"),
        ("read", lambda: {"Pct": "high"}, "Pct is 'high'; give a number"),
        ("read", lambda: {"Note": 5}, "Note is 5; give a text"),
        ("read", lambda: {"Pct": float("inf")}, "Pct is inf; give a number"),
        ("read", lambda: {"Pctt": 5}, "'Pctt' is no point with a value"),
        ("read", lambda: {"Pct_SF": 5}, "'Pct_SF' is no point with a value"),
        ("read", lambda: 5, "it returned 5"),
    ],
)
def test_an_error_of_read_ends_that_request_alone_and_is_counted(failing, name, value, word):
    setattr(failing.made, name, value)
    failing.wait(1)
    _, point, address = failing.at(64950, "Pct")
    assert failing.pdu(f"03{address:04x}{point.size:04x}") == b"\x83\x04"
    assert word in failing.logged("Error")[-1]
    assert "plug-in extra: read of SunSpec model 64950" in failing.logged("Error")[-1]
    assert failing.server._context.fences.counts["plugin_sunspec_model"] == 1
    with pytest.raises(ConfigError, match="plug-in extra: read of SunSpec model 64950"):
        failing.server.shown_points(64950)
    assert failing.read(704, "WMaxLimPct") == 100
    del failing.made.read
    assert failing.read(64950, "Pct") == 100


@pytest.mark.parametrize("result", [fails, lambda *_: 5, lambda *_: [5], lambda *_: "W"])
def test_an_error_of_write_is_exception_4_and_changes_nothing(failing, result):
    failing.made.write = result
    assert failing.write(64950, Pct=50) == 4
    assert failing.server._context.fences.counts["plugin_sunspec_model"] == 1
    assert failing.device.setpoints.value(MODE) is None


def test_a_not_a_number_is_not_implemented(limited):
    limited.made.read = lambda: {"Pct": float("nan")}
    limited.wait(1)
    assert limited.read(64950, "Pct") is None


def test_a_point_may_be_read_only_on_this_der(make_bench):
    kind, _ = model(writable=lambda self, path: path != "Pct")
    bench = make_bench(models=[kind])
    assert bench.write(64950, Pct=50) == 2
    assert bench.write(64950, Ena=1) == 0


def test_scales_and_counts_of_the_object_win(make_bench):
    kind, _ = model(scales={"Pct_SF": -2})
    bench = make_bench(models=[kind])
    assert bench.write(64950, Ena=1, Pct=33.33) == 0
    assert bench.read(64950, "Pct") == 33.33


def test_a_der_that_it_does_not_suit_has_no_such_model(make_bench):
    kind = SunspecModel(DEFINITION, Limit, suits=lambda nameplate: nameplate.phases == 1)
    assert 64950 not in {block.model_id for block in make_bench(models=[kind]).unit.blocks}
    assert make_bench(models=[kind], device_type="PV-1Phase").read(64950, "Pct") == 100


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"__init__": fails}, "oops"),
        ({"read": fails}, "oops"),
        ({"stamp": fails}, "oops"),
        ({"writable": fails}, "oops"),
        ({"read": None}, r"no read\(\)"),
        ({"write": None}, r"no write\(\)"),
        ({"read": lambda self: {"Pctt": 5}}, "Pctt"),
    ],
)
def test_what_would_fail_later_is_told_at_start(make_bench, changes, words):
    with pytest.raises((PluginError, ConfigError), match=words):
        make_bench(models=[model(**changes)[0]])
