"""The folder of a test PKI: names, contents, making more on demand."""

import shutil
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dersim import pki, tls
from dersim.errors import ConfigError


@pytest.fixture
def folder(tmp_path):
    return pki.create(tmp_path / "pki", 2)


def test_the_files_are_named_as_the_reference_pki_names_them(folder):
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "cert_root.pem",
        "cert_ca.pem",
        "key_ca.pem",
        *(f"{kind}{suffix}.pem" for kind in ("cert", "key") for suffix in ("", "_1", "_2", "_server")),
    }


def test_every_pem_file_says_that_it_is_for_tests(folder):
    for path in folder.glob("*.pem"):
        assert "TEST PKI" in path.read_text().splitlines()[0]


def test_keys_are_for_the_owners_eyes(folder):
    for path in folder.glob("key*.pem"):
        assert path.stat().st_mode & 0o077 == 0


def test_all_identities_differ(folder):
    files = [folder / f"cert{suffix}.pem" for suffix in ("", "_1", "_2", "_server")]
    assert len({pki.describe(file).lfdi for file in files}) == 4


def test_certificate_files_hold_the_chain_without_the_root(folder):
    root = x509.load_pem_x509_certificate((folder / "cert_root.pem").read_bytes())
    leaf, issuer = x509.load_pem_x509_certificates((folder / "cert_1.pem").read_bytes())
    leaf.verify_directly_issued_by(issuer)
    issuer.verify_directly_issued_by(root)


def test_create_does_not_touch_a_pki_that_is_there(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ConfigError, match="holds a PKI already"):
        pki.create(folder, 3)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_more_are_made_on_demand_and_stay(folder):
    pair = pki.ensure_device(folder, 3)
    assert (pair.cert.name, pair.key.name) == ("cert_3.pem", "key_3.pem")
    first = pair.cert.read_bytes()
    assert pki.ensure_device(folder, 3).cert.read_bytes() == first
    tls.client_context(pair.cert, pair.key, folder / "cert_root.pem")


def test_a_pair_that_is_there_needs_no_ca(folder):
    (folder / "key_ca.pem").unlink()
    assert pki.ensure_device(folder, 2).cert == folder / "cert_2.pem"
    assert pki.ensure_device(folder, None).key == folder / "key.pem"


@pytest.mark.parametrize(
    ("gone", "named"),
    [(("cert_2.pem",), "cert_2"), (("key_2.pem",), "key_2"), (("cert_2.pem", "key_2.pem"), "cert_2")],
)
def test_without_the_ca_the_missing_file_is_named(folder, gone, named):
    for name in ("key_ca.pem", *gone):
        (folder / name).unlink()
    with pytest.raises(ConfigError, match=rf"{named}\.pem: no such file") as caught:
        pki.ensure_device(folder, 2)
    assert "\n" not in str(caught.value)


def test_a_lost_key_is_not_replaced_under_the_same_certificate(folder):
    (folder / "key_2.pem").unlink()
    with pytest.raises(ConfigError, match=r"key_2\.pem"):
        pki.ensure_device(folder, 2)
    assert not (folder / "key_2.pem").exists()


def test_a_lost_certificate_is_made_anew_for_its_key(folder):
    key = (folder / "key_2.pem").read_bytes()
    (folder / "cert_2.pem").unlink()
    pair = pki.ensure_device(folder, 2)
    assert pair.key.read_bytes() == key
    certificate = x509.load_pem_x509_certificates(pair.cert.read_bytes())[0]
    assert certificate.public_key() == load_pem_private_key(key, None).public_key()


def test_a_damaged_ca_is_one_clear_line(folder):
    (folder / "key_ca.pem").write_text("damaged")
    with pytest.raises(ConfigError, match="the test CA cannot be used"):
        pki.ensure_device(folder, 9)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match=r"cert\.pem: no such file"):
        pki.ensure_device(tmp_path / "nowhere", None)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        pki.create(tmp_path / "file" / "pki", 1)


def test_many_at_once_end_with_matching_pairs(folder):
    def make():
        for number in range(10, 20):
            pki.ensure_device(folder, number)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(10, 20):
        tls.client_context(
            folder / f"cert_{number}.pem", folder / f"key_{number}.pem", folder / "cert_root.pem"
        )
    assert not list(folder.glob(".new-*"))


def test_the_bundled_pki_is_that_of_the_checkout():
    folder = pki.bundled_dir()
    assert folder.name == "certs"
    for number in range(1, 11):
        assert (folder / f"cert_{number}.pem").is_file()
    assert pki.describe(folder / "cert.pem").refusals == ()


def test_without_a_checkout_the_cache_folder_gets_one(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("dersim.pki.ensure.__file__", str(tmp_path / "a" / "b" / "c" / "folder.py"))
    folder = pki.bundled_dir()
    assert folder == tmp_path / "dersim" / "test-pki"
    before = (folder / "cert_root.pem").read_bytes()
    assert pki.bundled_dir() == folder
    assert (folder / "cert_root.pem").read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["test-pki"]


def test_another_process_may_be_faster(tmp_path, monkeypatch, folder):
    """Between our look and our move the folder has appeared: theirs stays, ours goes."""
    from dersim.pki import ensure as module

    real_create = module.create

    def create_slowly(fresh):
        real_create(fresh, 0)
        shutil.copytree(folder, tmp_path / "dersim" / "test-pki")

    monkeypatch.setattr(module, "create", create_slowly)
    made = module._made_once(tmp_path / "dersim" / "test-pki")
    assert (made / "cert_root.pem").read_bytes() == (folder / "cert_root.pem").read_bytes()
    assert [path.name for path in made.parent.iterdir()] == ["test-pki"]


def test_a_certificate_without_its_key_in_a_new_folder_is_named(tmp_path):
    (tmp_path / "cert.pem").write_text("x")
    with pytest.raises(ConfigError, match=r"key\.pem: no such file, and cert\.pem is there; give its key"):
        pki.ensure_device(tmp_path, None)
