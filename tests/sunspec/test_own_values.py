"""Every RW point takes back the value that it shows, and nothing changes by that."""

from __future__ import annotations

import pytest
from tests.sunspec.conftest import Bench

from dersim.plugin.builtin import DEVICE_TYPES


def rw_points(bench):
    for block in bench.unit.blocks:
        for point in block.layout.points:
            # Set 1 of a model with curves says of itself that it is read-only.
            read_only = point.path.startswith(("Crv[0]", "Ctl[0]"))
            if point.writable and not read_only and block.shown()[point.path] is not None:
                yield block, point.path


def registers(bench):
    return {block.model_id: block.shown() for block in bench.unit.blocks}


@pytest.mark.parametrize("kind", DEVICE_TYPES, ids=lambda kind: kind.name)
def test_every_rw_point_takes_back_its_own_value(kind):
    bench = Bench(device_type=kind)
    before = registers(bench)
    settings = bench.device.settings.as_dict()
    refused = []
    for block, path in list(rw_points(bench)):
        value = block.shown()[path]
        if code := bench.write_points(block.model_id, {path: value}):
            refused.append((block.model_id, path, value, code, bench.logged()[-1:]))
    assert not refused, "\n".join(map(str, refused))
    assert bench.device.settings.as_dict() == settings
    after = registers(bench)
    changed = {
        (model, path): (old, after[model][path])
        for model, points in before.items()
        for path, old in points.items()
        if after[model][path] != old
    }
    assert not changed, changed


def test_the_ramp_takes_back_its_rounded_value(bench):
    bench.device.settings.update({"setGradW": 33.3})
    assert bench.write(704, WRmp=bench.read(704, "WRmp")) == 0
    assert bench.device.settings.setGradW == 33.3
