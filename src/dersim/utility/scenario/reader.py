"""Reads scenarios; every mistake is a `FileError` with file, line and path."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from dersim import yaml_text
from dersim.csv_text import open_csv
from dersim.errors import CertificateError, ConfigError
from dersim.ieee2030_5 import Edition, identity
from dersim.json_text import BodyError, escaped
from dersim.modes import ModeValue, value_from_json
from dersim.numeric import shown
from dersim.suggestions import hint
from dersim.tls.files import load_certificates
from dersim.utility import modes_2023, wire_modes
from dersim.utility.end_devices import check_pin
from dersim.utility.faults.plans import FaultPlan, fault_from
from dersim.utility.groups import TimeOf
from dersim.utility.head_end import normal_lfdi
from dersim.utility.programs import ControlOrder, check_order
from dersim.utility.scenario.forms import checked_schema
from dersim.utility.scenario.plan import (
    DevicePlan,
    EventPlan,
    GroupPlan,
    Modes,
    ProgramPlan,
    Scenario,
    Series,
)
from dersim.yaml_text import FileError, YamlDocument

#: The LFDI of a DER, by its number.
LfdiOf = Callable[[int], str]
#: How long before its start a control is published, s.
LEAD_S = 60.0
#: The most controls of one scenario: a year of 5-minute envelopes for four programs.
MOST_CONTROLS = 500_000
#: The group of all devices, which is always there.
ALL = "all DERs"
_ORDER = ("randomize_start_s", "randomize_duration_s", "response_required")
_EVENTS = ("default", "program", "cancel", "register", "remove", "move", "poll_rates")


def read_scenario(path: Path, lfdi_of: LfdiOf | None = None) -> Scenario:
    """The scenario in a file; the files that it names are relative to its folder.

    lfdi_of: the LFDI of a DER by its number, ConfigError for a number without one; None: no numbers here.
    """
    return scenario_of(yaml_text.read(path), path.parent, lfdi_of)


def parse_scenario(text: bytes, name: str) -> Scenario:
    """The scenario in an upload, which may name no files. name: for messages and pages."""
    return scenario_of(yaml_text.parse(text, name), None)


def scenario_of(document: YamlDocument, folder: Path | None, lfdi_of: LfdiOf | None = None) -> Scenario:
    """The scenario in a document; paths in it are relative to `folder`, None allows none."""
    return _Reader(document, folder, lfdi_of).scenario(Path(document.name).name)


class _Reader:
    """Makes a `Scenario` of a document. folder: that its paths are relative to; None: no files are read."""

    def __init__(self, document: YamlDocument, folder: Path | None, lfdi_of: LfdiOf | None) -> None:
        document.require(checked_schema())
        self._document = document
        self._value: dict[str, Any] = document.value
        self._folder = folder
        self._lfdi_of = lfdi_of
        self._groups: list[str] = [ALL]
        self._programs: list[str] = []
        self._names: set[str] = set()
        self._controls = 0

    def scenario(self, name: str) -> Scenario:
        """The whole scenario."""
        value, personality = self._value, self._value.get("personality")
        if "pin" in value:
            self._pin(value["pin"], "/pin")
        groups = [self._group(each, at) for each, at in self._listed("groups")]
        devices = [self._device(each, at) for each, at in self._listed("devices")]
        programs = [self._program(each, at) for each, at in self._listed("programs")]
        series = [self._series(each, at) for each, at in self._listed("controls")]
        events = [self._event(each, at) for each, at in self._listed("events")]
        faults = [self._fault(each, at) for each, at in self._listed("faults")]
        return Scenario(
            name,
            value.get("description", ""),
            None if personality is None else Edition(str(personality)),
            value.get("registration"),
            value.get("pin"),
            value.get("poll_rates", {}),
            groups,
            devices,
            programs,
            series,
            sorted(events, key=lambda event: event.at_s),
            faults,
        )

    def _listed(self, key: str) -> Iterable[tuple[Any, str]]:
        return ((each, f"/{key}/{index}") for index, each in enumerate(self._value.get(key, ())))

    def _group(self, value: Mapping[str, Any], at: str) -> GroupPlan:
        if value["name"] in self._groups:
            raise self._error(f"{at}/name", f"{value['name']!r} is the name of a group above")
        parent = value.get("parent")
        if parent is not None:
            self._check_name("group", parent, self._groups, f"{at}/parent")
        devices = [self._lfdi(each, f"{at}/devices/{i}") for i, each in enumerate(value.get("devices", ()))]
        devices += [self._lfdi_of_der(each, f"{at}/ders/{i}") for i, each in enumerate(value.get("ders", ()))]
        time = TimeOf(**value["time"]) if "time" in value else None
        self._groups.append(value["name"])
        return GroupPlan(value["name"], value["level"], parent, devices, value.get("patterns", ()), time)

    def _lfdi_of_der(self, number: int, at: str) -> str:
        if self._lfdi_of is None:
            raise self._error(at, "DERs have numbers in dersim sim --demo only; give devices, by their LFDIs")
        try:
            return self._lfdi_of(number)
        except (ConfigError, CertificateError) as error:
            raise self._error(at, str(error)) from None

    def _device(self, value: Mapping[str, Any], at: str) -> DevicePlan:
        if len({"lfdi", "certificate"} & value.keys()) != 1:
            raise self._error(at, "either lfdi or certificate is needed")
        if "certificate" in value:
            lfdi = self._lfdi_of_certificate(value["certificate"], f"{at}/certificate")
        else:
            lfdi = self._lfdi(value["lfdi"], f"{at}/lfdi")
        if "pin" in value:
            self._pin(value["pin"], f"{at}/pin")
        if "group" in value:
            self._check_name("group", value["group"], self._groups, f"{at}/group")
        aggregator = value.get("aggregator")
        if aggregator is not None:
            aggregator = self._lfdi(aggregator, f"{at}/aggregator")
        return DevicePlan(
            lfdi,
            value.get("pin"),
            value.get("enabled", True),
            value.get("group"),
            aggregator,
            value.get("resources", {}),
        )

    def _program(self, value: Mapping[str, Any], at: str) -> ProgramPlan:
        if value["name"] in self._programs:
            raise self._error(f"{at}/name", f"{value['name']!r} is the name of a program above")
        self._programs.append(value["name"])
        groups = self._group_names(value.get("groups", ()), f"{at}/groups")
        default = self._modes(value["default"], f"{at}/default") if "default" in value else None
        return ProgramPlan(value["name"], value["primacy"], groups, default)

    def _group_names(self, names: Iterable[str], at: str) -> list[str]:
        found = list(names)
        for index, name in enumerate(found):
            self._check_name("group", name, self._groups, f"{at}/{index}")
        return found

    def _series(self, value: Mapping[str, Any], at: str) -> Series:
        self._check_name("program", value["program"], self._programs, f"{at}/program")
        what = {"modes", "steps", "profile"} & value.keys()
        if len(what) != 1:
            raise self._error(at, "exactly one of modes, steps and profile is needed")
        steps = self._steps(value, f"{at}/{what.pop()}")
        start_s, duration_s = float(value["start_s"]), value["duration_s"]
        every_s = float(value.get("every_s", duration_s))
        count = len(steps)
        if "until_s" in value:
            count = max(0, math.ceil((value["until_s"] - start_s) / every_s))
        elif "every_s" in value and "modes" in value:
            raise self._error(f"{at}/every_s", "until_s is missing: when the series ends")
        order = {key: value[key] for key in _ORDER if key in value} | {"description": value.get("name", "")}
        for modes in steps:
            self._check_order(ControlOrder(modes, 0, duration_s, **order), at)
        self._controls += count
        if self._controls > MOST_CONTROLS:
            raise self._error(at, f"{self._controls} controls so far; at most {MOST_CONTROLS} are published")
        if "name" in value:
            self._names.add(value["name"])
        lead_s = float(value.get("lead_s", LEAD_S))
        return Series(value["program"], start_s, duration_s, steps, every_s, count, lead_s, order)

    def _steps(self, value: Mapping[str, Any], at: str) -> list[Modes]:
        if "modes" in value:
            return [self._modes(value["modes"], at)]
        if "steps" in value:
            return [self._modes(each, f"{at}/{index}") for index, each in enumerate(value["steps"])]
        return self._profile(self._path(value["profile"], at), at)

    def _profile(self, path: Path, at: str) -> list[Modes]:
        specs = modes_2023.all_specs()
        numbers = [name for name, spec in specs.items() if spec.kind == "number"]
        try:
            with open_csv(path, numbers) as (header, lines):
                rows = [self._row(header, row, where) for where, row in lines]
        except ConfigError as error:
            raise self._error(at, str(error)) from None
        if not rows:
            raise self._error(at, f"{path} has no rows")
        return rows

    def _row(self, header: list[str], row: list[str], where: str) -> Modes:
        specs = modes_2023.all_specs()
        modes: dict[str, ModeValue] = {}
        for name, text in zip(header, row, strict=True):
            try:
                number = float(text)
            except ValueError:
                raise ConfigError(f"{where}: {name}: a number is needed, not {shown(text)}") from None
            modes[name] = value_from_json(name, number, specs)
        return modes

    def _modes(self, value: Mapping[str, Any], at: str) -> Modes:
        specs = modes_2023.all_specs()
        modes: dict[str, ModeValue] = {}
        for name, each in value.items():
            place = f"{at}/{escaped(name)}"
            try:
                modes[name] = value_from_json(name, each, specs)
                wire_modes.check_writable({name: modes[name]})
            except ConfigError as error:
                raise self._error(place, str(error)) from None
        return modes

    def _check_order(self, order: ControlOrder, at: str) -> None:
        try:
            check_order(order)
        except ConfigError as error:
            raise self._error(at, str(error)) from None

    def _event(self, value: Mapping[str, Any], at: str) -> EventPlan:
        kinds = [key for key in _EVENTS if key in value]
        if len(kinds) != 1:
            raise self._error(at, f"exactly one of {', '.join(_EVENTS)} is needed beside at_s")
        kind, place = kinds[0], f"{at}/{kinds[0]}"
        data = value[kind]
        match kind:
            case "default":
                self._check_name("program", data["program"], self._programs, f"{place}/program")
                modes = None if data["modes"] is None else self._modes(data["modes"], f"{place}/modes")
                data = data | {"modes": modes}
            case "program":
                self._check_name("program", data["name"], self._programs, f"{place}/name")
                self._group_names(data.get("groups", ()), f"{place}/groups")
            case "cancel":
                self._check_name("control", data["control"], sorted(self._names), f"{place}/control")
            case "register":
                data = self._device(data, place)
            case "remove":
                data = self._lfdi(data, place)
            case "move":
                if data["group"] is not None:
                    self._check_name("group", data["group"], self._groups, f"{place}/group")
                data = data | {"lfdi": self._lfdi(data["lfdi"], f"{place}/lfdi")}
        return EventPlan(float(value["at_s"]), kind, data)

    def _fault(self, value: Any, at: str) -> FaultPlan:
        try:
            return fault_from(value)
        except BodyError as error:
            raise self._error(f"{at}{error.pointer}", str(error)) from None

    def _check_name(self, what: str, name: str, known: Iterable[str], at: str) -> None:
        names = list(known)
        if name not in names:
            near = hint(name, names) if names else "none has a name"
            raise self._error(at, f"there is no {what} {shown(name)} above; {near}")

    def _lfdi(self, text: str, at: str) -> str:
        try:
            return normal_lfdi("lfdi", text)
        except ConfigError as error:
            raise self._error(at, str(error).removeprefix("lfdi: ")) from None

    def _lfdi_of_certificate(self, text: str, at: str) -> str:
        try:
            found = load_certificates(self._path(text, at), "the device's certificate")[0]
        except CertificateError as error:
            raise self._error(at, str(error)) from None
        return identity.lfdi(found.public_bytes(Encoding.DER))

    def _path(self, text: str, at: str) -> Path:
        if self._folder is None:
            raise self._error(at, "an upload names no files; start the server with --scenario FILE")
        path = self._folder / text
        if "\0" in text or not path.is_file():
            raise self._error(at, f"{path} is not a file; paths are relative to this file")
        return path

    def _pin(self, pin: int, at: str) -> None:
        try:
            check_pin(pin)
        except ConfigError as error:
            raise self._error(at, str(error).removeprefix("pin: ")) from None

    def _error(self, pointer: str, detail: str) -> FileError:
        return self._document.error(pointer, detail)
