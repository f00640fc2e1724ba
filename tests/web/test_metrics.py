"""The Prometheus page."""

import re

import pytest

from dersim.metric_families import MetricFamily

LINE = re.compile(r'^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+$')


def samples(body):
    lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
    assert all(LINE.match(line) for line in lines), lines
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


async def test_each_der_has_its_lines_in_a_small_fleet(open_site):
    async with open_site(count=2) as site:
        answer = await site("GET", "/metrics")
    found = samples(answer.body)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert found['dersim_active_power_watts{device="2"}'] == 8002
    assert found['dersim_exported_watthours_total{device="1"}'] == 3000
    assert found['dersim_csip_clients{state="connected"}'] == 2
    assert found['dersim_csip_puts_total{device="1"}'] == 3
    assert found['dersim_csip_control_reaction_seconds{device="2"}'] == 0.25
    assert found["dersim_loop_lag_seconds"] == 0


async def test_a_large_fleet_has_sums_and_no_label_per_der(open_site):
    async with open_site(count=51) as site:
        found = samples((await site("GET", "/metrics")).body)
    assert not any("device=" in name for name in found)
    assert found["dersim_active_power_watts"] == pytest.approx(51 * 8000 + sum(range(1, 52)))
    assert found["dersim_csip_puts_total"] == 51 * 3
    assert found["dersim_devices"] == 51


async def test_without_csip_there_are_no_lines_of_it(open_site):
    async with open_site(csip=False) as site:
        assert b"csip" not in (await site("GET", "/metrics")).body


async def test_help_and_type_stand_once_before_each_name(open_site):
    async with open_site(count=3) as site:
        lines = (await site("GET", "/metrics")).body.decode().splitlines()
    types = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(types) == len(set(types))
    for position, line in enumerate(lines):
        if not line.startswith("#"):
            name = re.split(r"[{ ]", line)[0]
            assert f"# TYPE {name}" in "\n".join(lines[:position])


async def test_what_binds_and_the_return_to_service(open_site):
    async with open_site(count=3) as site:
        limited, tripped, entering = site.context.fleet.devices
        for device in site.context.fleet.devices:
            device.begin()
        limited.settings.update({"setMaxW": 5000.0})
        tripped.inputs.set(voltage_pu=1.3)
        entering.command("stop")
        limited.step(10.0)
        tripped.step(10.0)
        tripped.inputs.set(voltage_pu=1.0)
        tripped.step(30.0)
        found = samples((await site("GET", "/metrics")).body)
    assert found['dersim_binding_limit_watts{device="1",mode="setMaxW"}'] == 5000
    assert found['dersim_binding_limit_watts{device="2",mode="trip"}'] == 0
    assert found['dersim_binding_limit_vars{device="2",mode="trip"}'] == 0
    assert found['dersim_return_to_service_seconds{device="2"}'] == 280
    assert not any("ramp_percent" in name for name in found)


async def test_a_part_adds_metrics_and_one_that_fails_leaves_out_its_own(open_site):
    def fails():
        raise RuntimeError("no numbers")

    async with open_site() as site:
        losses = MetricFamily("dersim_losses_watts", "gauge", "Lost.", [({"feeder": 'a "b"'}, 12.5), ({}, 1)])
        site.context.metrics |= {"bad": fails, "feeder": lambda: [losses]}
        body = (await site("GET", "/metrics")).body.decode()
    assert 'dersim_losses_watts{feeder="a \\"b\\""} 12.5' in body
    assert "dersim_losses_watts 1\n" in body
    assert "# TYPE dersim_losses_watts gauge" in body
    assert 'dersim_unexpected_errors_total{place="metrics"} 1' in body
