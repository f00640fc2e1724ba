"""DNS-SD: the TXT records that 2030.5 names, and a look-up over the loopback."""

import sys

import pytest
import trio

from dersim.errors import ConfigError
from dersim.ieee2030_5 import Edition, identity
from dersim.utility import advertisement
from dersim.utility.advertisement import SERVICE, SUBTYPES, instances

CERTIFICATE = b"the server's"
WHO = f"dersim-{identity.sfdi(identity.lfdi(CERTIFICATE)):012d}"


def test_the_main_service_has_no_path():
    first = instances(8443, CERTIFICATE, None)[0]
    assert (first.kind, first.name) == (SERVICE, f"{WHO}.{SERVICE}")
    assert list(first.txt.items()) == [
        ("txtvers", "1"),
        ("dcap", "/dcap"),
        ("https", "8443"),
        ("level", "-S1"),
    ]


def test_each_function_set_has_a_subtype_with_its_path():
    _, *others = instances(8443, CERTIFICATE, None)
    assert {each.kind.partition(".")[0]: each.txt["path"] for each in others} == SUBTYPES
    assert all(next(iter(each.txt)) == "txtvers" for each in others)


@pytest.mark.parametrize(
    ("port", "certificate", "edition", "https", "level"),
    [
        (443, CERTIFICATE, Edition.E2018, "", "-S1"),
        (443, None, None, None, "-S1"),
        (8443, CERTIFICATE, Edition.E2023, "8443", "-S2"),
    ],
)
def test_https_and_level(port, certificate, edition, https, level):
    txt = instances(port, certificate, edition)[0].txt
    assert (txt.get("https"), txt["level"]) == (https, level)


async def test_it_is_found_over_the_loopback_and_gone_afterwards():
    zeroconf = pytest.importorskip("zeroconf")
    lines = []
    found = instances(8443, CERTIFICATE, None)[:1]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(advertisement.advertise, found, "127.0.0.1", 8443, lines.append, lines.append)
        client = await trio.to_thread.run_sync(lambda: zeroconf.Zeroconf(interfaces=["127.0.0.1"]))
        try:
            info = await trio.to_thread.run_sync(client.get_service_info, SERVICE, found[0].name, 5000)
        finally:
            await trio.to_thread.run_sync(client.close)
        assert (info.port, info.parsed_addresses()) == (8443, ["127.0.0.1"])
        assert list(info.decoded_properties.items()) == list(found[0].txt.items())
        nursery.cancel_scope.cancel()


async def test_a_network_without_multicast_is_one_warning(monkeypatch):
    def fail(host):
        raise OSError(19, "No such device")

    monkeypatch.setattr(advertisement, "_open", fail)
    warnings = []
    await advertisement.advertise([], "127.0.0.1", 1, print, warnings.append)
    assert warnings == ["not advertised by DNS-SD: No such device; is there a network with multicast?"]


def test_a_missing_package_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    with pytest.raises(ConfigError, match=r"pip install 'dersim\[dnssd\]'"):
        advertisement.check()
