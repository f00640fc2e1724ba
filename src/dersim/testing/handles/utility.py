"""The fixture `utility`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dersim import pki
from dersim.testing.live import LiveWorld
from dersim.testing.network import LoopbackNetwork
from dersim.testing.utility import OPERATOR, SYSTEM, Utility
from dersim.utility.head_end import MODULE, HeadEnd

__tracebackhide__ = True  # pytest shows the line of the test, not ours


T = TypeVar("T")


class UtilityHandle:
    """The companion server of a test, and its operator."""

    def __init__(self, live: LiveWorld) -> None:
        self._live = live

    # ---- where it is

    @property
    def port(self) -> int:
        """Its port; 0 over memory streams."""
        network = self._live.world.network
        return network.port if isinstance(network, LoopbackNetwork) else 0

    @property
    def url(self) -> str:
        """Of its DeviceCapability, for a client of yours: needs `over="loopback"`."""
        if not self.port:
            raise AssertionError(
                'the utility of this test has no port; mark it with @pytest.mark.dersim(over="loopback")'
            )
        scheme = "https" if self._live.plan.encrypted else "http"
        return f"{scheme}://127.0.0.1:{self.port}/dcap"

    @property
    def address(self) -> str:
        """The URL without a path: `https://127.0.0.1:8443`."""
        return self.url.removesuffix("/dcap")

    @property
    def pki(self) -> Path:
        """The folder of the test PKI that it trusts: cert_root.pem, and a pair for each client."""
        return self._live.plan.pki or pki.bundled_dir()

    # ---- what clients have done

    @property
    def end_devices(self) -> list[str]:
        """The LFDIs of its EndDevices."""
        return self._ask(lambda utility: [each.lfdi for each in utility.head_end.end_devices])

    def responses(self, mrid: str) -> list[int]:
        """The statuses of the Responses to a control, oldest first."""
        return self._ask(lambda utility: utility.responses(mrid))

    @property
    def violations(self) -> list[str]:
        """What of the standard clients have violated, in words."""
        return self._ask(lambda utility: [str(each) for each in utility.head_end.violations])

    @property
    def log(self) -> list[str]:
        """The lines of its log."""
        held = self._live.portal.call(self._live.world.log.entries)
        return [each.to_line() for each in held if each.module == MODULE]

    def wait_for_responses(self, mrid: str, statuses: Sequence[int], within_s: float = 300) -> Any:
        """Let time pass until a control is answered with these, in this order: `[1, 2, 3]`.

        An awaitable in an async test.
        """
        live, wanted = self._live, list(statuses)

        async def wait() -> None:
            try:
                await live.until(lambda: self.responses(mrid) == wanted, within_s, f"Responses {wanted}")
            except AssertionError as error:
                raise AssertionError(f"{error}\nthe Responses are {self.responses(mrid)}") from None

        return live.portal.wait(wait)

    # ---- its operator

    def set_default(self, modes: Mapping[str, Any], program: int = SYSTEM) -> None:
        """Replace the DefaultDERControl of a program: `{"opModMaxLimW": 60}`, in percent."""
        self._ask(lambda utility: utility.set_default(modes, program))

    def publish(
        self,
        modes: Mapping[str, Any],
        *,
        start_in_s: float = 0,
        duration_s: float = 600,
        program: int = OPERATOR,
        **more: Any,
    ) -> str:
        """Publish a DERControl; its mRID. more: as in the body of `POST .../controls` (docs/server.md)."""
        return self._ask(
            lambda utility: utility.publish(
                modes, start_in_s=start_in_s, duration_s=duration_s, program=program, **more
            )
        )

    def cancel(self, mrid: str) -> None:
        """Cancel a control."""
        self._ask(lambda utility: utility.cancel(mrid))

    def register(self, lfdi: str, pin: int | None = None) -> str:
        """Add an EndDevice; its href."""
        return self._ask(lambda utility: utility.head_end.provision(lfdi, pin)[0].href)

    def poll_every(self, seconds: int) -> None:
        """Set all poll rates."""
        rates = ("dcap", "edev", "fsa", "derp", "der", "mup")
        self._ask(lambda utility: utility.head_end.set_poll_rates(dict.fromkeys(rates, seconds)))

    def set_clock(self, ahead_s: float) -> None:
        """Put the server's clock so many seconds ahead of the DERs', or behind with a minus."""

        def put(utility: Utility) -> None:
            utility.ahead_s = ahead_s

        self._ask(put)

    def with_head_end(self, work: Callable[[HeadEnd], T]) -> T:
        """What `work` returns, called with the server's `dersim.utility.head_end.HeadEnd`."""
        return self._ask(lambda utility: work(utility.head_end))

    def operate(self, method: str, path: str, body: Any = None) -> Any:
        """Any request to the operator's REST: `operate("GET", "programs")`."""
        return self._ask(lambda utility: utility.operate(method, path, body))

    # ---- start and stop. All that follows is awaitable in an async test.

    def stop(self) -> Any:
        """Close all connections, and refuse others."""
        return self._live.portal.wait(self._live.world.utility.stop)

    def start(self) -> Any:
        """Serve again."""
        return self._live.portal.wait(self._live.world.utility.start)

    def restart(self, *, keep_state: bool = True) -> Any:
        """Stop and start. keep_state: it knows all that it knew; else it is a new server."""
        utility = self._live.world.utility

        async def restart() -> None:
            await utility.restart(keep_state=keep_state)

        return self._live.portal.wait(restart)

    def _ask(self, work: Callable[[Utility], T]) -> T:
        return self._live.portal.call(lambda: work(self._live.world.utility))
