"""The companion server: a 2030.5 port and an admin port in front of one head-end.

`answer` and `answer_admin` are the server without I/O; `serve` works on any listeners, `bind` and `run` on
sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import trio

from dersim import __version__, http11, tls
from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.http11 import Raw, Request, Response
from dersim.ieee2030_5 import identity
from dersim.logbuffer import Log
from dersim.pages.guard import Guard
from dersim.plugin.server_parts import ServerParts
from dersim.timestamps import rfc3339
from dersim.utility import advertisement
from dersim.utility.admin.about import ServerView
from dersim.utility.admin.app import Admin, not_saved
from dersim.utility.admin.context import Later
from dersim.utility.config import UtilityConfig
from dersim.utility.device_resources import check_all
from dersim.utility.faults.actions import Delayed
from dersim.utility.handler import RequestHandler
from dersim.utility.head_end import MODULE, HeadEnd
from dersim.utility.scenario.plan import Scenario
from dersim.utility.scenario.player import fits, play
from dersim.utility.state.state import State
from dersim.utility.subscriptions.keeping import keep
from dersim.utility.subscriptions.notifier import Notifier
from dersim.utility.subscriptions.sender import KEPT, Sender

_READING = frozenset({"GET", "HEAD"})
#: What was asked for is done, but the state file cannot be written: it may be gone after a restart.
_NOT_SAVED = Response(503, (("retry-after", "10"),))

Listeners = Sequence[trio.abc.Listener[Any]]


class UtilityServer:
    """A companion server.

    now_s: its time, UTC seconds since 1970; first read when it serves. fences: an unexpected error ends one
    request or one connection; None makes fences of its own. scenario: begins when it
    serves, and changes `config`. parts: what plug-ins have added.
    """

    #: The flag of the 2030.5 port, for error messages.
    port_flag = "--port"
    #: Whether its controls are made up by the demo.
    demo = False
    #: How often the head-end advances without a request, seconds: only to log changes of status in time, and
    #: to notify. A world of `dersim.testing` in virtual time needs it no more often than it ticks.
    advance_s = 1.0

    def __init__(
        self,
        config: UtilityConfig,
        now_s: Callable[[], float],
        log: Log,
        fences: Fences | None = None,
        *,
        scenario: Scenario | None = None,
        parts: ServerParts | None = None,
    ) -> None:
        if scenario is not None:
            scenario.configure(config)
        self._scenario = scenario
        self.config = config
        self.fences = Fences(log) if fences is None else fences
        self.head_end = HeadEnd(config, now_s, log, parts)
        check_all(self.head_end, scenario.devices if scenario else ())
        self.state = None if config.state is None else State(self.head_end, config.state, config.state_days)
        self.notifier = Notifier(self.head_end)
        self.sender = Sender(
            self.head_end, self.notifier, self.fences, self._client_tls, self._told, self._keep_told
        )
        self._handler = RequestHandler(self.head_end, self.fences)
        guard = Guard(frozenset({config.admin_host.lower()}), config.admin_token)
        self._admin = Admin(self.head_end, self.fences, self._about, guard)
        #: The other sites of this run, by their keys in the ready line: what the page links to.
        self.addresses: Mapping[str, str] = {}
        self._listeners: Listeners = ()
        self._admin_listeners: Listeners = ()
        self._tls: tls.ServerContext | None = None
        self.host, self.port, self.admin_port = config.host, config.port, config.admin_port

    @property
    def url(self) -> str:
        """The URL for clients, once the server is bound."""
        return f"{'https' if self.config.encrypted else 'http'}://{_in_url(self.host)}:{self.port}"

    @property
    def admin_url(self) -> str:
        """The URL of the operator's REST, once the server is bound."""
        return f"http://{_in_url(self.config.admin_host)}:{self.admin_port}"

    def _about(self) -> ServerView:
        config = self.config
        return {
            "version": __version__,
            "url": self.url,
            "edition": None if config.personality is None else config.personality.value,
            "registration": config.registration,
            "demo": self.demo,
            "keeps_readings": self.state is not None,
            "time": rfc3339(self.head_end.now_s()),
            "devices": len(self.head_end.end_devices),
            "shared_lfdis": self.head_end.shared_lfdis,
            "notifications": {"subscriptions": len(self.head_end.subscriptions), **self.notifier.counts()},
            "links": dict(self.addresses),
        }

    async def bind(self) -> Mapping[str, str]:
        """Open both ports; returns what the ready line shows.

        ConfigError for a busy port, CertificateError for a file that cannot be used.
        """
        if self.config.advertise:
            advertisement.check()
        self._tls = self._context()
        if self.state is not None:
            await self.state.open()
        listeners = await http11.bind(self.config.host, self.config.port, flag=self.port_flag)
        try:
            self._admin_listeners = admin = await http11.bind(
                self.config.admin_host, self.config.admin_port, flag="--admin_port"
            )
        except ConfigError:
            for listener in listeners:
                await listener.aclose()
            raise
        self._listeners = listeners
        self.host, self.port = http11.address(listeners)
        self.admin_port = http11.address(admin)[1]
        return {"utility": self.url, "utility_admin": self.admin_url}

    def _context(self) -> tls.ServerContext | None:
        config = self.config
        if not config.encrypted:
            return None
        if config.certificate is None or config.key is None or config.root is None:
            raise ConfigError("the companion server needs a certificate, its key and the root certificate")
        return tls.server_context(config.certificate, config.key, config.root)

    def _client_tls(self) -> tls.ClientContext | None:
        """For Notifications: with the server's own certificate, and the CA of the clients."""
        config = self.config
        if config.certificate is None or config.key is None or config.root is None:
            return None
        return tls.client_context(config.certificate, config.key, config.root, sessions=KEPT)

    async def _told(self) -> bool:
        return self.state is None or await self.state.saved(writing=False)

    def _keep_told(self) -> None:
        keep(self.head_end.journal, self.head_end.subscriptions)
        if self.state is not None:
            self.state.want()

    async def run(self) -> None:
        """Serve what `bind` opened, until cancelled."""
        async with trio.open_nursery() as nursery:
            if self.config.advertise:
                nursery.start_soon(self._advertise)
            await self.serve(self._listeners, self._admin_listeners)

    async def _advertise(self) -> None:
        certificate = None if self._tls is None else self._tls.certificate_der
        found = advertisement.instances(self.port, certificate, self.config.personality)
        await advertisement.advertise(found, self.host, self.port, self.head_end.info, self.head_end.warn)

    async def serve(self, listeners: Listeners, admin_listeners: Listeners = ()) -> None:
        """Serve on any listeners, sockets or not, until cancelled; CertificateError as for `bind`."""
        if self._tls is None:
            self._tls = self._context()
        if self.state is not None:
            await self.state.open()
        self.begin()
        async with trio.open_nursery() as nursery:
            if self.state is not None:
                nursery.start_soon(self.state.run)
            nursery.start_soon(self._advance_regularly)
            if self.config.subscriptions:
                nursery.start_soon(self.sender.run)
            if admin_listeners:
                nursery.start_soon(self._serve_admin, admin_listeners)
            await http11.serve(
                self.handle,
                listeners,
                tls=self._tls,
                log=self._refused,
                on_error=self._connection_failed,
                gate=self.head_end.faults.gate,
            )

    def begin(self) -> None:
        """Begin what the head-end does by itself; only the first call has an effect."""
        self.head_end.start()
        if self._scenario is not None:
            kept = self.head_end.kept_progress
            if self.state is None or not self.state.went_on:
                play(self.head_end, self._scenario)
            elif kept is not None and fits(self._scenario, kept):
                play(self.head_end, self._scenario, kept)
            else:
                self.head_end.warn(
                    f"--state {self.state.path} goes on from an earlier run without scenario "
                    f"{self._scenario.name}, so it is not begun; give a new file to begin it"
                )
            self._scenario = None

    async def _serve_admin(self, listeners: Listeners) -> None:
        await http11.serve(self.handle_admin, listeners, log=self._refused, on_error=self._connection_failed)

    async def _advance_regularly(self) -> None:
        while True:
            with self.fences.around("utility_clock", MODULE, "changes of status that are due"):
                self.head_end.advance()
                self._notify()
                if self.state is not None:
                    self.state.collect()
                    self.state.want()
            await trio.sleep(self.advance_s)

    def _refused(self, line: str) -> None:
        self.head_end.warn(line)

    def _connection_failed(self, error: Exception, peer: str) -> None:
        self.fences.tell(error, "utility_connection", MODULE, f"connection of {peer}")

    async def handle(self, request: Request) -> Response | Raw:
        """One request of a 2030.5 client."""
        answer = self.answer(request)
        if self.state is not None and not await self.state.saved(writing=request.method not in _READING):
            return _NOT_SAVED
        later_s = self.config.latency_s + (answer.delay_s if isinstance(answer, Delayed) else 0.0)
        if later_s > 0:
            await trio.sleep(later_s)
        return answer.answer if isinstance(answer, Delayed) else answer

    async def handle_admin(self, request: Request) -> Response:
        """One request of the operator."""
        answer = self._asked_by_operator(request)
        if self.state is not None and not await self.state.saved(writing=request.method not in _READING):
            return not_saved(request.target.partition("?")[0])
        if isinstance(answer, Later):
            return await trio.to_thread.run_sync(self._admin.finish, answer)
        return answer

    def answer(self, request: Request) -> Response | Raw | Delayed:
        """The response to a 2030.5 client, or what planted faults make of it, without I/O."""
        self._ready(request.peer_certificate_der)
        answer = self._handler.answer(request)
        if self.notifier.has_news:
            self._notify()
        self._collect(everything=False)
        return answer

    def answer_admin(self, request: Request) -> Response:
        """The response to the operator, without I/O but that of a state file."""
        answer = self._asked_by_operator(request)
        return self._admin.finish(answer) if isinstance(answer, Later) else answer

    def _asked_by_operator(self, request: Request) -> Response | Later:
        self._ready(None)
        answer = self._admin.answer(request)
        if self.notifier.has_news:
            self._notify()
        self._collect(everything=True)
        return answer

    def _ready(self, certificate_der: bytes | None) -> None:
        """What the client has posted in an earlier run is there; without a certificate, what all have."""
        if self.state is not None and self.state.pending:
            with self.fences.around("utility_state", MODULE, "what was posted in an earlier run"):
                self.state.ready(None if certificate_der is None else identity.lfdi(certificate_der))

    def _notify(self) -> None:
        with self.fences.around("utility_notification", MODULE, "what subscribers are to be told"):
            self.notifier.collect(self.head_end.now_s())
            self.sender.wake()

    def _collect(self, *, everything: bool) -> None:
        if self.state is None:
            keep(self.head_end.journal, self.head_end.subscriptions)
        else:
            with self.fences.around("utility_state", MODULE, "what has changed"):
                self.state.collect(everything=everything)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
