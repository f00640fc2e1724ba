"""Receiving through one buffer: what came, and no block of 64 kB left in the heap."""

import threading
import tracemalloc

from dersim.receiving import RECEIVE_BYTES, receive


def put(data):
    def read_into(buffer):
        count = min(len(data), len(buffer))
        buffer[:count] = data[:count]
        return count

    return read_into


def test_exactly_what_came_is_returned_and_kept():
    first = receive(put(b"one"))
    assert receive(put(b"twenty")) == b"twenty"
    assert first == b"one"
    assert receive(put(b"")) == b""
    assert receive(put(b"three"), 2) == b"th"
    assert len(receive(put(bytes(100_000)), 100_000)) == RECEIVE_BYTES


def test_a_read_makes_no_block_larger_than_what_came():
    receive(put(b"the buffer is there"))
    tracemalloc.start()
    try:
        held = [receive(put(b"x" * 100)) for _ in range(100)]
        assert tracemalloc.get_traced_memory()[1] < 100 * 400
    finally:
        tracemalloc.stop()
    assert held == [b"x" * 100] * 100


def test_two_threads_have_two_buffers():
    seen, may_go = [], threading.Event()

    def slowly(buffer):
        buffer[:1] = b"a"
        may_go.wait(5)
        return 1

    thread = threading.Thread(target=lambda: seen.append(receive(slowly)))
    thread.start()
    assert receive(put(b"b")) == b"b"
    may_go.set()
    thread.join()
    assert seen == [b"a"]
