"""What a scenario file may say: TypedDicts, and the JSON Schema made of them."""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.json_schema import Note, Schema, described, file_schema, unit
from dersim.modes_schema import curve_schemas, modes_schema
from dersim.utility import modes_2023
from dersim.utility.config import MAX_POLL_RATE_S
from dersim.utility.faults.forms import fault_schema
from dersim.utility.groups import MAX_NAME_CHARS, MAX_OFFSET_S, MAX_ZONE_S
from dersim.utility.programs import MAX_DESCRIPTION_CHARS, MAX_DURATION_S, MAX_RANDOMIZATION_S

_YEAR_S = 366 * 86_400

Modes = Annotated[Any, Note(**{"$ref": "#/$defs/Modes"})]
Fault = Annotated[Any, Note(**{"$ref": "#/$defs/Fault"})]
Text = Annotated[str, described("", minLength=1, maxLength=200)]
Lfdi = Annotated[str, described("40 hexadecimal digits", minLength=1, maxLength=60)]
DerNumber = Annotated[int, described("of a DER of this run", minimum=1, maximum=1_000_000)]
GroupName = Annotated[str, described("name of a group", minLength=1, maxLength=MAX_NAME_CHARS)]
ProgramName = Annotated[str, described("name of a program", minLength=1, maxLength=MAX_DESCRIPTION_CHARS)]
Moment = Annotated[float, unit("s", "from the start of the scenario", minimum=0, maximum=_YEAR_S)]
Pin = Annotated[int, described("six digits, the last one the check digit", minimum=0, maximum=999_999)]
Rate = Annotated[int, unit("s", minimum=1, maximum=MAX_POLL_RATE_S)]
Randomization = Annotated[int, unit("s", minimum=-MAX_RANDOMIZATION_S, maximum=MAX_RANDOMIZATION_S)]


class RatesForm(TypedDict):
    """The poll rates that devices are told."""

    dcap: NotRequired[Rate]
    edev: NotRequired[Rate]
    fsa: NotRequired[Rate]
    derp: NotRequired[Rate]
    der: NotRequired[Rate]
    mup: NotRequired[Rate]
    post: NotRequired[
        Annotated[
            int, unit("s", "postRate of mirrors; left out: that of mup", minimum=1, maximum=MAX_POLL_RATE_S)
        ]
    ]


class DeviceForm(TypedDict):
    """A device that is registered at the start, known by its LFDI or its certificate."""

    lfdi: NotRequired[Lfdi]
    certificate: NotRequired[Annotated[Text, described("PEM file of the device, for its LFDI")]]
    pin: NotRequired[Pin]
    enabled: NotRequired[bool]
    group: NotRequired[GroupName]
    aggregator: NotRequired[Annotated[Lfdi, described("LFDI of the client that may act for it")]]
    resources: NotRequired[
        Annotated[
            dict[str, dict[str, Any]],
            described("documents that plug-ins have added to EndDevices, by name, with their members"),
        ]
    ]


class TimeForm(TypedDict):
    """A Time resource of the group's own."""

    offset_s: NotRequired[
        Annotated[int, unit("s", "how far it is off", minimum=-MAX_OFFSET_S, maximum=MAX_OFFSET_S)]
    ]
    tz_offset_s: NotRequired[
        Annotated[int, unit("s", "of local time", minimum=-MAX_ZONE_S, maximum=MAX_ZONE_S)]
    ]
    quality: NotRequired[Annotated[int, described("as in 2030.5", minimum=0, maximum=255)]]


Level = Annotated[
    Literal[
        "subtransmission", "substation", "feeder", "segment", "transformer", "service_point", "non_topology"
    ],
    described("of the topology"),
]  # fmt: skip


class GroupForm(TypedDict):
    """A group of devices: one FunctionSetAssignments. Write groups above before those below them."""

    name: GroupName
    level: Level
    parent: NotRequired[Annotated[GroupName, described("the group above; left out: all DERs")]]
    devices: NotRequired[Annotated[list[Lfdi], described("LFDIs")]]
    ders: NotRequired[Annotated[list[DerNumber], described("numbers of DERs; with dersim sim --demo")]]
    patterns: NotRequired[Annotated[list[Text], described("of LFDIs, with * and ?")]]
    time: NotRequired[TimeForm]


class ProgramForm(TypedDict):
    """A DERProgram."""

    name: ProgramName
    primacy: Annotated[int, described("the lower one has priority", minimum=0, maximum=255)]
    groups: NotRequired[
        Annotated[list[GroupName], described("whose devices it is for; left out: all", minItems=1)]
    ]
    default: NotRequired[Annotated[Modes, described("its DefaultDERControl")]]


