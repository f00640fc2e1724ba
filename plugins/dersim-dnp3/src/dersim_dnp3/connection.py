"""One connection of a master: octets in, octets out, and what is reported unasked."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import trio

from dersim_dnp3.association import Association
from dersim_dnp3.conversation import Conversation
from dersim_dnp3.log_lines import LogLines
from dersim_dnp3.masters import FirstFrame, Masters
from dersim_dnp3.security import Peers, reason_of

_CHUNK = 4096
_HANDSHAKE_S = 10.0
_SEND_S = 10.0

Arrived = Callable[["Connection", Association], None]


class Connection:
    """`association`: its master's, None before the first good frame."""

    def __init__(
        self,
        address: int,
        masters: Masters,
        conversation: Conversation,
        lines: LogLines,
        device: int,
        peer: str,
    ) -> None:
        self.peer = peer
        self.association: Association | None = None
        self._masters = masters
        self._conversation = conversation
        self._lines = lines
        self._device = device
        self._number = conversation.connection()
        self._first = FirstFrame(address)
        self._scope = trio.CancelScope()
        self._why = ""
        self._due = trio.Event()
        self._sending = trio.Lock()

    def close(self, why: str) -> None:
        """End it; `serve` returns the reason."""
        self._why = why
        self._scope.cancel()

    def wake(self) -> None:
        """Something may be due unasked."""
        self._due.set()

    async def serve(
        self, stream: trio.SocketStream, tls: ssl.SSLContext | None, peers: Peers, arrived: Arrived
    ) -> str:
        """Serve until the master closes it; why it ended early, or ""."""
        try:
            async with stream:
                with self._scope:
                    return await self._secured(stream, tls, peers, arrived)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return ""  # the other side went away
        finally:
            if self.association is not None:
                self.association.end(self)
        return self._why

    async def _secured(
        self, bare: trio.SocketStream, tls: ssl.SSLContext | None, peers: Peers, arrived: Arrived
    ) -> str:
        if tls is None:
            return await self._converse(bare, arrived)
        secure = trio.SSLStream(bare, tls, server_side=True, https_compatible=True)
        try:
            with trio.fail_after(_HANDSHAKE_S):
                await secure.do_handshake()
        except trio.TooSlowError:
            return f"no TLS handshake within {_HANDSHAKE_S:g} s"
        except trio.BrokenResourceError as error:
            return f"TLS handshake failed: {reason_of(error)}"
        why = peers.objection(secure.getpeercert(binary_form=True) or b"")
        return why or await self._converse(secure, arrived)

    async def _converse(self, stream: trio.abc.Stream, arrived: Arrived) -> str:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._report, stream)
            while data := await stream.receive_some(_CHUNK):
                answer = self._answer(bytes(data), arrived)
                if answer:
                    await self._send(stream, answer)
                self._due.set()  # the time at which something is due unasked may be another now
            nursery.cancel_scope.cancel()
        return ""

    def _answer(self, octets: bytes, arrived: Arrived) -> bytes:
        self._lines.device = self._device
        if self.association is None:
            found = self._first.feed(octets)
            association = None if found is None else self._masters.of(found[0])
            if found is None or association is None:
                return b""
            octets = found[1]
            self.association = association
            association.begin(self)
            arrived(self, association)
        self._note("in", octets)
        answer = self.association.receive(octets)
        self._note("out", answer)
        return answer

    def _note(self, direction: str, octets: bytes) -> None:
        association = self.association
        if octets and association is not None:
            now_s = association.now_s()
            self._conversation.add(now_s, self._device, self._number, association.master, direction, octets)

    async def _report(self, stream: trio.abc.Stream) -> None:
        """Send what nobody asked for, when it is due: only a session with unsolicited reports has any."""
        while True:
            self._due = trio.Event()
            session = None if self.association is None else self.association.session
            after_s = None if session is None else session.initiate_after()
            if session is None or after_s is None:
                await self._due.wait()
            elif after_s > 0:
                with trio.move_on_after(after_s):
                    await self._due.wait()
            if session is not None and (octets := session.initiate()):
                self._note("out", octets)
                await self._send(stream, octets)
            elif after_s == 0:
                await self._due.wait()

    async def _send(self, stream: trio.abc.Stream, octets: bytes) -> None:
        async with self._sending:
            with trio.move_on_after(_SEND_S) as scope:
                await stream.send_all(octets)
        if scope.cancelled_caught:
            self.close(f"the answer was not taken within {_SEND_S:g} s")
            await trio.lowlevel.checkpoint()
