"""`dersim fleet` on two workers of its own: a small run, from its start to its summary."""

from tests.fleet_run.processes import fleet, need_dask, server


def test_two_workers_of_five_ders_join_and_stop(tmp_path):
    need_dask()
    with server(tmp_path) as at, fleet(tmp_path, at, "-N", "10", "--workers", "2", "--duration", "1s") as run:
        assert run.wait_ready()["scheduler"].startswith("tls://127.0.0.1:")
        assert run.ended() == 0
        told = run.log.read_text()
        assert "10 DERs in 2 shards on 2 workers" in told
        assert "all 10 connected after" in told
        assert " 0 errors, " in told.splitlines()[-1]
        assert len(at.get("end-devices")) == 10
        assert not at.violations()
