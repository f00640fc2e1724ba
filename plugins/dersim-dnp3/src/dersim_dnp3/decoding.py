"""Octets of the conversation as lines for people: function, indications, objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypedDict

from py1815.application import (
    IIN,
    FunctionCode,
    ObjectHeader,
    Request,
    RequestError,
    ResponseError,
    parse_object_blocks,
    parse_request,
    parse_response,
)
from py1815.control import (
    AnalogOutput,
    ControlError,
    ControlRelayOutputBlock,
    OperationType,
    decode_control,
    object_size,
)
from py1815.decode import decode_objects
from py1815.link import FrameReader, LinkFrame, PrimaryFunction, SecondaryFunction
from py1815.transport import Reassembler, TransportError

from dersim.plugin import rfc3339
from dersim_dnp3.conversation import Said

_MOST_OBJECTS = 40
_WORDS = {
    1: "binary inputs",
    2: "events of binary inputs",
    10: "binary outputs",
    12: "commands of binary outputs",
    20: "counters",
    21: "frozen counters",
    23: "events of frozen counters",
    30: "analog inputs",
    32: "events of analog inputs",
    40: "analog outputs",
    41: "commands of analog outputs",
    50: "time",
    51: "common time of events",
    52: "delay",
    80: "indications",
}
#: Objects whose value is a time.
_TIMES = (50, 51)
_CLASSES = {1: "all inputs (class 0)", 2: "class 1", 3: "class 2", 4: "class 3"}
#: Bits of the two octets of indications.
_INDICATIONS = (
    (
        "broadcast",
        "class 1 events",
        "class 2 events",
        "class 3 events",
        "need time",
        "local",
        "trouble",
        "restart",
    ),
    ("function not known", "object not known", "parameter wrong", "events lost", "busy", "bad configuration"),
)


class Line(TypedDict):
    """A fragment, or a link frame without one. direction: "in" from the master, "out" to it."""

    id: int
    time: str
    device: int
    master: int
    direction: str
    function: str
    sequence: int | None
    unsolicited: bool
    confirm: bool
    indications: list[str]
    objects: list[str]
    octets: str


def lines_of(said: Iterable[Said]) -> list[Line]:
    """The lines of what was said, in its order."""
    readers: dict[tuple[int, str], _Reader] = {}
    return [
        line
        for each in said
        for line in readers.setdefault((each.connection, each.direction), _Reader()).lines(each)
    ]


class _Reader:
    """One direction of a connection; half a frame, or half a fragment, waits for the rest."""

    def __init__(self) -> None:
        self._frames = FrameReader()
        self._fragments = Reassembler()

    def lines(self, said: Said) -> Iterator[Line]:
        """The lines that these octets complete."""
        for frame in self._frames.feed(said.octets):
            if not frame.payload:
                yield _line(said, f"link: {_link_word(frame)}", b"")
                continue
            try:
                fragment = self._fragments.add(frame.payload)
            except TransportError as error:
                yield _line(said, f"segment dropped: {error}", frame.payload)
                continue
            if fragment is not None:
                yield _fragment_line(said, fragment)


def _link_word(frame: LinkFrame) -> str:
    words: type[PrimaryFunction] | type[SecondaryFunction]
    words = PrimaryFunction if frame.is_primary else SecondaryFunction
    try:
        return words(frame.function).name.lower().replace("_", " ")
    except ValueError:
        return f"function {frame.function}"


def _line(said: Said, function: str, octets: bytes) -> Line:
    return {
        "id": said.id,
        "time": rfc3339(said.time_s),
        "device": said.device,
        "master": said.master,
        "direction": said.direction,
        "function": function,
        "sequence": None,
        "unsolicited": False,
        "confirm": False,
        "indications": [],
        "objects": [],
        "octets": octets.hex(" "),
    }


def _fragment_line(said: Said, fragment: bytes) -> Line:
    try:
        return _request(said, fragment) if said.direction == "in" else _response(said, fragment)
    except (RequestError, ResponseError) as error:
        return _line(said, f"cannot be read: {error}", fragment)


def _request(said: Said, fragment: bytes) -> Line:
    request = parse_request(fragment)
    known = request.known_function
    word = f"function 0x{request.function:02X}" if known is None else known.name.lower().replace("_", " ")
    line = _line(said, word, fragment)
    line["sequence"] = request.control.sequence
    line["unsolicited"] = request.control.uns
    line["objects"] = _cut(_asked(request))
    return line


def _asked(request: Request) -> Iterator[str]:
    if request.headers and object_size(request.headers[0].group, request.headers[0].variation):
        try:
            blocks = parse_object_blocks(request, object_size)
        except RequestError as error:
            yield str(error)
            return
        for block in blocks:
            for index, octets in block.items:
                yield f"{_point(block.header.group, index)} {_command(block.header, octets)}"
        return
    for header in request.headers:
        yield _header(header)


def _command(header: ObjectHeader, octets: bytes) -> str:
    try:
        return _shown(decode_control(header.group, header.variation, octets))
    except (ControlError, ValueError) as error:
        return str(error)


def _shown(command: ControlRelayOutputBlock | AnalogOutput) -> str:
    if isinstance(command, AnalogOutput):
        return f"{command.value:g}"
    trip, operation = command.trip_close.name.lower(), command.operation
    if isinstance(operation, OperationType):
        word = operation.name.lower().replace("_", " ")
    else:
        word = f"operation {operation}"
    return word + ("" if trip == "nul" else f", {trip}")


def _header(header: ObjectHeader) -> str:
    if header.group == 60:
        return _CLASSES.get(header.variation, f"class object {header.variation}")
    word = f"{_WORDS.get(header.group, f'group {header.group}')} (g{header.group}v{header.variation})"
    if header.start is not None and header.stop is not None:
        return f"{word} {header.start} to {header.stop}"
    if header.indices:
        return f"{word} {', '.join(map(str, header.indices))}"
    return f"{word}, {header.count} of them" if header.count else word


def _response(said: Said, fragment: bytes) -> Line:
    response = parse_response(fragment)
    word = FunctionCode(response.function).name.lower().replace("_", " ")
    line = _line(said, word, fragment)
    control = response.control
    line["sequence"], line["unsolicited"], line["confirm"] = control.sequence, control.uns, control.con
    line["indications"] = _indications(response.iin)
    line["objects"] = _cut(_told(response.body))
    return line


def _indications(iin: IIN) -> list[str]:
    octets = (int(iin.first), int(iin.second))
    return [
        word
        for octet, words in zip(octets, _INDICATIONS, strict=True)
        for bit, word in enumerate(words)
        if octet >> bit & 1
    ]


def _told(body: bytes) -> Iterator[str]:
    decoded = decode_objects(body)
    for each in decoded.objects:
        if each.group in (12, 41):
            command = decode_control(each.group, each.variation, each.raw)
            yield f"{_point(each.group, each.index)} {_shown(command)}: {command.status.name}"
            continue
        value: object = each.value if not isinstance(each.value, bool) else int(each.value)
        if each.group in _TIMES and isinstance(each.value, int):
            value = rfc3339(each.value / 1000)
        text = f"{_point(each.group, each.index)} {value}"
        if each.flags is not None and not each.flags & 1:
            text += " offline"
        yield f"{text} at {rfc3339(each.time_ms / 1000)}" if each.time_ms is not None and each.event else text
    if decoded.problem:
        yield decoded.problem


_KINDS = dict.fromkeys((1, 2), "BI") | dict.fromkeys((10, 12), "BO") | dict.fromkeys((30, 32), "AI")
_KINDS |= dict.fromkeys((40, 41), "AO") | {20: "CTR"} | dict.fromkeys((21, 23), "frozen CTR")


def _point(group: int, index: int | None) -> str:
    if group not in _KINDS:
        return _WORDS.get(group, f"group {group}")
    event = " event" if group in (2, 23, 32) else ""
    return f"{_KINDS[group]}{index}{event}"


def _cut(texts: Iterator[str]) -> list[str]:
    listed = list(texts)
    left = len(listed) - _MOST_OBJECTS
    return listed if left <= 0 else [*listed[:_MOST_OBJECTS], f"and {left} more"]
