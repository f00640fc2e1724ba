"""A Modbus server with the faults of real devices: `answer` says what each read gets."""

import contextlib
import socket
import struct
import threading


def plain(words, base=40000):
    """What a good device answers: a list of registers, or the code of an exception."""

    def answer(address, count, unit=1):
        first = address - base
        return words[first : first + count] if 0 <= first <= len(words) - count else 2

    return answer


@contextlib.contextmanager
def served(answer, *, once=False):
    """Serve; gives the port. answer(address, count, unit): registers, an exception code, or None: silence.

    once: the connection ends after each answer.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    open_ones = [listener]

    def serve(connection):
        with contextlib.suppress(OSError, struct.error):
            while True:
                head = connection.recv(12, socket.MSG_WAITALL)
                tid, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", head)
                found = answer(address, count, unit)
                if isinstance(found, int):
                    body = bytes([function | 0x80, found])
                elif found is not None:
                    body = struct.pack(f">BB{len(found)}H", function, 2 * len(found), *found)
                if found is not None:
                    connection.sendall(struct.pack(">HHHB", tid, 0, len(body) + 1, unit) + body)
                if once:
                    connection.close()

    def accept():
        with contextlib.suppress(OSError):
            while True:
                open_ones.append(listener.accept()[0])
                threading.Thread(target=serve, args=(open_ones[-1],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for one in open_ones:
            one.close()