class ControlForm(TypedDict):
    """A DERControl, or a series of them: one of `modes`, `steps` and `profile` says what they order."""

    program: ProgramName
    start_s: Moment
    duration_s: Annotated[int, unit("s", minimum=1, maximum=MAX_DURATION_S)]
    modes: NotRequired[Modes]
    steps: NotRequired[
        Annotated[list[Modes], described("the modes of one control after the other", minItems=1)]
    ]
    profile: NotRequired[Annotated[Text, described("CSV: a row for each control, a column for each mode")]]
    name: NotRequired[
        Annotated[
            str,
            described(
                "its description; `cancel` finds it by this", minLength=1, maxLength=MAX_DESCRIPTION_CHARS
            ),
        ]
    ]
    every_s: NotRequired[
        Annotated[
            float,
            unit("s", "from start to start of a series; duration_s, if left out", minimum=1, maximum=_YEAR_S),
        ]
    ]
    until_s: NotRequired[Annotated[Moment, described("no control of the series starts at or after it")]]
    lead_s: NotRequired[
        Annotated[float, unit("s", "published so long before its start; 60", minimum=0, maximum=_YEAR_S)]
    ]
    randomize_start_s: NotRequired[Randomization]
    randomize_duration_s: NotRequired[Randomization]
    response_required: NotRequired[
        Annotated[int, described("bits: 1 receipt, 2 execution, 4 customer; 7", minimum=0, maximum=255)]
    ]


class DefaultEvent(TypedDict):
    """A program gets another DefaultDERControl; null removes it."""

    program: ProgramName
    modes: Annotated[Any, Note(anyOf=[{"$ref": "#/$defs/Modes"}, {"type": "null"}])]


class ProgramEvent(TypedDict):
    """A program gets another primacy, or is for other groups."""

    name: ProgramName
    primacy: NotRequired[Annotated[int, described("", minimum=0, maximum=255)]]
    groups: NotRequired[Annotated[list[GroupName], described("", minItems=1)]]


class CancelEvent(TypedDict):
    """The newest control of this name ends."""

    control: Annotated[str, described("name of a control", minLength=1, maxLength=MAX_DESCRIPTION_CHARS)]
    how: NotRequired[
        Annotated[
            Literal["cancelled", "cancelled_with_randomization", "superseded", "withdrawn"],
            described("cancelled, if left out; withdrawn: it vanishes from its list"),
        ]
    ]


class RegisterEvent(TypedDict):
    """A device is registered."""

    lfdi: NotRequired[Lfdi]
    certificate: NotRequired[Text]
    pin: NotRequired[Pin]
    group: NotRequired[GroupName]


class MoveEvent(TypedDict):
    """A device moves to another group; null takes it out of all."""

    lfdi: Lfdi
    group: GroupName | None


class Event(TypedDict):
    """Something that happens at one moment: exactly one key beside `at_s`."""

    at_s: Moment
    default: NotRequired[DefaultEvent]
    program: NotRequired[ProgramEvent]
    cancel: NotRequired[CancelEvent]
    register: NotRequired[RegisterEvent]
    remove: NotRequired[Annotated[Lfdi, described("LFDI of a device that is removed")]]
    move: NotRequired[MoveEvent]
    poll_rates: NotRequired[RatesForm]


class ScenarioForm(TypedDict):
    """What a utility does in a run, for `dersim server --scenario FILE`."""

    description: NotRequired[Annotated[str, described("in a line", minLength=1, maxLength=500)]]
    personality: NotRequired[
        Annotated[Literal[2018, 2023], described("edition of all answers; left out: that of each client")]
    ]
    registration: NotRequired[
        Annotated[Literal["open", "inband", "known"], described("who becomes an EndDevice")]
    ]
    pin: NotRequired[Annotated[Pin, described("of devices that have none of their own; as --pin")]]
    poll_rates: NotRequired[RatesForm]
    groups: NotRequired[list[GroupForm]]
    devices: NotRequired[Annotated[list[DeviceForm], Note(maxItems=10_000)]]
    programs: Annotated[list[ProgramForm], described("", minItems=1, maxItems=500)]
    controls: NotRequired[Annotated[list[ControlForm], Note(maxItems=5_000)]]
    events: NotRequired[Annotated[list[Event], Note(maxItems=5_000)]]
    faults: NotRequired[Annotated[list[Fault], Note(maxItems=100)]]


def scenario_schema() -> Schema:
    """The JSON Schema of a scenario file."""
    fault = fault_schema()
    definitions = fault.pop("$defs")
    schema = checked_schema()
    return schema | {"$defs": schema["$defs"] | definitions | {"Fault": fault}}


@functools.cache
def checked_schema() -> Schema:
    """The same without faults: `fault_from` says more about them than a union of schemas can."""
    schema = file_schema(ScenarioForm, "dersim scenario of the companion server")
    modes = modes_schema(modes_2023.all_specs()) | {"minProperties": 1}
    return schema | {"$defs": schema["$defs"] | {"Modes": modes, "Fault": {}} | curve_schemas()}
