"""The form of a feeder file: our compact description of a radial feeder, in YAML.

Distances and impedances are metric: km of medium voltage, m of low voltage, ohm per km. `schema` is the JSON
Schema of the file, and what the reader checks first; `layout.py` then follows the wires.
"""

from __future__ import annotations

import functools
from typing import Annotated, Literal, NotRequired, TypedDict

from dersim.plugin import JsonSchema, described, file_schema, unit

Name = Annotated[
    str, described("a-z, 0-9, - and _", pattern=r"^[a-z0-9][a-z0-9_-]*$", minLength=1, maxLength=40)
]
Phases = Annotated[
    Literal["A", "B", "C", "AB", "BC", "AC", "ABC"], described("of a three-phase source, in this order")
]
Amps = Annotated[float, unit("A", "rated current; 400", minimum=1, maximum=10_000)]
PowerFactor = Annotated[float, described("lagging; 1", minimum=0.5, maximum=1)]


class Head(TypedDict):
    """The source: the substation's busbar behind the impedance of its short-circuit power."""

    kv: Annotated[float, unit("kV", "line to line", minimum=0.2, maximum=70)]
    short_circuit_mva: Annotated[float, unit("MVA", minimum=1, maximum=50_000)]
    x_r: NotRequired[Annotated[float, described("X/R of the source; 8", minimum=0.1, maximum=50)]]
    source_pu: NotRequired[Annotated[float, unit("pu", "voltage of the source; 1", minimum=0.8, maximum=1.2)]]
    bus: NotRequired[Annotated[Name, described("name of its bus; head")]]


class Conductor(TypedDict):
    """Of a line, per km: positive sequence, and zero sequence where it is not three times as much."""

    r: Annotated[float, unit("ohm/km", minimum=0.0001, maximum=100)]
    x: Annotated[float, unit("ohm/km", minimum=0.0001, maximum=100)]
    r0: NotRequired[Annotated[float, unit("ohm/km", minimum=0.0001, maximum=300)]]
    x0: NotRequired[Annotated[float, unit("ohm/km", minimum=0.0001, maximum=300)]]
    amps: NotRequired[Amps]


class Line(TypedDict):
    """A line of medium voltage."""

    at: Annotated[Name, described("the bus that feeds it")]
    to: Annotated[Name, described("the bus at its end, a new one")]
    km: Annotated[float, unit("km", minimum=0.001, maximum=200)]
    conductor: Name
    phases: NotRequired[Annotated[Phases, described("those of the bus that feeds it")]]


class Secondary(TypedDict):
    """A line of low voltage."""

    at: Annotated[Name, described("the bus that feeds it")]
    to: Annotated[Name, described("the bus at its end, a new one")]
    m: Annotated[float, unit("m", minimum=1, maximum=5_000)]
    conductor: Name


class Transformer(TypedDict):
    """A service transformer: three phases delta-wye, one phase, or a center tap (two legs, 120/240 V)."""

    at: Annotated[Name, described("the bus that feeds it")]
    to: Annotated[Name, described("the bus of its low-voltage side, a new one")]
    kva: Annotated[float, unit("kVA", minimum=1, maximum=100_000)]
    volts: Annotated[
        float,
        unit("V", "low voltage: line to line; one phase: to neutral; split phase: both legs",
             minimum=50, maximum=20_000),
    ]  # fmt: skip
    kind: NotRequired[
        Annotated[Literal["three_phase", "single_phase", "split_phase"], described("three_phase")]
    ]
    phase: NotRequired[Annotated[Literal["A", "B", "C"], described("of one phase or split phase")]]
    r_pct: NotRequired[Annotated[float, unit("%", "1", minimum=0.01, maximum=10)]]
    x_pct: NotRequired[Annotated[float, unit("%", "4; split phase 2", minimum=0.05, maximum=20)]]


