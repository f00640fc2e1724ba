"""Fleet files: `dersim sim --fleet FILE`. The schema, and the reader, which makes a `FleetPlan`.

What a group leaves out is taken from `defaults`, then from the flags. Files and folders are relative to the
folder of the fleet file.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.fleet_plan import Churn, CommsLoss, FleetPlan, Group
from dersim.grid.inputs import RANGES
from dersim.grid.site_load import LEAST_POWER_FACTOR
from dersim.ieee2030_5.identity import pin_is_valid
from dersim.json_schema import Schema, described, file_schema, unit
from dersim.options import host
from dersim.yaml_text import YamlDocument, read

#: The largest plan; as the flag --first.
MOST_DERS = 1_000_000
_YEAR_S = 31_536_000

Text = Annotated[str, described("", minLength=1, maxLength=200)]
Seconds = Annotated[float, unit("s", minimum=0, maximum=_YEAR_S)]
SomeSeconds = Annotated[float, unit("s", minimum=1, maximum=_YEAR_S)]
Share = Annotated[float, described("of the group's DERs, 0 to 1", minimum=0, maximum=1)]
Names = list[Annotated[str, described("", minLength=1, maxLength=100)]]


def _input(name: str, unit_name: str) -> Any:
    low, high = RANGES[name]
    return unit(unit_name, minimum=low, maximum=high)


Voltage = Annotated[float, _input("voltage_pu", "pu")]
Angle = Annotated[float, _input("angle_deg", "deg")]


class InputsDocument(TypedDict):
    """Grid and weather of each DER; what is not given is that of the flags, else the default."""

    dc_profile: NotRequired[Annotated[Text, described("CSV of irradiance and temperature")]]
    grid_profile: NotRequired[Annotated[Text, described("CSV of the grid's voltage and frequency")]]
    shift_s: NotRequired[
        Annotated[float, unit("s", "each DER plays its profiles this much later than the one before it",
                              minimum=-86_400, maximum=86_400)]
    ]  # fmt: skip
    voltage_pu: NotRequired[
        Annotated[Voltage | tuple[Voltage, Voltage, Voltage], described("or one a phase")]
    ]
    angle_deg: NotRequired[Annotated[Angle | tuple[Angle, Angle, Angle], described("or one a phase")]]
    frequency_hz: NotRequired[Annotated[float, _input("frequency_hz", "Hz")]]
    irradiance_w_m2: NotRequired[Annotated[float, _input("irradiance_w_m2", "W/m2")]]
    temperature_c: NotRequired[Annotated[float, _input("temperature_c", "C")]]
    wind_m_s: NotRequired[Annotated[float, _input("wind_m_s", "m/s")]]
    site_load: NotRequired[
        Annotated[
            Annotated[float, _input("load_w", "W")] | Text,
            described("behind the meter: W, or a CSV of load_w"),
        ]
    ]
    site_load_pf: NotRequired[
        Annotated[float, described("of a load without load_var", minimum=-1, maximum=1)]
    ]


class ServerDocument(TypedDict):
    """The IEEE 2030.5 server of a group; what is not given is that of the flags."""

    host: NotRequired[Annotated[Text, described("IP address or host name")]]
    port: NotRequired[Annotated[int, described("TCP port", minimum=1, maximum=65_535)]]
    tls: NotRequired[Annotated[bool, described("mutual TLS; false: plain HTTP")]]
    check_hostname: NotRequired[Annotated[bool, described("check the name in the server's certificate")]]
    dcap: NotRequired[Annotated[Text, described("path of the DeviceCapability")]]
    pin: NotRequired[
        Annotated[int | Literal["none"], described("the Registration's PIN, or none: no check")]
    ]  # fmt: skip


class ChurnDocument(TypedDict):
    """DERs leave, each with a closed connection and a stopped client, and join again."""

    leaves_per_h: Annotated[float, unit("1/h", "of one DER, on average", minimum=0.001, maximum=360)]
    away_s: Annotated[SomeSeconds | tuple[SomeSeconds, SomeSeconds], described("or least and most")]
    share: NotRequired[Annotated[Share, described("1")]]


class CommsLossDocument(TypedDict):
    """The connection of a DER to its server is cut; the DER runs on, as its own settings say."""

    every_s: Annotated[
        SomeSeconds | tuple[SomeSeconds, SomeSeconds], described("from cut to cut; or least and most")
    ]
    for_s: Annotated[SomeSeconds | tuple[SomeSeconds, SomeSeconds], described("or least and most")]
    share: NotRequired[Share]
    together: NotRequired[Annotated[bool, described("all DERs of the group at the same moments")]]


class CommonDocument(TypedDict):
    """What `defaults` and each group may say; the flags say the rest."""

    device_type: NotRequired[Annotated[Text, described("as -d")]]
    nameplate: NotRequired[Annotated[Text, described("nameplate, a JSON file; as -f")]]
    start: NotRequired[Annotated[Literal["in_service", "off"], described("as --start")]]
    inputs: NotRequired[InputsDocument]
    server: NotRequired[ServerDocument]
    edition: NotRequired[Annotated[Literal[2018, 2023], described("of IEEE 2030.5, of what is sent")]]
    certificates: NotRequired[Annotated[Text, described("folder with cert_K.pem, key_K.pem, cert_root.pem")]]
    start_after_s: NotRequired[Annotated[Seconds, described("the first DER joins so long after the start")]]
    spread_s: NotRequired[Annotated[Seconds, described("the last DER joins so long after the first")]]
    churn: NotRequired[ChurnDocument]
    comms_loss: NotRequired[CommsLossDocument]


class GroupDocument(CommonDocument):
    """DERs that are alike. Their numbers follow those of the group before."""

    count: Annotated[int, described("how many DERs", minimum=1, maximum=MOST_DERS)]
    name: NotRequired[
        Annotated[str, described("of the group; its DERs are called after it", minLength=1, maxLength=60)]
    ]


class FleetDocument(TypedDict):
    """A fleet of DERs for `dersim sim --fleet FILE`."""

    groups: Annotated[list[GroupDocument], described("", minItems=1, maxItems=1000)]
    defaults: NotRequired[CommonDocument]
    plugins: NotRequired[Annotated[Names, described("as --plugins, of the whole process")]]
    without: NotRequired[Annotated[Names, described("as --without, of the whole process")]]


@functools.cache
def fleet_schema() -> Schema:
    """The JSON Schema of a fleet file."""
    return file_schema(FleetDocument, "dersim fleet")


def read_fleet(path: Path, first: int = 1) -> FleetPlan:
    """The plan in a fleet file, its DERs numbered from `first`; FileError for the first mistake in it."""
    return plan_of(read(path), path.parent, first)


def plan_of(document: YamlDocument, folder: Path, first: int = 1) -> FleetPlan:
    """The plan in a document; paths in it are relative to `folder`."""
    document.require(fleet_schema())
    return _Reader(document, folder).plan(first)


class _Reader:
    """Makes a plan of a document that has the form of the schema. folder: that its paths are relative to."""

    def __init__(self, document: YamlDocument, folder: Path) -> None:
        self._document = document
        self._folder = folder

    def plan(self, first: int) -> FleetPlan:
        """The whole plan."""
        value, number = self._document.value, first
        groups: list[Group] = []
        names: set[str] = set()
        for index, own in enumerate(value["groups"]):
            pointers = {key: f"/defaults/{key}" for key in value.get("defaults", {})}
            pointers |= {key: f"/groups/{index}/{key}" for key in own}
            group = self._group(value.get("defaults", {}) | own, pointers, index, number)
            if group.name in names:
                detail = f"{group.name!r} is the name of a group above; choose another"
                raise self._document.error(pointers.get("name", f"/groups/{index}"), detail)
            names.add(group.name)
            groups.append(group)
            number += group.count
            if number - 1 > MOST_DERS:
                raise self._document.error(
                    f"/groups/{index}/count", f"DER {number - 1}; the numbers end at {MOST_DERS}"
                )
        plugins, without = (tuple(value.get(key, ())) for key in ("plugins", "without"))
        return FleetPlan(tuple(groups), first, number - first, plugins=plugins, without=without)

    def _group(self, value: Mapping[str, Any], at: Mapping[str, str], index: int, number: int) -> Group:
        inputs = dict(value.get("inputs", {}))
        flags = self._flags(value, at) | self._server(value.get("server", {}), at.get("server", ""))
        for key in ("dc_profile", "grid_profile"):
            if (text := inputs.pop(key, None)) is not None:
                flags[key] = self._path(text, f"{at['inputs']}/{key}", Path.is_file, "file")
        flags |= self._load(inputs, at.get("inputs", ""))
        for key in ("voltage_pu", "angle_deg"):
            if isinstance(inputs.get(key), list):
                inputs[key] = tuple(inputs[key])
        return Group(
            name=value.get("name", f"group {index + 1}"),
            first=number,
            count=value["count"],
            flags=flags,
            shift_s=float(inputs.pop("shift_s", 0.0)),
            constants=inputs,
            start_after_s=float(value.get("start_after_s", 0.0)),
            spread_s=float(value.get("spread_s", 0.0)),
            churn=self._churn(value.get("churn"), at.get("churn", "")),
            comms_loss=self._comms_loss(value.get("comms_loss"), at.get("comms_loss", "")),
            places={key: self._place(pointer) for key, pointer in at.items()},
        )

    def _flags(self, value: Mapping[str, Any], at: Mapping[str, str]) -> dict[str, Any]:
        flags = {key: value[key] for key in ("device_type", "start") if key in value}
        if "edition" in value:
            flags["csip_2018_compat"] = value["edition"] == 2018
        if "nameplate" in value:
            flags["nameplate"] = self._path(value["nameplate"], at["nameplate"], Path.is_file, "file")
        if "certificates" in value:
            folder = self._path(value["certificates"], at["certificates"], Path.is_dir, "folder")
            flags["use_test_pki_certs"] = folder
        return flags

    def _load(self, inputs: dict[str, Any], at: str) -> dict[str, Any]:
        """The flags of the load behind the meter, taken out of the inputs."""
        found: dict[str, Any] = {
            key: inputs.pop(key) for key in ("site_load", "site_load_pf") if key in inputs
        }
        if isinstance(found.get("site_load"), str):
            found["site_load"] = self._path(found["site_load"], f"{at}/site_load", Path.is_file, "file")
        if abs(found.get("site_load_pf", 1.0)) < LEAST_POWER_FACTOR:
            raise self._document.error(f"{at}/site_load_pf", "0.01 to 1, or -1 to -0.01, is needed")
        return found

    def _server(self, value: Mapping[str, Any], at: str) -> dict[str, Any]:
        flags = {"port": "csip_server_port", "tls": "csip_enc", "check_hostname": "csip_check_hostname"}
        found = {flag: value[key] for key, flag in flags.items() if key in value}
        if "host" in value:
            try:
                found["csip_server_ip"] = host(value["host"])
            except argparse.ArgumentTypeError as error:
                raise self._document.error(f"{at}/host", str(error)) from None
        if "dcap" in value:
            found["dcap"] = value["dcap"]
        if "pin" in value:
            pin = value["pin"]
            if pin != "none" and not (0 <= pin <= 999_999 and pin_is_valid(pin)):
                detail = f"{pin} is not a PIN; its six digits sum to 0 mod 10, such as 111115"
                raise self._document.error(f"{at}/pin", detail)
            found["csip_pin"] = pin
        return found

    def _churn(self, value: Mapping[str, Any] | None, at: str) -> Churn | None:
        if value is None:
            return None
        away_s = self._span(value["away_s"], f"{at}/away_s")
        return Churn(float(value.get("share", 1.0)), float(value["leaves_per_h"]), away_s)

    def _comms_loss(self, value: Mapping[str, Any] | None, at: str) -> CommsLoss | None:
        if value is None:
            return None
        every_s, for_s = (self._span(value[key], f"{at}/{key}") for key in ("every_s", "for_s"))
        if for_s[1] >= every_s[0]:
            detail = f"{for_s[1]:g} s is not less than every_s, {every_s[0]:g} s; a cut ends before the next"
            raise self._document.error(f"{at}/for_s", detail)
        return CommsLoss(float(value.get("share", 1.0)), every_s, for_s, value.get("together", False))

    def _span(self, value: Any, at: str) -> tuple[float, float]:
        """One number, or least and most."""
        low, high = value if isinstance(value, list) else (value, value)
        if low > high:
            raise self._document.error(at, f"{low:g} is more than {high:g}; write the least first")
        return float(low), float(high)

    def _path(self, text: str, pointer: str, is_there: Callable[[Path], bool], kind: str) -> Path:
        path = self._folder / text
        if "\0" in text or not is_there(path):
            raise self._document.error(pointer, f"{path} is not a {kind}; paths are relative to this file")
        return path

    def _place(self, pointer: str) -> str:
        return f"{self._document.name}:{self._document.line_of(pointer)}: {pointer}"
