# ruff: noqa: N802, A002 - the names are opendnp3's
"""opendnp3 as the master of a DER: what it has read, and its commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import opendnp3 as o

_KINDS = {
    o.Binary: "BI",
    o.BinaryOutputStatus: "BO",
    o.Analog: "AI",
    o.AnalogOutputStatus: "AO",
    o.Counter: "CTR",
    o.FrozenCounter: "FCTR",
}


class Heard(o.ISOEHandler):
    """Values by point, as (value, online); `events` in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, tuple[float, bool]] = {}
        self.events: list[tuple[str, float, int]] = []
        self.fragments = 0

    def BeginFragment(self, info: Any) -> None:
        self.fragments += 1

    def EndFragment(self, info: Any) -> None:
        del info

    def Process(self, info: Any, values: Any) -> None:
        for each in values:
            kind = _KINDS[type(each.value)]
            value = float(each.value.value)
            self.values[f"{kind}{each.index}"] = (value, bool(each.value.flags.value & 1))
            if info.isEventVariation:
                self.events.append((f"{kind}{each.index}", value, each.value.time.value))


class Application(o.IMasterApplication):
    """Told when a task has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.iin: Any = None
        self.done: list[tuple[str, str]] = []

    def AssignClassDuringStartup(self) -> bool:
        return False

    def OnClose(self) -> None:
        pass

    def OnOpen(self) -> None:
        pass

    def OnReceiveIIN(self, iin: Any) -> None:
        self.iin = (int(iin.LSB), int(iin.MSB))

    def OnTaskComplete(self, info: Any) -> None:
        self.done.append((info.type.name, info.result.name))

    def OnTaskStart(self, type: Any, id: Any) -> None:
        pass

    def Now(self) -> Any:
        return o.UTCTimestamp(int(time.time() * 1000))


class Master:
    """A master at `address`. tls: a TLSConfig."""

    def __init__(self, where: str, address: int = 4, *, unsolicited: bool = False, tls: Any = None) -> None:
        host, port = where.rsplit(":", 1)
        self.heard, self.application = Heard(), Application()
        self._manager = o.DNP3Manager(1)
        endpoint = [o.IPEndpoint(host, int(port))]
        retry = o.ChannelRetry.Default()
        how = ("tls", o.levels.NOTHING, retry, endpoint, "0.0.0.0")
        self.channel = (
            self._manager.AddTCPClient(*how, None)
            if tls is None
            else self._manager.AddTLSClient(*how, tls, None)
        )
        config = o.MasterStackConfig()
        config.link.LocalAddr, config.link.RemoteAddr = address, 1
        config.master.responseTimeout = o.TimeDuration.Seconds(3)
        config.master.disableUnsolOnStartup = not unsolicited
        self._master = self.channel.AddMaster("master", self.heard, self.application, config)
        self._master.Enable()

    def close(self) -> None:
        self._manager.Shutdown()

    @staticmethod
    def until(what: str, look: Callable[[], Any], within_s: float = 15) -> Any:
        deadline = time.monotonic() + within_s
        while not (seen := look()):
            assert time.monotonic() < deadline, what
            time.sleep(0.05)
        return seen

    def _task(self, begin: Callable[[], None], kind: str) -> str:
        before = len(self.application.done)
        begin()
        ended = self.until(
            kind, lambda: next((r for k, r in self.application.done[before:] if k == kind), None)
        )
        return str(ended)

    def integrity(self) -> dict[str, tuple[float, bool]]:
        """All inputs, by a poll of class 0."""
        field = o.ClassField(True, True, True, True)
        assert self._task(lambda: self._master.ScanClasses(field, self.heard), "USER_TASK") == "SUCCESS"
        return self.heard.values

    def poll_events(self) -> list[tuple[str, float, int]]:
        """The events of classes 1 to 3 since the last poll."""
        before = len(self.heard.events)
        field = o.ClassField(False, True, True, True)
        assert self._task(lambda: self._master.ScanClasses(field, self.heard), "USER_TASK") == "SUCCESS"
        return self.heard.events[before:]

    def read(self, group: int, start: int, stop: int) -> str:
        """A range of a group; how the task ended."""
        what = o.GroupVariationID(group, 0)
        return self._task(lambda: self._master.ScanRange(what, start, stop, self.heard), "USER_TASK")

    def command(
        self, index: int, value: float | bool, *, select: bool = False, floating: bool = False
    ) -> str:
        """A bool commands a binary output, a whole number an analog one; the status that came back."""
        command: Any
        if isinstance(value, bool):
            operation = o.OperationType.LATCH_ON if value else o.OperationType.LATCH_OFF
            command = o.ControlRelayOutputBlock(operation)
        else:
            command = o.AnalogOutputFloat32(value) if floating else o.AnalogOutputInt32(int(value))
        done = threading.Event()
        found: list[str] = []

        def ended(result: Any) -> None:
            found.extend(each.status.name for each in result.to_list())
            found.append(result.summary.name)
            done.set()

        (self._master.SelectAndOperate if select else self._master.DirectOperate)(command, index, ended)
        assert done.wait(10), "the command has not ended"
        return found[0]
