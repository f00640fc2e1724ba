"""pysunspec2 1.1.5, as Home Assistant pins it, in an environment of its own, against the running simulator.

It needs a package index the first time; the environment is kept in the user's cache. Runs where
DERSIM_OLD_PYSUNSPEC2=yes (``tox -e old-pysunspec2``) says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from tests.interop.processes import program

VERSION = "1.1.5"
pytestmark = pytest.mark.skipif(
    os.environ.get("DERSIM_OLD_PYSUNSPEC2") != "yes",
    reason="installs pysunspec2 1.1.5 from a package index: set DERSIM_OLD_PYSUNSPEC2=yes",
)

SCAN = """
import json, sys
import sunspec2.modbus.client as client
where = {"ipaddr": "127.0.0.1", "ipport": int(sys.argv[1])}
device = client.SunSpecModbusClientDeviceTCP(slave_id=1, timeout=5, **where)
device.scan()
models = [each for each in device.models if isinstance(each, int)]
for model in models:
    device.models[model][0].read()
measured = device.models[701][0]
power = [measured.W.cvalue, device.models[103][0].W.cvalue]
limit = device.models[123][0]
limit.WMaxLimPct.cvalue, limit.WMaxLim_Ena.value = 40, 1
limit.write()
limit.read()
if 124 in models:
    storage = device.models[124][0]
    storage.StorCtl_Mod.value, storage.OutWRte.cvalue = 2, -50
    storage.write()
    storage.read()
    assert (storage.StorCtl_Mod.value, storage.OutWRte.cvalue) == (2, -50)
values = [limit.WMaxLimPct.cvalue, limit.WMaxLim_Ena.value, measured.Hz.cvalue, measured.LLV.cvalue]
first = [device.models[705][0].Crv[0].Pt[i].V.cvalue for i in range(4)]
device.close()
print(json.dumps({"models": models, "power": power, "values": values, "first": first}))
"""


@pytest.fixture(scope="session")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dersim"
    folder = cache / f"pysunspec2-{VERSION}-py{sys.version_info[0]}{sys.version_info[1]}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / "complete").exists():
        venv.create(folder, with_pip=True, clear=True)
        wanted = [f"pysunspec2=={VERSION}", "pyserial"]
        subprocess.run(
            [python, "-m", "pip", "install", "-qq", "--no-input", *wanted], check=True, timeout=300
        )
        (folder / "complete").touch()
    return python


@pytest.mark.parametrize(
    ("kind", "watts"), [("PV-3Phase", 7005), ("Batt-3Phase", 0), ("HybridDC-3Phase", 7005)]
)
def test_the_old_library_scans_and_reads_every_model_it_knows(
    old_python: Path, tmp_path: Path, kind: str, watts: int
) -> None:
    sim = ("dersim", "sim", "--plugins", "modbus", "--mb_port", "0", "--device_type", kind)
    with program(*sim, cwd=tmp_path) as inverter:
        port = inverter.ready()["modbus"].rpartition(":")[2]
        done = subprocess.run(
            [old_python, "-c", SCAN, port], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert inverter.stop() == 0
    storage = [124] if kind != "PV-3Phase" else []
    legacy, der = [1, 103, 120, 121, 122, 123, *storage, 160], list(range(701, 716))
    assert told["models"][: len(legacy) + len(der)] == legacy + der
    assert told["power"] == [watts, watts]
    assert (802 in told["models"]) == bool(storage)
    assert told["values"] == [40, 1, 60, 480]
    assert told["first"] == [92, 98, 102, 108]
