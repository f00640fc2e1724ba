"""The flags of `dersim control publish`, and the REST body that they mean."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from dersim import json_text
from dersim.cli.load_flags import duration_s
from dersim.errors import ConfigError
from dersim.modes import ModeSpec, value_from_json
from dersim.numeric import finite, shown
from dersim.options import OptionParser, count
from dersim.utility.admin.orders import moment
from dersim.utility.modes_2023 import all_specs
from dersim.utility.programs import MAX_RANDOMIZATION_S

_SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_EXAMPLES = {
    "fixed_var": "-44 or -44,setMaxW",
    "power_factor": "0.95 or 0.95,absorb",
    "droop": '{"db_of_hz": 0.036, "db_uf_hz": 0.036, "k_of": 0.05, "k_uf": 0.05}',
    "bool": "true or false",
}


def add_publish(parser: OptionParser) -> None:
    """For whom, what and when."""
    whom = parser.add_argument_group("for whom, one of").add_mutually_exclusive_group(required=True)
    whom.add_argument(
        "--program", action="append", metavar="ID", help="a DERProgram, by id or description; repeatable"
    )
    whom.add_argument("--device", metavar="LFDI", help="one device alone")
    whom.add_argument("--group", metavar="NAME", help="the devices of a group, by name or id")
    whom.add_argument("--all", action="store_true", help="every device: the group system")
    what = parser.add_argument_group("what")
    what.add_argument(
        "--mode",
        action="append",
        default=[],
        type=mode,
        metavar="NAME=VALUE",
        help="a mode in its unit, as opModMaxLimW=50 (%%), opModConnect=false or opModFixedPFInjectW=0.95; "
        "repeatable (docs/control-functions.md)",
    )
    parser.suggestions["mode"] = lambda: [f"{name}=" for name, each in _orderable() if each.kind != "curve"]
    what.add_argument(
        "--curve",
        action="append",
        default=[],
        type=curve,
        metavar="NAME=POINTS",
        help="a curve as opModVoltVar='92,44 98,0 102,0 108,-44', or as =FILE.json; repeatable",
    )
    parser.suggestions["curve"] = lambda: [f"{name}=" for name, each in _orderable() if each.kind == "curve"]
    what.add_argument("--description", metavar="TEXT", help="shown to devices, at most 32 characters")
    _add_when(parser)


def _add_when(parser: OptionParser) -> None:
    when = parser.add_argument_group("when")
    when.add_argument(
        "--start",
        type=start,
        default="now",
        metavar="TIME",
        help="now, +90s, +5m or an RFC 3339 time such as 2026-11-28T17:00:00Z",
    )
    when.add_argument("--duration", type=whole_s, required=True, metavar="TIME", help="as 90s, 5m or 1h30m")
    randomization = count(-MAX_RANDOMIZATION_S, MAX_RANDOMIZATION_S)
    for name, shifted in (("start", "start"), ("duration", "duration")):
        when.add_argument(
            f"--randomize_{name}",
            type=randomization,
            metavar="S",
            help=f"each device shifts its {shifted} by up to so many seconds, {-MAX_RANDOMIZATION_S} to "
            f"{MAX_RANDOMIZATION_S}",
        )
    rules = parser.add_argument_group("rules")
    rules.add_argument(
        "--primacy",
        type=count(0, 255),
        metavar="N",
        help="with --group or --all: in the program of this primacy, made where missing; the lower one has "
        "priority",
    )
    rules.add_argument(
        "--response_required",
        type=count(0, 255),
        metavar="BITS",
        help="which Responses devices send: 1 receipt, 2 execution, 4 by the customer; the server's default "
        "is 7",
    )


def body_of(options: Namespace) -> dict[str, Any]:
    """The body of a control; ConfigError where no mode is given, or one twice."""
    modes: dict[str, Any] = {}
    for name, value in [*options.mode, *options.curve]:
        if name in modes:
            raise ConfigError(f"{name}: is given twice; leave one out")
        modes[name] = value
    if not modes:
        raise ConfigError("--mode, --curve: at least one is needed, such as --mode opModMaxLimW=50")
    body = {"modes": modes, "duration_s": options.duration, **options.start}
    for name in ("randomize_start", "randomize_duration"):
        if getattr(options, name) is not None:
            body[f"{name}_s"] = getattr(options, name)
    for name in ("description", "response_required"):
        if getattr(options, name) is not None:
            body[name] = getattr(options, name)
    return body


def mode(text: str) -> tuple[str, Any]:
    """A mode that is no curve and its value as the REST has it."""
    name, value = _pair(text, "opModMaxLimW=50")
    spec = _spec(name)
    if spec.kind == "curve":
        raise ArgumentTypeError(f"{name} takes a curve; give --curve {name}=FILE.json")
    return name, _checked(name, _read(spec, value))


def curve(text: str) -> tuple[str, Any]:
    """A mode that takes a curve and its points, or what a file has: a list of points, or an object."""
    name, value = _pair(text, "opModVoltVar='92,44 98,0 102,0 108,-44'")
    spec = _spec(name)
    if spec.kind != "curve":
        raise ArgumentTypeError(f"{name} takes no curve; give --mode {name}=VALUE")
    if value[:1] in "[{":
        return name, _checked(name, _json(name, value))
    if all(_is_point(word) for word in value.split()):
        return name, _checked(name, {"curve": [_point(word) for word in value.split()]})
    try:
        return name, _checked(name, json_text.read_file(Path(value)))
    except ConfigError as error:
        raise ArgumentTypeError(str(error)) from None


def start(text: str) -> dict[str, Any]:
    """The members of the body that say when it starts."""
    if text == "now":
        return {}
    if text.startswith("+"):
        return {"start_in_s": duration_s(text[1:])}
    try:
        moment("start", text)
    except ConfigError:
        raise ArgumentTypeError(
            f"now, +90s or a time with its zone such as 2026-11-28T17:00:00Z is needed, not {shown(text)}"
        ) from None
    return {"start": text}


def whole_s(text: str) -> int:
    """A time in whole seconds."""
    found = duration_s(text)
    if not found.is_integer():
        raise ArgumentTypeError(f"whole seconds are needed, not {shown(text)}")
    return int(found)


def _orderable() -> list[tuple[str, ModeSpec]]:
    """What a DERControl can carry."""
    return [(name, spec) for name, spec in all_specs().items() if not spec.default_only]


def _spec(name: str) -> ModeSpec:
    """The mode; one that is not known here may be of a plug-in of the server, which says what it takes."""
    return dict(_orderable()).get(name) or ModeSpec(name, "number")


def _pair(text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value.strip()):
        raise ArgumentTypeError(f"a mode and its value such as {example} is needed, not {shown(text)}")
    return name.strip(), value.strip()


def _read(spec: ModeSpec, text: str) -> Any:
    if text[:1] in "[{":
        return _json(spec.name, text)
    if text.lower() in _SWITCHES:
        return _SWITCHES[text.lower()]
    first, comma, word = text.partition(",")
    number = _number(first)
    if spec.kind == "fixed_var" and number is not None:
        return {"percent": number, **({"ref": word.strip()} if comma else {})}
    if spec.kind == "power_factor" and number is not None:
        return {"pf": number, **({"excitation": word.strip()} if comma else {})}
    if spec.kind == "number" and number is not None and not comma:
        return number
    wanted = _EXAMPLES.get(spec.kind, f"a number in {spec.unit}" if spec.unit else "a number")
    raise ArgumentTypeError(f"{spec.name}: {wanted} is needed, not {shown(text)}")


def _checked(name: str, value: Any) -> Any:
    """The value if the standard allows it; what is not known here the server checks."""
    specs = all_specs()
    if name in specs:
        try:
            value_from_json(name, value, specs)
        except ConfigError as error:
            raise ArgumentTypeError(str(error)) from None
    return value


def _json(name: str, text: str) -> Any:
    try:
        return json_text.parse(text, name)
    except ConfigError as error:
        raise ArgumentTypeError(str(error)) from None


def _is_point(word: str) -> bool:
    parts = word.split(",")
    return len(parts) in (2, 3) and _number(parts[0]) is not None and _number(parts[1]) is not None


def _point(word: str) -> list[Any]:
    x, y, *excitation = word.split(",")
    return [_number(x), _number(y), *excitation]


def _number(text: str) -> float | int | None:
    """A finite number, a whole one as such; None for all else."""
    for form in (int, float):
        try:
            found = form(text)
        except ValueError:
            continue
        return None if finite(found) is None else found
    return None
