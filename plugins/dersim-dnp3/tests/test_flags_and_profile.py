"""Flags, a point table of one's own, and the masters that may speak."""

from __future__ import annotations

import json
from argparse import Namespace

import pytest
from dersim_dnp3.config import Config, _peers, config_of, remotes
from dersim_dnp3.masters import FirstFrame, Masters
from dersim_dnp3.profile import Profile, read_profile
from dersim_dnp3.security import Peers
from one_der import OneDer
from py1815.control import CommandStatus
from py1815.profile.model import Kind

from dersim.plugin import ConfigError


def options(**changes):
    named = {
        "dnp3_outstation_addr": 1,
        "dnp3_remote_addr": (4,),
        "dnp3_profile": None,
        "dnp3_unsolicited": False,
        "dnp3_deadband": 1.0,
        "dnp3_enc": False,
        **dict.fromkeys(("dnp3_cert", "dnp3_key", "dnp3_root_cert", "dnp3_peers"), ""),
    }
    return Namespace(**{**named, **changes})


def profile(tmp_path, document):
    path = tmp_path / "points.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return read_profile(path)


def test_masters_by_their_link_addresses():
    assert remotes("4") == (4,)
    assert remotes("4, 5,4") == (4, 5)
    assert remotes("any") == ()
    for text in ("", "4,", "65520", "-1", "all"):
        with pytest.raises(Exception, match="link address"):
            remotes(text)


def test_a_master_cannot_have_the_outstations_address():
    with pytest.raises(ConfigError, match="--dnp3_remote_addr 1: is the outstation's own"):
        config_of(options(dnp3_remote_addr=(1, 4)))


def test_certificates_without_tls_are_refused():
    with pytest.raises(ConfigError, match="--dnp3_cert, --dnp3_peers: only with --dnp3_enc yes"):
        config_of(options(dnp3_cert="a.pem", dnp3_peers=frozenset({"x"})))
    config_of(options(dnp3_cert="a.pem", dnp3_enc=True))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("nothing", "Expecting value"),
        ([], "give an object such as"),
        ({"points": {"XX1": {}}}, "'XX1' is no point"),
        ({"points": {"AI70000": {}}}, "'AI70000' is no point"),
        ({"points": {"AI537": 5}}, "give an object with some of serve"),
        ({"points": {"AI537": {"scale": 1}}}, "'scale' is not known"),
        ({"points": {"AI537": {"multiplier": 0}}}, "AI537.multiplier: 0 is no value of it"),
        ({"points": {"AI537": {"multiplier": True}}}, "AI537.multiplier: true is no value of it"),
        ({"points": {"AI537": {"class": 4}}}, "give 0 to 3"),
        ({"points": {"CTR0": {"class": 1}}}, "of a counter give serve, index and name alone"),
    ],
)
def test_a_bad_table_is_told_in_one_line(tmp_path, document, words):
    with pytest.raises(ConfigError, match=words) as caught:
        profile(tmp_path, document)
    assert "--dnp3_profile" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_of_ones_own(tmp_path):
    own = profile(
        tmp_path,
        {
            "points": {
                "AI537": {"index": 1537, "multiplier": 10, "class": 1, "deadband": 50, "name": "P"},
                "AO88": {"index": 703, "multiplier": 1},
                "AI149": {"index": 2000},
                "BO17": {"index": 1017},
                "AO87": {"serve": False},
            }
        },
    )
    der = OneDer(profile=own)
    assert der.read("AI1537") == pytest.approx(7000, abs=10)
    assert der.station.map.get("AI", 537) is None
    assert der.station.map.get("AO", 87) is None
    with pytest.raises(ConfigError, match="two points are to be AO3"):
        OneDer(profile=Profile({(Kind.AO, 88): {"index": 3}}, "--dnp3_profile p.json"))


def test_a_moved_function_works_at_its_new_place(tmp_path):
    own = profile(
        tmp_path,
        {
            "points": {
                "AO88": {"index": 700, "multiplier": 1},
                "AI149": {"index": 2000},
                "BO17": {"index": 1017},
            }
        },
    )
    der = OneDer(profile=own)
    assert der.command("AO700", 40) is CommandStatus.SUCCESS
    assert der.read("AI2000") is None
    assert der.command("BO1017", True) is CommandStatus.SUCCESS
    assert der.device.setpoints.value("opModMaxLimW") == 40
    assert der.read("AI2000") == 40


def test_a_point_that_no_der_has_is_told():
    own = Profile({(Kind.AI, 9999): {"class": 1}}, "--dnp3_profile p.json")
    with pytest.raises(ConfigError, match=r"p\.json: there is no point AI9999"):
        OneDer(profile=own).station.check_profile()


def masters(der, allowed, said):
    config = Config(1, allowed, Profile(), unsolicited=False, deadband_pct=1.0)
    return Masters(lambda: der.station, config, lambda: der.clock.time_s, said.append, lambda _anomaly: None)


def test_the_number_of_masters_is_bounded():
    der, said = OneDer(), []
    some = masters(der, (), said)
    kept = [some.of(address) for address in range(10, 14)]
    for each in kept:
        each.begin("a connection")
    assert some.of(14) is None
    assert "4 others are connected" in said[0]
    kept[2].end("a connection")
    assert some.of(14) is not None  # in the place of the one that is away
    assert some.of(11) is kept[1]
    assert len(some) == 4


def test_a_master_keeps_its_events_over_a_reconnect():
    der, said = OneDer(), []
    some = masters(der, (4,), said)
    first = some.of(4)
    der.ask("opModMaxLimW", 20.0)
    der.wait(5)
    first.look()
    waiting = first.events
    assert waiting > 3
    first.begin("one")
    first.begin("two")
    first.end("one")  # the old connection ends late
    assert first.connected
    assert some.of(4).events == waiting
    assert some.of(5) is None
    assert said == ["master 5 is not one of --dnp3_remote_addr 4: not answered"]


def test_the_first_frame_tells_the_master_whatever_came_before_it():
    from py1815.link import build

    frame = build(0xC4, 1, 9, b"\xc0\xc0\x01")
    other = build(0xC4, 2, 8, b"\xc0\xc0\x01")
    first = FirstFrame(1)
    assert first.feed(b"\x05\x05" + other + frame[:7]) is None
    source, octets = first.feed(frame[7:])
    assert source == 9
    assert octets.endswith(frame)
    flooded = FirstFrame(1)
    for _ in range(100):
        assert flooded.feed(b"\x05\x64" * 500) is None
    assert len(flooded._held) <= 292
    for _ in range(100):  # of a master that may not speak
        assert flooded.feed(frame) is not None
    assert len(flooded._held) <= 292


def test_certificates_that_are_let_in():
    assert Peers(frozenset()).objection(b"whatever") == ""
    assert _peers("AB:CD, Master-1 ") == {"abcd", "master-1"}
