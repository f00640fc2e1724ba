"""The masters of one DER: who may speak, and the association of each."""

from __future__ import annotations

from collections.abc import Callable

from py1815.link import FrameReader
from py1815.observers import ProtocolAnomaly

from dersim_dnp3.association import Association
from dersim_dnp3.config import Config
from dersim_dnp3.station import Station

#: Octets of a connection that are kept until its first good frame has told the master: one frame at most.
_LONGEST_FRAME = 292


class Masters:
    """By link address. say: tells a line that a master can cause as often as it likes."""

    def __init__(
        self,
        station: Callable[[], Station],
        config: Config,
        clock: Callable[[], float],
        say: Callable[[str], None],
        on_anomaly: Callable[[ProtocolAnomaly], None],
    ) -> None:
        self._station = station
        self._config = config
        self._clock = clock
        self._say = say
        self._on_anomaly = on_anomaly
        self._by_address: dict[int, Association] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    def all(self) -> list[Association]:
        """Each master that has spoken."""
        return list(self._by_address.values())

    def of(self, address: int) -> Association | None:
        """The association of a master; None where it may not speak, or too many do."""
        association = self._by_address.get(address)
        if association is None:
            allowed = self._config.masters
            if allowed and address not in allowed:
                known = ", ".join(map(str, allowed))
                self._say(f"master {address} is not one of --dnp3_remote_addr {known}: not answered")
                return None
            if len(self._by_address) >= self._config.most_masters and not self._forget():
                self._say(f"master {address}: {len(self)} others are connected: not answered")
                return None
            association = self._by_address[address] = Association(
                self._station(),
                address,
                self._config.address,
                unsolicited=self._config.unsolicited,
                clock=self._clock,
                on_anomaly=self._on_anomaly,
            )
        association.used_s = self._clock()
        return association

    def _forget(self) -> bool:
        """Forget the master that has been away longest."""
        away = [each for each in self.all() if not each.connected]
        if not away:
            return False
        del self._by_address[min(away, key=lambda each: each.used_s).master]
        return True


class FirstFrame:
    """Looks for the first good frame of a connection, which tells the master."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._reader = FrameReader()
        self._held = b""

    def feed(self, octets: bytes) -> tuple[int, bytes] | None:
        """The master's link address, and all octets that its session needs; None until there is a frame."""
        self._held += octets
        for frame in self._reader.feed(octets):
            if frame.destination == self._address:
                held, self._held = self._held, b""  # of a master that may not speak, nothing is kept
                return frame.source, held
        self._held = self._held[-_LONGEST_FRAME:]
        return None
