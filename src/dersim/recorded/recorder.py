"""Records a run: what each CSIP client says to its server and hears, and what changes a DER besides.

Nothing is recorded of what the server's controls do: a replay does it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dersim.errors import CertificateError, LocalProtocolError, RemoteProtocolError, UtilityUnreachable
from dersim.http11 import Headers, Request, Response
from dersim.kept import plain
from dersim.modes import value_to_kept
from dersim.plugin.services import PeersService
from dersim.recorded.lines import DIGITS, Change, Exchange, Failure, Notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dersim.clock import SimClock
    from dersim.device import Device
    from dersim.http11 import Requests
    from dersim.logbuffer import LogBuffer
    from dersim.recorded.writer import RecordWriter
    from dersim.setpoints import SetpointChange


class Recorder:
    """The `PeersService` of a run that is recorded.

    head: makes the first line, once the clock runs and the DERs have their identities. inner: what answers
    in place of servers, in a recorded replay.
    """

    def __init__(
        self,
        writer: RecordWriter,
        clock: SimClock,
        log: LogBuffer,
        head: Callable[[Mapping[int, str]], Mapping[str, Any]],
        inner: PeersService | None = None,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._log = log
        self._head = head
        self._inner = inner
        self._lfdis: dict[int, str] = {}
        self._start_s: float | None = None
        self._told = False

    def begin(self, devices: Sequence[Device]) -> None:
        """Write the head, and record from now on what changes these DERs; called when the clock runs."""
        for device in devices:
            if device.number not in self._lfdis and (lfdi := self._known(device.number)) is not None:
                self._lfdis[device.number] = lfdi
            self._watch(device)
        self._start_s = self._clock.start_s
        self.put(self._head(self._lfdis))

    def _known(self, number: int) -> str | None:
        """The LFDI that a replay gives, before its client asks for it."""
        try:
            return self.lfdi(number)
        except CertificateError:
            return None

    def end(self) -> None:
        """The run is over: write the last line."""
        if self._start_s is not None:
            self.put({"end": round(self.now_s(), DIGITS)})

    def close(self) -> None:
        """Wait, in bounded time, until all is written."""
        self._writer.close()
        self._tell()

    def now_s(self) -> float:
        """Simulated seconds since the start."""
        return self._clock.now_s() - self._clock.start_s

    def put(self, item: Any, size: int = 0) -> None:
        """Add a line; the first one after recording has stopped tells why."""
        self._writer.put(item, size)
        if self._writer.problem:
            self._tell()

    def _tell(self) -> None:
        if self._writer.problem and not self._told:
            self._told = True
            what = "recording has stopped, the simulation goes on; what was written can be replayed"
            self._log.log("Warning", "Engine", f"--record {self._writer.problem}: {what}")

    def connection(self, number: int, url: str, make: Callable[[], Requests]) -> Requests:
        """A connection whose requests are recorded."""
        inner = make() if self._inner is None else self._inner.connection(number, url, make)
        return RecordedConnection(self, number, url, inner)

    def lfdi(self, number: int) -> str | None:
        """That of a replay that is recorded."""
        return None if self._inner is None else self._inner.lfdi(number)

    def identified(self, number: int, lfdi: str) -> None:
        """Note an LFDI: those known at the start are in the head."""
        before, self._lfdis[number] = self._lfdis.get(number), lfdi
        if self._start_s is not None and before != lfdi:
            self.put(Change(number, self.now_s(), "lfdi", lfdi))

    def acted(self, number: int, action: str, args: Sequence[Any], named: Mapping[str, Any]) -> None:
        """Note what a user did to a CSIP client."""
        self.put(Change(number, self.now_s(), "action", [action, list(args), dict(named)]))

    def inbox(self, number: int, receive: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """Notes what comes before it is taken."""
        taken = receive if self._inner is None else self._inner.inbox(number, receive)

        def note(request: Request) -> Response:
            notification = Notification(request.method, request.headers, request.body)
            self.put(Change(number, self.now_s(), "notification", notification), len(request.body))
            return taken(request)

        return note

    def _watch(self, device: Device) -> None:
        number, settings, inputs = device.number, device.settings, device.inputs

        def note(kind: str, value: Any) -> None:
            self.put(Change(number, self.now_s(), kind, value))

        def submitted(changes: Sequence[SetpointChange]) -> None:
            # The others come from the server, or from the nameplate: a replay has them.
            if changes and changes[0].source.is_local:
                note("setpoints", [_submitted(change) for change in changes])

        after, last = inputs.after_change, inputs.checkpoint()

        def after_change() -> None:
            nonlocal last
            after()
            if (now := inputs.checkpoint()) != last:
                last = now
                note("inputs", now)

        device.setpoints.on_submit = submitted
        device.on_command = lambda command: note("command", command)
        settings.on_write = lambda values: note("settings", dict(values))
        inputs.after_change = after_change


def _submitted(change: SetpointChange) -> list[Any]:
    value = None if change.value is None else value_to_kept(change.value)
    return [change.source.label, change.mode, value, *plain(change[3:])]


class RecordedConnection:
    """A connection to the server at `url`, whose requests are recorded."""

    def __init__(self, recorder: Recorder, number: int, url: str, inner: Requests) -> None:
        self._recorder = recorder
        self._number = number
        self._url = url
        self._inner = inner

    @property
    def connects(self) -> int:
        """As of `Connection`."""
        return self._inner.connects

    @property
    def is_open(self) -> bool:
        """As of `Connection`."""
        return self._inner.is_open

    @property
    def peer_certificate_der(self) -> bytes | None:
        """As of `Connection`."""
        return self._inner.peer_certificate_der

    async def aclose(self) -> None:
        """As of `Connection`."""
        await self._inner.aclose()

    async def due(self, method: str, target: str) -> None:
        """As of `Connection`."""
        await self._inner.due(method, target)

    async def request(
        self,
        method: str,
        target: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        timeout_s: float = 30.0,
    ) -> Response:
        """As of `Connection`; a request that HTTP does not allow was never sent, and is not recorded."""
        at_s, connects = self._recorder.now_s(), self._inner.connects
        answer, failure, sent = Response(0), None, True
        try:
            answer = await self._inner.request(
                method, target, headers=headers, body=body, timeout_s=timeout_s
            )
        except UtilityUnreachable as error:
            failure = Failure(str(error), error.phase, error.no_descriptors)
            raise
        except RemoteProtocolError as error:
            failure = Failure(str(error))
            raise
        except LocalProtocolError:
            sent = False
            raise
        finally:
            if sent:
                item = Exchange(
                    self._number,
                    at_s,
                    self._recorder.now_s(),
                    method,
                    self._url + target,
                    headers,
                    body,
                    answer.status,
                    answer.headers,
                    answer.body,
                    failure,
                    self._inner.connects - connects,
                    self._inner.is_open,
                )
                self._recorder.put(item, len(body) + len(answer.body))
        return answer
