"""Sends Notifications: over mutual TLS with the server's certificate, each host by connections of its own.

At most WORKERS Notifications are under way, at most four to one host. A host that failed last time is asked
by one at a time of FAILING_WORKERS others, so that dead ones never delay the rest; where it cannot be
reached, all that waits for it has failed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable

import trio

from dersim import http11, tls
from dersim.errors import DersimError, LocalProtocolError, UtilityUnreachable
from dersim.fences import Fences
from dersim.http11 import Connection
from dersim.http11.endpoint import OpenTcp, open_tcp
from dersim.ieee2030_5 import MEDIA_TYPE
from dersim.utility.head_end import MODULE, HeadEnd
from dersim.utility.subscriptions.address import Address, address_of
from dersim.utility.subscriptions.notifier import Notifier, Outgoing
from dersim.utility.subscriptions.record import SubscriptionRecord

WORKERS, FAILING_WORKERS, OF_ONE_HOST = 64, 16, 4
#: For one Notification, s.
TIMEOUT_S = 10.0
#: Connections, and TLS sessions, that are kept for the next Notification, and how long without one, s.
KEPT, KEPT_S = 1_200, 1_800.0
SWEEP_S, CLOSE_S = 300.0, 1.0
_MAX_ANSWER = 64 * 1024
_HEADERS = (("content-type", MEDIA_TYPE), ("accept", MEDIA_TYPE))


class Lane:
    """Destinations that wait for a worker. free: workers that have nothing to do; each: for one of them."""

    def __init__(self, free: int, each: int) -> None:
        self.free = free
        self.each = each
        self.ready: deque[Destination] = deque()


class Destination:
    """A host and port with what waits for it, and the connections that are open but not in use."""

    def __init__(self, endpoint: http11.Endpoint) -> None:
        self.endpoint = endpoint
        self.waiting: deque[SubscriptionRecord] = deque()
        self.idle: list[Connection] = []
        self.workers = 0
        self.is_ready = False
        self.failing = False
        self.used_at = -math.inf


class Sender:
    """Sends what the notifier has, until cancelled.

    context: the client's side of our TLS. saved: waits until what is told is in the state file; False: it
    cannot be. keep: writes there what a client was told. open_tcp: replaced in tests.
    """

    def __init__(
        self,
        head_end: HeadEnd,
        notifier: Notifier,
        fences: Fences,
        context: Callable[[], tls.ClientContext | None],
        saved: Callable[[], Awaitable[bool]],
        keep: Callable[[], None],
    ) -> None:
        self.open_tcp: OpenTcp = open_tcp
        self._head_end = head_end
        self._notifier = notifier
        self._fences = fences
        self._context = context
        self._saved = saved
        self._keep_told = keep
        self._tls: tls.ClientContext | None = None
        self._destinations: dict[tuple[bool, str, int], Destination] = {}
        self._healthy, self._failing = Lane(WORKERS, OF_ONE_HOST), Lane(FAILING_WORKERS, 1)
        self._kept = 0
        self._wanted = trio.Event()
        self._asleep_until_s = -math.inf

    def wake(self) -> None:
        """Something may be due earlier than it was."""
        if self._notifier.next_due_s < self._asleep_until_s:
            self._wanted.set()

    async def run(self) -> None:
        """Send what is due, until cancelled; then close all connections."""
        try:
            async with trio.open_nursery() as nursery:
                await self._keep_sending(nursery)
        finally:
            with trio.move_on_after(CLOSE_S, shield=True):
                await self._close_idle(math.inf)

    async def _keep_sending(self, nursery: trio.Nursery) -> None:
        sweep_at = trio.current_time() + SWEEP_S
        while True:
            with self._fences.around("utility_notification", MODULE, "Notifications that are due"):
                self._take_due(nursery)
            await self._sleep()
            if trio.current_time() >= sweep_at:
                sweep_at = trio.current_time() + SWEEP_S
                await self._close_idle(trio.current_time() - KEPT_S)

    async def _sleep(self) -> None:
        """Until the next one is due; at most 1 s at a time, as the server's clock may be set."""
        self._wanted = trio.Event()
        self._asleep_until_s = due_s = self._notifier.next_due_s
        pause_s = SWEEP_S if due_s == math.inf else min(max(due_s - self._head_end.now_s(), 0.0), 1.0)
        with trio.move_on_after(pause_s):
            await self._wanted.wait()
        self._asleep_until_s = -math.inf
        await trio.lowlevel.checkpoint()

    def _take_due(self, nursery: trio.Nursery) -> None:
        now_s = self._head_end.now_s()
        while (record := self._notifier.take(now_s)) is not None:
            destination = self._destination(address_of(record.wanted.uri))
            destination.waiting.append(record)
            self._ready(destination)
        self._start(nursery)

    def _destination(self, address: Address) -> Destination:
        key = (address.encrypted, address.host, address.port)
        found = self._destinations.get(key)
        if found is None:
            if address.encrypted and self._tls is None:
                self._tls = self._context()
            context = self._tls if address.encrypted else None
            endpoint = http11.Endpoint(address.host, address.port, context, open_tcp=self.open_tcp)
            found = self._destinations[key] = Destination(endpoint)
        return found

    def _lane(self, destination: Destination) -> Lane:
        return self._failing if destination.failing else self._healthy

    def _ready(self, destination: Destination) -> None:
        if not destination.is_ready:
            destination.is_ready = True
            self._lane(destination).ready.append(destination)

    def _start(self, nursery: trio.Nursery) -> None:
        for lane in (self._healthy, self._failing):
            while lane.free and lane.ready:
                destination = lane.ready.popleft()
                destination.is_ready = False
                wanted = min(lane.each, len(destination.waiting)) - destination.workers
                for _ in range(min(wanted, lane.free)):
                    lane.free -= 1
                    destination.workers += 1
                    nursery.start_soon(self._work, nursery, destination, lane)

    async def _work(self, nursery: trio.Nursery, destination: Destination, lane: Lane) -> None:
        try:
            while destination.waiting and self._lane(destination) is lane:
                await self._send(destination, destination.waiting.popleft())
                await trio.lowlevel.checkpoint()  # nothing may have been sent, after looking at much
        finally:
            lane.free += 1
            destination.workers -= 1
            if destination.waiting:
                self._ready(destination)
        self._start(nursery)

    async def _send(self, destination: Destination, record: SubscriptionRecord) -> None:
        now_s = self._head_end.now_s
        with self._fences.around("utility_notification", MODULE, str(record)) as ended:
            try:
                outgoing = self._notifier.prepare(record, now_s())
            except LocalProtocolError as error:
                self._notifier.failure(record, f"it cannot be written: {error}", now_s())
                return
            if outgoing is None:
                return
            if await self._saved():
                await self._post(destination, record, outgoing)
            else:
                self._notifier.postpone(record, now_s())
        if ended.error is not None:
            self._notifier.failure(record, str(ended), now_s())

    async def _post(self, destination: Destination, record: SubscriptionRecord, outgoing: Outgoing) -> None:
        target = address_of(record.wanted.uri).target
        connection = self._connection(destination)
        try:
            response = await connection.request(
                "POST", target, headers=_HEADERS, body=outgoing.body, timeout_s=TIMEOUT_S
            )
        except DersimError as error:
            destination.failing = True
            self._failed(destination, record, error)
            return
        destination.failing, destination.used_at = False, trio.current_time()
        self._notifier.answered(record, outgoing, response.status, self._head_end.now_s())
        self._keep_told()
        await self._keep(destination, connection)

    async def post_once(self, uri: str, body: bytes) -> int | None:
        """POST a body as it is; the HTTP status of the answer, None where there is none."""
        address = address_of(uri)
        connection = self._connection(self._destination(address))
        try:
            answer = await connection.request(
                "POST", address.target, headers=_HEADERS, body=body, timeout_s=TIMEOUT_S
            )
        except DersimError:
            return None
        finally:
            await connection.aclose()
        return answer.status

    def _failed(self, destination: Destination, record: SubscriptionRecord, error: DersimError) -> None:
        now_s = self._head_end.now_s()
        self._notifier.failure(record, str(error), now_s)
        if isinstance(error, UtilityUnreachable) and error.phase in ("resolve", "connect", "tls"):
            while destination.waiting:
                self._notifier.failure(destination.waiting.popleft(), str(error), now_s)

    def _connection(self, destination: Destination) -> Connection:
        if destination.idle:
            self._kept -= 1
            return destination.idle.pop()
        return destination.endpoint.connection(max_body_bytes=_MAX_ANSWER)

    async def _keep(self, destination: Destination, connection: Connection) -> None:
        if self._kept < KEPT and connection.is_open:
            self._kept += 1
            destination.idle.append(connection)
        else:
            await connection.aclose()

    async def _close_idle(self, before: float) -> None:
        """Close the connections that nobody has used since then."""
        for key, destination in list(self._destinations.items()):
            if destination.used_at > before or destination.waiting or destination.workers:
                continue
            while destination.idle:
                self._kept -= 1
                await destination.idle.pop().aclose()
            if not (destination.waiting or destination.workers):
                self._destinations.pop(key, None)
