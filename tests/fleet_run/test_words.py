"""What shards get of a command line."""

from dersim.fleet_run import command
from dersim.fleet_run.words import for_shards


def words_of(*args):
    return for_shards(command._parser(args), args, frozenset({"count", "workers", "seed"}))


def test_flags_of_the_fleet_are_left_out_and_all_others_kept_as_written():
    words, files = words_of(
        *("-N", "9", "--strict", "--workers", "3", "--csip_server_ip=192.0.2.5"),
        *("--pcap", "--seed", "4", "--fail_fast", "yes", "--csip-2018-compat"),
    )
    assert words == [
        *("--strict", "--csip_server_ip=192.0.2.5", "--pcap", "--fail_fast", "yes", "--csip-2018-compat")
    ]
    assert files == {}


def test_files_that_flags_name_travel_with_the_shard(tmp_path):
    weather = tmp_path / "day 1.csv"
    weather.write_text("x")
    for args in (["--dc_profile", str(weather)], [f"--dc_profile={weather}"]):
        words, files = words_of("-N", "9", *args)
        assert words == ["--dc_profile", "{files}/dc_profile.csv"]
        assert files == {"dc_profile.csv": b"x"}


def test_a_load_is_a_power_or_a_file_that_travels(tmp_path):
    load = tmp_path / "load.csv"
    load.write_text("x")
    assert words_of("--site_load", "-500") == (["--site_load", "-500"], {})
    words, files = words_of(f"--site_load={load}")
    assert words == ["--site_load", "{files}/site_load.csv"]
    assert files == {"site_load.csv": b"x"}
