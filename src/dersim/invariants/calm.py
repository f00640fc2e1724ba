"""How long the client of a DER has been connected, without a trouble or a jump of the server's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dersim.invariants.base import Look

#: A correction of the server's clock by more than this is a jump, s.
JUMP_S = 1.0


class Calm:
    """Since when nothing was wrong with each client, real and simulated seconds.

    A request that got no answer is: what was read before it is carried out only after the rest of the poll.
    """

    def __init__(self) -> None:
        self._since: dict[int, tuple[float, float, float]] = {}

    def lasts_s(self, look: Look) -> tuple[float, float]:
        """For how long, simulated and real seconds; 0 while something is wrong. Call it at every look."""
        client, number = look.client, look.device.number
        if client is None or client.state != "connected":
            self._since.pop(number, None)
            return 0.0, 0.0
        ahead_s = client.server_now_s() - look.now_s
        since = self._since.get(number)
        if (
            since is None
            or any(each.status == 0 for each in look.exchanges)
            or abs(ahead_s - since[2]) > JUMP_S
        ):
            since = self._since[number] = look.now_s, look.real_s, ahead_s
        return look.now_s - since[0], look.real_s - since[1]
