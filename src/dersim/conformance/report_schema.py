"""The shape of the JSON report of a campaign, as docs/schemas has it."""

from __future__ import annotations

import functools
from typing import Annotated, Literal, NotRequired, TypedDict

from dersim.json_schema import Schema, described, file_schema, unit

VerdictWord = Literal["pass", "warn", "not seen", "fail"]
Instant = Annotated[str, described("RFC 3339, UTC")]


class Device(TypedDict):
    """The device under test; beside a server under test the DER that plays."""

    lfdi: str
    sfdi: Annotated[str, described("twelve digits in groups of three")]
    chain: Annotated[list[str], described("a line a certificate, its own first, the root last")]
    edition: Annotated[str, described("of IEEE 2030.5, by its bodies")]
    software: Annotated[str | None, described("what the device tells of it")]


class Criterion(TypedDict):
    """A criterion and what was found."""

    text: str
    printed_only: Annotated[bool, described("counts for conformance and not for compatibility")]
    verdict: VerdictWord
    found: str
    decided_by: Annotated[list[int], described("numbers of exchanges")]


class Handshake(TypedDict):
    """A TLS handshake, or why a connection ended early."""

    time_s: Annotated[float, unit("s", "UTC since 1970, by the server's clock")]
    version: str | None
    cipher: str | None
    error: str | None
    resumed: bool
    chain: list[str]


class Exchange(TypedDict):
    """A request and its answer; PINs are masked."""

    number: int
    at_s: Annotated[float, unit("s", "printed seconds since t0")]
    to_device: Annotated[bool, described("a Notification of the server")]
    method: str
    target: str
    status: int
    sent: str
    answer: str


class ProcedureReport(TypedDict):
    """One procedure."""

    id: str
    title: str
    purpose: str
    required: Annotated[str, described("profiles: C client, A aggregator, S server; empty: optional")]
    reading: Annotated[str, described("what the record leaves open, and how it was read")]
    conformance: VerdictWord
    compatibility: VerdictWord
    error: Annotated[str | None, described("why it could not be judged")]
    began: Instant
    criteria: list[Criterion]
    handshakes: list[Handshake]
    exchanges: Annotated[list[Exchange], described("those that decided")]
    exchanges_in_all: int


class Summary(TypedDict):
    """How many procedures have each verdict."""

    conformance: dict[str, int]
    compatibility: dict[str, int]


class ConformanceReport(TypedDict):
    """The report of `dersim conformance --json`."""

    format: Literal[1]
    time: Literal["real", "virtual"]
    scale: Annotated[float, unit("s", "real seconds per printed second")]
    client: Literal["dersim", "under test"]
    server: NotRequired[Annotated[str, described("the address of a server under test")]]
    power: Annotated[str, described("where the power was seen")]
    began: Instant
    ended: Instant
    versions: str
    command: str
    device: Device
    summary: Summary
    procedures: list[ProcedureReport]


@functools.cache
def report_schema() -> Schema:
    """The schema of the report."""
    return file_schema(ConformanceReport, "dersim conformance report")
