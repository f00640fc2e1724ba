"""Packets around recorded payloads: what live connections do not reach."""

import pytest
from tests.http11 import captures

from dersim.http11.pcapng import pcapng
from dersim.http11.recorder import FlowView, Lost, Recording, Segment
from dersim.http11.tcp_packets import checksum_of

CLIENT, SERVER = ("192.0.2.1", 50_000), ("192.0.2.2", 8443)


def flow(*segments, lost=Lost(), ending="open", opening=()):  # noqa: B008 - a tuple
    return FlowView(3, CLIENT, SERVER, 100, opening, segments, lost, ending, 900, b"")


def read(*flows, lost_flows=0):
    return captures.read(pcapng(Recording(flows, lost_flows, 64 << 20), "test"))


@pytest.mark.parametrize("data", [b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", b"\xff" * 9, b"\x00\x01", b"a" * 3001])
def test_the_checksum_completes_the_sum_of_rfc_1071(data):
    padded = data + b"\x00" * (len(data) % 2)
    assert captures.ones_complement_sum(padded + checksum_of(data).to_bytes(2, "big")) == 0xFFFF


def test_sequence_numbers_wrap():
    lost = Lost(exchanges=9, sent_bytes=2**32 - 3, received_bytes=5, until_ns=150)
    capture = read(flow(Segment(200, True, b"abcdef"), Segment(300, False, b"g"), lost=lost))
    sent, received = capture.packets[3:]
    assert (sent.sequence, sent.acknowledged) == (2**32 - 2, 6)
    assert (received.sequence, received.acknowledged) == (6, 4)
    assert (
        sent.comment
        == f"the buffer was full: 9 exchanges ({2**32 + 2} bytes) before this packet were dropped"
    )


def test_times_do_not_fall_where_the_machines_clock_was_set_back():
    capture = read(flow(Segment(500, True, b"a"), Segment(50, False, b"b"), ending="ours"))
    assert [packet.time_ns for packet in capture.packets] == [100] * 3 + [500] * 2 + [900] * 3


def test_a_reset_comes_from_the_server():
    last = read(flow(Segment(500, True, b"a"), ending="reset")).packets[-1]
    assert (last.source, last.flags & captures.RST) == (SERVER, captures.RST)


def test_connections_are_merged_by_time():
    one = flow(Segment(200, True, b"a"), Segment(400, False, b"b"))
    two = flow(Segment(300, True, b"c"))._replace(client=("192.0.2.1", 50_001))
    assert [packet.data for packet in read(one, two).packets if packet.data] == [b"a", b"c", b"b"]


def test_the_file_says_what_is_missing():
    capture = read(flow(lost=Lost(4, 10, 10, 1)), lost_flows=2)
    assert (
        "buffer of 64 MiB was full; the oldest were dropped: 2 connections and 4 exchanges" in capture.comment
    )
    assert "MiB" not in read(flow()).comment


def test_nothing_recorded_is_a_file_without_packets():
    assert read().packets == []
