"""A connection by itself: octets over a stream in memory, TLS, what is reported unasked, and errors."""

from __future__ import annotations

import ssl
from argparse import Namespace

import pytest
import trio
from certificates import Ca
from dersim_dnp3.config import Config
from dersim_dnp3.connection import Connection
from dersim_dnp3.conversation import Conversation
from dersim_dnp3.log_lines import LogLines
from dersim_dnp3.masters import Masters
from dersim_dnp3.profile import Profile
from dersim_dnp3.security import Peers, tls_context
from one_der import OneDer
from py1815.application import AppControl, build_confirm, build_request, class_header
from py1815.link import FrameReader, build
from trio.testing import memory_stream_pair

from dersim.plugin import ConfigError, LogBuffer

EVENTS = b"".join(class_header(each) for each in (1, 2, 3))


@pytest.fixture
def outstation():
    return Outstation()


class Outstation:
    """What a listener has of one DER, and its end of connections."""

    def __init__(self, *, unsolicited: bool = False) -> None:
        self.der = OneDer()
        self.said: list[str] = []
        config = Config(1, (4,), Profile(), unsolicited=unsolicited, deadband_pct=1.0)
        station = self.der.station
        self.masters = Masters(
            lambda: station, config, trio.current_time, self.said.append, lambda _anomaly: None
        )
        self.conversation = Conversation()
        self.lines = LogLines(LogBuffer())
        self.ended: list[str] = []
        self.connection: Connection | None = None

    async def serve(self, stream, tls=None, peers=None) -> None:
        self.connection = Connection(1, self.masters, self.conversation, self.lines, 1, "a peer")
        found = await self.connection.serve(stream, tls, peers or Peers(frozenset()), lambda *_arrived: None)
        self.ended.append(found)


class Peer:
    """The master's end of a stream."""

    def __init__(self, stream) -> None:
        self.stream = stream
        self._reader = FrameReader()
        self._fragments = []

    async def send(self, fragment):
        await self.stream.send_all(build(0xC4, 1, 4, b"\xc0" + fragment))

    async def fragment(self):
        """The next one, of one segment."""
        with trio.fail_after(30):
            while not self._fragments:
                data = await self.stream.receive_some(4096)
                assert data, "it was closed"
                self._fragments += [
                    each.payload[1:] for each in self._reader.feed(bytes(data)) if each.payload
                ]
        return self._fragments.pop(0)

    async def fragment_like(self, wanted):
        """The next one that is wanted."""
        while not wanted(found := await self.fragment()):
            pass
        return found


async def test_a_request_is_answered_and_kept_as_conversation(outstation, nursery):
    ours, theirs = memory_stream_pair()
    nursery.start_soon(outstation.serve, theirs)
    peer = Peer(ours)
    await peer.send(build_request(1, sequence=3, body=EVENTS))
    answer = await peer.fragment()
    assert (answer[0] & 0x0F, answer[1]) == (3, 0x81)
    assert [each.direction for each in outstation.conversation.of(1)] == ["in", "out"]
    await ours.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert outstation.ended == [""]
    assert not outstation.masters.all()[0].connected


async def test_it_closes_with_a_reason(outstation, nursery):
    _ours, theirs = memory_stream_pair()
    nursery.start_soon(outstation.serve, theirs)
    await trio.testing.wait_all_tasks_blocked()
    outstation.connection.close("a newer one came")
    await trio.testing.wait_all_tasks_blocked()
    assert outstation.ended == ["a newer one came"]