class Regulator(TypedDict):
    """A step voltage regulator of medium voltage: 32 taps within 10 %, each phase on its own."""

    at: Annotated[Name, described("the bus that feeds it")]
    to: Annotated[Name, described("the bus that it regulates, a new one")]
    kva: Annotated[float, unit("kVA", "rating of all phases", minimum=10, maximum=100_000)]
    pu: NotRequired[Annotated[float, unit("pu", "what it holds; 1.02", minimum=0.9, maximum=1.1)]]
    band_pu: NotRequired[Annotated[float, unit("pu", "its band; 0.0167", minimum=0.008, maximum=0.05)]]
    delay_s: NotRequired[Annotated[float, unit("s", "before the first tap; 30", minimum=1, maximum=600)]]


class Capacitor(TypedDict):
    """A capacitor bank: always on, or switched by the voltage."""

    at: Annotated[Name, described("a bus at the end of a line")]
    kvar: Annotated[float, unit("kvar", minimum=1, maximum=20_000)]
    on_pu: NotRequired[Annotated[float, unit("pu", "on below; with off_pu", minimum=0.85, maximum=1.1)]]
    off_pu: NotRequired[Annotated[float, unit("pu", "off above", minimum=0.9, maximum=1.15)]]
    delay_s: NotRequired[Annotated[float, unit("s", "before it switches; 30", minimum=1, maximum=600)]]


class Demand(TypedDict):
    """What is taken: kw at the highest point of the profile, which is 1."""

    kw: Annotated[float, unit("kW", minimum=0, maximum=100_000)]
    power_factor: NotRequired[PowerFactor]
    profile: NotRequired[Annotated[Name, described("residential, constant or one of profiles; residential")]]
    spread: NotRequired[
        Annotated[float, described("standard deviation between customers; 0.3", minimum=0, maximum=1)]
    ]


class Service(TypedDict):
    """The line from the street to a customer."""

    m: Annotated[float, unit("m", minimum=1, maximum=2_000)]
    conductor: Name


class Customers(TypedDict):
    """Customers at one bus of low voltage; each is a place for DERs. Their buses are NAME-1, NAME-2, ..."""

    at: Annotated[Name, described("a bus of low voltage")]
    count: Annotated[int, described("how many", minimum=1, maximum=1_000)]
    name: NotRequired[Annotated[Name, described("of their buses; the bus that feeds them, and -c")]]
    service: NotRequired[Annotated[Service, described("without it they are at the bus itself")]]
    load: NotRequired[Annotated[Demand, described("of each; none")]]
    phases: NotRequired[
        Annotated[
            Literal["all", "rotate", "A", "B", "C"],
            described("all that there are, or one each: A, B, C in turn; all"),
        ]
    ]
    ders: NotRequired[Annotated[bool, described("whether DERs may be connected here; true")]]


class Load(Demand):
    """A load that is no customer."""

    at: Annotated[Name, described("the bus")]


class FeederDocument(TypedDict):
    """A radial feeder for `dersim sim --feeder FILE.yaml`."""

    name: Annotated[str, described("for people", minLength=1, maxLength=60)]
    head: Head
    conductors: dict[str, Conductor]
    lines: NotRequired[Annotated[list[Line], described("", maxItems=5_000)]]
    transformers: Annotated[list[Transformer], described("", minItems=1, maxItems=5_000)]
    secondaries: NotRequired[Annotated[list[Secondary], described("", maxItems=20_000)]]
    customers: Annotated[list[Customers], described("", minItems=1, maxItems=5_000)]
    regulators: NotRequired[Annotated[list[Regulator], described("", maxItems=100)]]
    capacitors: NotRequired[Annotated[list[Capacitor], described("", maxItems=100)]]
    loads: NotRequired[Annotated[list[Load], described("", maxItems=5_000)]]
    profiles: NotRequired[
        Annotated[dict[str, str], described("CSV files by name: hour, load and perhaps power_factor")]
    ]


@functools.cache
def schema() -> JsonSchema:
    """The JSON Schema of a feeder file."""
    return file_schema(FeederDocument, "dersim feeder")
