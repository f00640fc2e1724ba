"""Subscriptions of one run: the server sends its Notifications, and what is answered becomes evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from dersim.utility.subscriptions import notification
from dersim.utility.subscriptions.record import CANCELLED, Ending
from dersim.utility.subscriptions.subscribable import see

if TYPE_CHECKING:
    from dersim.conformance.stage import Stage
    from dersim.http11.endpoint import OpenTcp
    from dersim.utility.subscriptions.notifier import Outgoing
    from dersim.utility.subscriptions.record import SubscriptionRecord

#: How often it is looked whether something has changed, s.
_LOOK_S = 1.0


class Notifying:
    """The Notifications of one stage. open_tcp: opens the stream to the device; None: a socket."""

    def __init__(self, stage: Stage, open_tcp: OpenTcp | None = None) -> None:
        self._stage = stage
        server = stage.server
        server.notifier.on_answer = self._answered
        if open_tcp is not None:
            server.sender.open_tcp = open_tcp

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        server = self._stage.server
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.sender.run)
            while True:
                await trio.sleep(_LOOK_S)
                server.head_end.advance()
                server.notifier.collect(server.head_end.now_s())
                server.sender.wake()

    def _answered(self, record: SubscriptionRecord, outgoing: Outgoing, status: int) -> None:
        wanted, now_s = record.wanted, self._stage.clock.now_s()
        self._stage.evidence.note_notified(now_s, wanted.uri, wanted.resource, outgoing.body, status)


async def send_wrong(stage: Stage, resource: str) -> None:
    """Send Notifications that bring an EndDevice to all who have subscribed to another resource."""
    now_s = stage.head_end.now_s()
    for record in list(stage.head_end.subscriptions.on(resource)):
        device = see(stage.head_end, record.wanted.lfdi, stage.evidence.device_href, record.edition, now_s)
        shared = notification.of_change(resource, device.resource(1), record.edition, now_s)
        body = notification.addressed(shared, record.href)
        status = await stage.server.sender.post_once(record.wanted.uri, body)
        if status is not None:
            now_s = stage.clock.now_s()
            stage.evidence.note_notified(now_s, record.wanted.uri, resource, body, status)


def change_end_device(stage: Stage) -> None:
    """Give the EndDevice of the device under test another changedTime."""
    devices = stage.head_end.end_devices
    device = devices.find(stage.lfdi)
    if device is not None:
        device.changed_s = int(stage.head_end.now_s())
        device.version += 1
        devices.touch(device)


def cancel_subscriptions(stage: Stage, resource: str) -> None:
    """Cancel what is subscribed to a resource, and tell the device: status 1."""
    for record in list(stage.head_end.subscriptions.on(resource)):
        stage.head_end.subscriptions.end(record, Ending(CANCELLED))
