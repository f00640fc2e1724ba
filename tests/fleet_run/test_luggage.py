"""Certificates as bytes, and the ways that private keys may take."""

from argparse import Namespace

import pytest

from dersim import pki
from dersim.errors import ConfigError
from dersim.fleet_plan import FleetPlan, Group
from dersim.fleet_run import luggage
from dersim.fleet_run.plan import cut

CHECKOUT = pki.bundled_dir()


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki") / "mine", 2)


NOBODY = FleetPlan((), 1, 0)


def of(path=None, ders=NOBODY, files=None, **more):
    given = {"csip_cert": None, "csip_key": None, "csip_root_cert": None, "use_test_pki_certs": path}
    return luggage.Luggage(Namespace(**{**given, **more}), ders, files or {})


def shards(*groups):
    ders = FleetPlan(groups, groups[0].first, sum(group.count for group in groups))
    return ders, cut(ders, 250, [], 1).shards[0]


def test_a_shard_gets_the_pairs_of_its_ders_and_never_the_key_of_the_ca(private):
    ders, shard = shards(Group("", 2, 2))
    packed = of(private, ders, {"dc_profile.csv": b"x"}).pack(shard)
    names = {"cert_root.pem", "cert_2.pem", "key_2.pem", "cert_3.pem", "key_3.pem"}
    assert set(packed) == {f"certs-0/{name}" for name in names} | {"dc_profile.csv"}
    # made, as the folder has the CA's key
    assert packed["certs-0/key_3.pem"] == (private / "key_3.pem").read_bytes()


def test_groups_have_folders_and_files_of_their_own(private, tmp_path):
    other = pki.create(tmp_path / "other", 2)
    plate = tmp_path / "a.json"
    plate.write_bytes(b"{}")
    ders, shard = shards(
        Group("a", 1, 1, {"nameplate": plate}), Group("b", 2, 1, {"use_test_pki_certs": other})
    )
    packed = of(private, ders)
    found = packed.pack(shard)
    assert packed.places == {str(private): "certs-0", str(plate): "file-0.json", str(other): "certs-1"}
    assert found["file-0.json"] == b"{}"
    assert found["certs-1/cert_2.pem"] == (other / "cert_2.pem").read_bytes()
    assert "certs-0/cert_2.pem" not in found


def test_another_root_replaces_that_of_the_folder(private, tmp_path):
    root = tmp_path / "other.pem"
    root.write_bytes(b"root")
    ders, shard = shards(Group("", 1, 1))
    assert of(private, ders, csip_root_cert=root).pack(shard)["certs-0/cert_root.pem"] == b"root"


def test_one_pair_for_a_fleet_is_refused(private):
    with pytest.raises(ConfigError, match=r"--csip_cert: each DER of a fleet has a certificate of its own"):
        of(private, csip_cert=private / "cert.pem")


def test_private_keys_cross_no_network_in_clear(private):
    with pytest.raises(ConfigError, match=r"tcp://192\.0\.2\.9:8786: the private keys in .* in clear"):
        luggage.check_way("tcp://192.0.2.9:8786", of(private))
    for way in ("tls://192.0.2.9:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:8786"):
        luggage.check_way(way, of(private))


@pytest.mark.skipif(not (CHECKOUT.parent / "pyproject.toml").is_file(), reason="no checkout")
def test_the_keys_of_the_repository_may_go_any_way():
    luggage.check_way("tcp://192.0.2.9:8786", of())


def test_files_are_written_for_this_user_alone(tmp_path):
    luggage.unpack({"c/key_1.pem": b"k"}, tmp_path / "a")
    for folder in (tmp_path / "a", tmp_path / "a" / "c"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "c" / "key_1.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a" / "c" / "key_1.pem").read_bytes() == b"k"
