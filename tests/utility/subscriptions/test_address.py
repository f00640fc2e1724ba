"""Where the server may send to: to the address that subscribed, or by flags elsewhere."""

import pytest

from dersim.utility.config import UtilityConfig
from dersim.utility.refusal import RequestRefused
from dersim.utility.subscriptions.address import Address, address_of, check_address

ENCRYPTED = UtilityConfig()


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("https://192.0.2.7", Address(True, "192.0.2.7", 443, "/")),
        ("https://192.0.2.7:9443/a?b=c", Address(True, "192.0.2.7", 9443, "/a?b=c")),
        ("http://hub.example/a", Address(False, "hub.example", 80, "/a")),
        ("https://[2001:db8::7]:1/a", Address(True, "2001:db8::7", 1, "/a")),
    ],
)
def test_an_absolute_uri_is_an_address(uri, address):
    assert address_of(uri) == address


@pytest.mark.parametrize(
    ("uri", "peer"),
    [
        ("https://192.0.2.7:9443/", "192.0.2.7:50000"),
        ("https://[2001:db8::7]/", "2001:db8::7:50000"),
        ("https://[2001:0db8:0::7]/", "2001:db8::7:50000"),
        ("https://192.0.2.7/", "::ffff:192.0.2.7:50000"),
    ],
)
def test_a_client_may_name_its_own_address(uri, peer):
    check_address(uri, peer, ENCRYPTED)


@pytest.mark.parametrize(
    ("uri", "peer"),
    [
        ("https://192.0.2.8/", "192.0.2.7:50000"),
        ("https://127.0.0.1:8444/", "192.0.2.7:50000"),
        ("https://[::1]/", "127.0.0.1:50000"),
        ("https://169.254.169.254/", "192.0.2.7:50000"),
        ("https://3221225991/", "192.0.2.7:50000"),  # 192.0.2.7 as one number
        ("https://hub.example/", "192.0.2.7:50000"),
        ("https://192.0.2.7/", "(memory)"),
    ],
)
def test_and_no_other(uri, peer):
    with pytest.raises(RequestRefused, match="its host must be"):
        check_address(uri, peer, ENCRYPTED)
    check_address(uri, peer, UtilityConfig(notify_hosts="anywhere"))
