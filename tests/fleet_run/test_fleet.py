"""`dersim fleet` on two workers of its own: a small run, from its start to its summary."""

import json

import pytest
from tests.fleet_run.processes import fleet, need_dask, server, until

from dersim.cli.sim_options import add_general
from dersim.fleet_plan import FleetPlan, Group
from dersim.fleet_run.fleet import dated
from dersim.options import OptionParser


@pytest.mark.parametrize(
    ("flags", "is_dated"), [([], True), (["--rate", "2"], False), (["--start_clock_time", "06:00"], False)]
)
def test_a_shard_that_is_restarted_goes_on_with_the_churn_of_the_run_where_its_time_is_real(flags, is_dated):
    parser = OptionParser()
    add_general(parser)
    ders = dated(FleetPlan((Group("a", 1, 2),), 1, 2), parser.parse_args(flags))
    assert (ders.began_s is not None) is is_dated


def test_two_workers_of_five_ders_join_are_measured_and_stop(tmp_path):
    need_dask()
    words = ["-N", "10", "--workers", "2", "--json", "load.json", "--fail", "p95(GET Time) < 1us"]
    with server(tmp_path) as at, fleet(tmp_path, at, *words) as run:
        assert run.wait_ready()["scheduler"].startswith("tls://127.0.0.1:")
        until(lambda: "all 10 connected after" in run.log.read_text(), 45)
        assert run.stop() == 3
        told = run.log.read_text()
        assert "10 DERs in 2 shards on 2 workers" in told
        assert " 0 errors, " in next(line for line in told.splitlines() if "10 DERs for" in line)
        load = json.loads((tmp_path / "load.json").read_text())
        assert (load["result"], load["head"]["devices"]) == ("failed", 10)
        assert load["head"]["target"] == f"https://127.0.0.1:{at.port}/dcap"
        assert sum(each["count"] for each in load["kinds"] if each["kind"] == "GET Time") >= 10
        assert load["handshakes"]["full"]["count"] == 10
        assert len(at.get("end-devices")) == 10
        assert not at.get("violations")
        assert at.get("server")["shared_lfdis"] == 0