async def test_events_are_reported_unasked_and_again_until_they_are_confirmed(autojump_clock, nursery):
    outstation = Outstation(unsolicited=True)
    ours, theirs = memory_stream_pair()
    peer = Peer(ours)
    nursery.start_soon(outstation.serve, theirs)
    await peer.send(build_request(1, sequence=0, body=EVENTS))
    # The restart is announced, and confirmed.
    first = await peer.fragment_like(lambda found: found[1] == 0x82)
    await peer.send(build_confirm(sequence=first[0] & 0x0F, unsolicited=True))
    await peer.send(build_request(20, sequence=1, body=EVENTS))
    await peer.fragment_like(lambda found: found[1] == 0x81 and found[0] & 0x0F == 1)
    frozen = await peer.fragment_like(lambda found: found[1] == 0x82)  # the counters, at the start
    await peer.send(build_confirm(sequence=frozen[0] & 0x0F, unsolicited=True))
    outstation.der.ask("opModMaxLimW", 20.0)
    outstation.der.wait(3)
    [association] = outstation.masters.all()
    association.look()
    assert association.events > 3
    outstation.connection.wake()
    reports = [await peer.fragment_like(lambda found: found[1] == 0x82 and len(found) > 4) for _ in range(2)]
    assert reports[0][4:] == reports[1][4:]  # nobody has confirmed it
    control = AppControl.from_byte(reports[1][0])
    assert control.con
    await peer.send(build_confirm(sequence=control.sequence, unsolicited=True))
    await trio.testing.wait_all_tasks_blocked()
    assert association.events == 0


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Ca(tmp_path_factory.mktemp("ca"))


def listening(ca, own, **changes):
    named = {"dnp3_cert": str(own.cert), "dnp3_key": str(own.key), "dnp3_root_cert": str(ca.root)}
    return tls_context(Namespace(**{**named, "dnp3_tls_version": "1.2+1.3", **changes}))


def calling(ca, pair=None):
    context = ssl.create_default_context(cafile=str(ca.root))
    context.check_hostname = False
    if pair is not None:
        context.load_cert_chain(pair.cert, pair.key)
    return context


async def ask_over_tls(outstation, nursery, context, client, peers=None):
    ours, theirs = memory_stream_pair()
    nursery.start_soon(outstation.serve, theirs, context, peers)
    secure = trio.SSLStream(ours, client, https_compatible=True)
    peer = Peer(secure)
    await peer.send(build_request(1, sequence=3, body=EVENTS))
    return await peer.fragment()


async def test_certificates_on_both_sides(outstation, nursery, ca):
    master = ca.pair("master-1")
    context = listening(ca, ca.pair("outstation"))
    assert (await ask_over_tls(outstation, nursery, context, calling(ca, master)))[1] == 0x81
    allowed = Peers(frozenset({"master-1"}))
    assert (await ask_over_tls(outstation, nursery, context, calling(ca, master), allowed))[1] == 0x81
    by_print = Peers(frozenset({master.fingerprint}))
    assert (await ask_over_tls(outstation, nursery, context, calling(ca, master), by_print))[1] == 0x81


@pytest.mark.parametrize("which", ["none", "of another CA", "not allowed"])
async def test_a_master_that_may_not_is_told_in_one_line(outstation, nursery, ca, tmp_path, which):
    context, peers, pair = listening(ca, ca.pair("outstation")), None, None
    if which == "of another CA":
        pair = Ca(tmp_path).pair("master-1")
    elif which == "not allowed":
        pair, peers = ca.pair("master-2"), Peers(frozenset({"master-1"}))
    with pytest.raises((trio.BrokenResourceError, AssertionError)):
        await ask_over_tls(outstation, nursery, context, calling(ca, pair), peers)
    await trio.testing.wait_all_tasks_blocked()
    [why] = outstation.ended
    assert (
        ("master-2" in why and "--dnp3_peers" in why) if peers else why.startswith("TLS handshake failed: ")
    )
    assert "\n" not in why
    assert not outstation.masters.all()


def test_a_bad_file_names_its_flag(ca, tmp_path):
    own = ca.pair("outstation")
    with pytest.raises(ConfigError, match="--dnp3_cert: --dnp3_enc yes needs a PEM file"):
        listening(ca, own, dnp3_cert="")
    with pytest.raises(ConfigError, match=r"--dnp3_key .*: is not the key of the certificate"):
        listening(ca, own, dnp3_key=str(ca.pair("other").key))
