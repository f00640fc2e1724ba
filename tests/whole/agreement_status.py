"""Where the status, the alarms and the controls of a DER are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.whole.agreement import Place, row
from tests.whole.places import Look

from dersim.hardware.state import Alarm, Connection
from dersim.setpoint_sources import SetpointSource

LOCAL = (SetpointSource.MODBUS, SetpointSource.REST, SetpointSource.OPERATOR)


#: Alarm -> bit of 701.Alrm and 10x.Evt1.
_ALARM_BITS = {
    Alarm.OVER_FREQUENCY: 8,
    Alarm.UNDER_FREQUENCY: 9,
    Alarm.OVER_VOLTAGE: 10,
    Alarm.UNDER_VOLTAGE: 11,
}


_NAMED = sum(1 << bit for bit in _ALARM_BITS.values())


def _bit(number: int) -> Callable[[Any], bool]:
    return lambda bits: bool(bits >> number & 1)


def _flag(name: str) -> Callable[[Look], bool]:
    return lambda look: bool(getattr(look.state.connection, name))


def _listed(name: str) -> Callable[[Any], bool]:
    return lambda names: name in names


def _is(word: Any) -> Callable[[Any], bool]:
    return lambda told: told == word


def _binds(mode: str) -> Callable[[Any], bool]:
    return lambda binding: binding["p"] is not None and binding["p"]["mode"] == mode


def _bits_of(kind: Any) -> Callable[[Look], int | None]:
    """The connection of one source as the bits of ConnectStatusType."""

    def bits(look: Look) -> int | None:
        rated = look.plate.rtgMaxWh if kind == "battery" else look.plate.pv_w
        c: Connection = look.state.connection_of(kind)
        flags = (c.connected, c.available, c.operating, c.test, c.fault)
        return sum(raised << bit for bit, raised in enumerate(flags)) if rated else None

    return bits


def _alarm_bits(alarms: Alarm) -> int:
    return sum(1 << bit for alarm, bit in _ALARM_BITS.items() if alarm in alarms)


def _manufacturer(alarms: Alarm) -> bool:
    return any(alarm not in _ALARM_BITS for alarm in alarms)


def _without_bit(alarms: Alarm) -> str:
    return ", ".join(str(alarm.name) for alarm in alarms if alarm not in _ALARM_BITS)


def _local(look: Look) -> bool:
    return any(item.source in LOCAL for item in look.device.setpoints.in_force())


def _any_local(items: Any) -> bool:
    return any(item["source"] in {source.label for source in LOCAL} for item in items)


STATUS = (
    row(
        "switch closed",
        _flag("connected"),
        Place("122.ECPConn", lambda on: 1 << on),
        Place("701.ConnSt", int),
        Place("802.State", lambda on: 3 if on else 1),
        Place("2023 DERStatus.connectStatus", take=_bit(0), note="bit 0"),
        Place("status.connect", lambda on: "connected" if on else "disconnected"),
        Place("status.connect_flags", take=_listed("connected"), note="connected"),
    ),
    row(
        "energized",
        _flag("energized"),
        Place("701.St", int),
        Place("2023 DERStatus.connectStatus", take=_bit(1), note="bit 1"),
        Place("status.connect_flags", take=_listed("energized"), note="energized"),
    ),
    row(
        "available",
        _flag("available"),
        Place("status.connect_flags", take=_listed("available"), note="available"),
    ),
    row(
        "operating",
        _flag("operating"),
        # Momentary cessation stops the current and leaves the DER operational.
        Place("DERStatus.operationalModeStatus", lambda on: frozenset({2} if on else {1, 2})),
        Place("status.connect_flags", take=_listed("operating"), note="operating"),
    ),
    row(
        "connection of the PV: connected, available, operating, test, fault",
        _bits_of("pv"),
        Place("122.PVConn", lambda bits: bits & 15, note="bits 0 to 3"),
        "2018 DERStatus.genConnectStatus",
    ),
    row(
        "connection of the battery",
        _bits_of("battery"),
        Place("122.StorConn", lambda bits: bits & 15, note="bits 0 to 3"),
        "2018 DERStatus.storConnectStatus",
    ),
    row(
        "inverter status",
        lambda look: look.state.inverter_status,
        Place("701.InvSt", lambda status: int(status) - 1),
        Place("10x.St", int),
        Place("DERStatus.inverterStatus", int),
        Place("status.inverter", lambda status: status.name.lower()),
    ),
    row(
        "operational mode",
        lambda look: look.state.operational_mode,
        Place("DERStatus.operationalModeStatus", int),
        Place("status.operational", lambda mode: mode.name.lower()),
    ),
    row(
        "tripped",
        lambda look: look.state.tripped,
        Place("701.Alrm", take=_bit(4), note="GRID_DISCONNECT"),
        Place("10x.Evt1", take=_bit(4), note="GRID_DISCONNECT"),
        Place("DERStatus.manufacturerStatus", take=_is("TRIP"), note="TRIP"),
        "status.tripped, dersim_tripped",
        Place("devices.state", take=_is("tripped"), note="tripped"),
        Place("setpoints.binding", take=_binds("trip"), note="p.mode trip"),
    ),
    row(
        "stopped by the operator",
        lambda look: not look.device.permitted,
        Place("701.Alrm", take=_bit(6), note="MANUAL_SHUTDOWN"),
        Place("10x.Evt1", take=_bit(6), note="MANUAL_SHUTDOWN"),
        Place("715.OpCtl", take=_is(0), note="STOP"),
        Place("802.SetInvState", take=_is(1), note="STOPPED"),
    ),
    row(
        "alarms",
        lambda look: look.state.alarms,
        Place("701.Alrm", _alarm_bits, lambda bits: bits & _NAMED, "bits 8 to 11"),
        Place("10x.Evt1", _alarm_bits, lambda bits: bits & _NAMED, "bits 8 to 11"),
        Place("701.Alrm", _manufacturer, _bit(16), "MANUFACTURER_ALRM, the others"),
        Place("701.MnAlrmInfo", lambda alarms: _without_bit(alarms) or None, note="the others"),
        Place("DERStatus.alarmStatus", int),
        Place("status.alarms", lambda alarms: [alarm.name for alarm in alarms]),
    ),
    row(
        "a local setpoint in force, or stopped by the operator",
        lambda look: _local(look) or not look.device.permitted,
        Place("DERStatus.localControlModeStatus", lambda local: 0 if local else 1),
    ),
    row(
        "a local setpoint in force",
        _local,
        Place("setpoints.in_force", take=_any_local, note="source"),
    ),
    row(
        "switch by command",
        lambda look: look.device.setpoints.value("opModConnect") is not False,
        Place("123.Conn", int),
        Place("802.SetOp", lambda on: 1 if on else 2),
    ),
    row(
        "permission to be in service",
        lambda look: look.device.permitted and look.device.setpoints.value("opModEnergize") is not False,
        Place("703.ES", int),
    ),
)
