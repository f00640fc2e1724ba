"""The objects behind the subscriptions of one identity, and how they are connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from dersim.csip import credentials as credentials_of
from dersim.csip.subscriptions.held import Held
from dersim.csip.subscriptions.hub import NotifyHub
from dersim.csip.subscriptions.inbox import Inbox, ServerSeen
from dersim.csip.subscriptions.polling import SubscribedPolling
from dersim.csip.subscriptions.reading import NotedReader
from dersim.csip.subscriptions.subscriber import Subscriber
from dersim.plugin.services import PeersService

if TYPE_CHECKING:
    from dersim.csip.client_context import ClientContext
    from dersim.plugin.services import CertificateFiles

#: How long a stop may take to delete subscriptions, real seconds.
LEAVE_S = 2.0


class Subscriptions:
    """The subscriptions of one DER. server: of whom notifications are taken."""

    def __init__(self, hub: NotifyHub, client_context: ClientContext) -> None:
        self.server = ServerSeen()
        self._hub = hub
        self._client_context = client_context
        self._held = Held()
        self._token = ""
        self._subscriber: Subscriber | None = None
        self._polling: SubscribedPolling | None = None

    def polling(self, reader: NotedReader, **parts: Any) -> SubscribedPolling:
        """The polling of a client that subscribes; from now on it takes notifications."""
        context, hub, held = self._client_context, self._hub, self._held
        number, clock, rng = context.device.number, context.frontend.clock, context.frontend.rng
        inbox = Inbox(
            held,
            reader,
            self.server,
            clock,
            context.conversation,
            number,
            is_gone=lambda: context.presence.is_gone,
        )
        peers = context.frontend.service(PeersService)
        receive = inbox.receive if peers is None else peers.inbox(number, inbox.receive)
        self._token = hub.open(number, receive, self._files)
        inbox.url = lambda: hub.url_of(self._token)
        self._subscriber = Subscriber(held, reader, clock, rng, url=inbox.url, is_ours=hub.is_ours)
        self._polling = SubscribedPolling(self._subscriber, inbox, reader, **parts)
        return self._polling

    def checkpoint(self) -> str:
        """The token of our path, which the subscriptions at the server name."""
        return self._token

    def restore(self, token: str) -> None:
        """Take notifications there; before the client runs."""
        self._hub.move(self._token, token)
        self._token = token

    def _files(self) -> CertificateFiles:
        context = self._client_context
        pair = context.device.number if context.frontend.fleet.numbered else None
        return credentials_of.files(context.config, pair)

    def recovered(self) -> None:
        """See `SubscribedPolling.recovered`."""
        if self._polling is not None:
            self._polling.recovered()

    async def leave(self) -> None:
        """Delete the subscriptions at the server, if it can be reached, within `LEAVE_S`.

        "discovering" is also the phase in which the certificate files turn out to hold another LFDI.
        """
        self._hub.close(self._token)
        phase = self._client_context.client_status.phase
        if self._subscriber is not None and phase in ("connected", "discovering"):
            with trio.CancelScope(shield=True, deadline=trio.current_time() + LEAVE_S):
                await self._subscriber.leave()

    def shown(self) -> list[dict[str, Any]]:
        """For `csip-client`, by resource."""
        return [record.shown() for _, record in sorted(self._held.by_resource.items())]
