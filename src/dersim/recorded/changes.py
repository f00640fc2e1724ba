"""Does in a replay what was done to the DERs besides their servers' controls, at the recorded times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import trio

from dersim.csip.actions import ACTIONS
from dersim.errors import ConfigError
from dersim.kept import value
from dersim.modes import value_from_kept
from dersim.plugin.services import CsipService
from dersim.recorded.notifying import ReplayHub
from dersim.setpoint_sources import named
from dersim.setpoints import SetpointChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dersim.device import Device
    from dersim.plugin.services import Services
    from dersim.recorded.lines import Change
    from dersim.recorded.script import Script


class Changes:
    """The changes of a record. ConfigError in `run` for one that these DERs cannot take."""

    def __init__(
        self,
        changes: Sequence[Change],
        devices: Mapping[int, Device],
        services: Services,
        script: Script,
        hub: ReplayHub,
    ) -> None:
        self._changes = changes
        self._devices = devices
        self._services = services
        self._script = script
        self._hub = hub

    async def run(self, rate: float) -> None:
        """Make all of them. rate: simulated seconds per second."""
        for change in self._changes:
            await trio.sleep(max(change.at_s - self._script.now_s(), 0.0) / rate)
            try:
                self._make(change)
            except (ConfigError, KeyError, TypeError, ValueError) as error:
                where = f"DER {change.der}, {change.kind} at +{change.at_s:.3f} s"
                raise ConfigError(f"the record's {where} cannot be repeated: {error}") from error

    def _make(self, change: Change) -> None:
        device, given = self._devices[change.der], change.value
        if change.kind == "setpoints":
            device.setpoints.submit(*map(_submitted, given))
        elif change.kind == "inputs":
            device.inputs.before_change()
            device.inputs.restore(given)
            device.inputs.after_change()
        elif change.kind == "settings":
            self._write(device, dict(given))
        elif change.kind == "command":
            device.command(given)
        elif change.kind == "notification":
            self._hub.deliver(change.der, given)
        else:
            self._tell(change, self._services.find(CsipService, change.der))

    def _tell(self, change: Change, client: CsipService | None) -> None:
        if client is None:
            raise ConfigError("this DER has no CSIP client")
        if change.kind == "lfdi":
            self._script.lfdis[change.der] = change.value
            client.rediscover()
            return
        name, args, named = change.value
        if name not in ACTIONS:
            raise ConfigError(f"{name} is not one of {', '.join(sorted(ACTIONS))}")
        getattr(client, name)(*args, **named)

    @staticmethod
    def _write(device: Device, values: dict[str, Any]) -> None:
        now_s = device.inputs.now_s()
        if "anti_islanding" in values:
            device.settings.enable_anti_islanding(values.pop("anti_islanding"), now_s)
        if values:
            device.settings.update(values, now_s)


def _submitted(row: Sequence[Any]) -> SetpointChange:
    label, mode, kept, *rest = row
    if (source := named(label)) is None:
        raise ConfigError(f"its source {label} is that of a plug-in, which this run has not; add it")
    given = None if kept is None else value_from_kept(kept)
    return SetpointChange(source, mode, given, *value(rest))
