"""`dersim control`: publishes, cancels and lists DERControls of a companion server, for those who script.

The server is that of `dersim server` or of `dersim sim --demo`, asked over its admin REST. Exit codes: 3
where a device refused what was published with --wait, or did not answer to the end.
"""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from dersim.cli.admin_rest import DEFAULT_URL, AdminRest, connected
from dersim.cli.commands import command_parser
from dersim.cli.control_flags import add_publish, body_of
from dersim.cli.control_watch import ANSWERED, Watch, summary, watched
from dersim.cli.load_flags import duration_s
from dersim.cli.outcomes import CHECK_FAILED
from dersim.cli.site import url_like
from dersim.errors import ConfigError, DersimError
from dersim.numeric import shown
from dersim.options import OptionParser, count, readable_file
from dersim.pages.guard import ADMIN_TOKEN_VARIABLE, given_token, token
from dersim.suggestions import hint
from dersim.utility.modes_2023 import all_specs

#: A control whose end was so long before its creation, s, was given a wrong start. Creation times of controls
#: that are published in one second rise by one each, so they may be a little ahead.
LONG_OVER_S = 300.0
_SYSTEM_GROUP = 1
_MRID = re.compile(r"[0-9A-F]{6,32}")


def main(args: Sequence[str]) -> int:
    """Run a sub-command; the exit code. Errors are the caller's."""
    options = make_parser().parse_args(args)
    run: Callable[[AdminRest, Namespace], int] = options.run
    with connected(options.url, given_token(options, variable=ADMIN_TOKEN_VARIABLE)) as rest:
        return run(rest, options)


def make_parser() -> OptionParser:
    """The sub-commands publish, cancel and list with their flags."""
    parser = command_parser("control")
    commands = parser.add_subparsers(
        dest="control_command", required=True, metavar="publish|cancel|list", parser_class=type(parser)
    )
    publish = commands.add_parser("publish", help="publish a control", allow_abbrev=False)
    add_publish(publish)
    publish.add_argument(
        "--wait",
        action="store_true",
        help="tell what devices answer until each has completed it; exit code 3 where one refuses",
    )
    publish.add_argument(
        "--grace",
        type=duration_s,
        default=60.0,
        metavar="TIME",
        help="with --wait: how long devices may answer after its end",
    )
    publish.add_argument("--json", action="store_true", help="print each control and each Response as JSON")
    publish.set_defaults(run=_publish)
    cancel = commands.add_parser("cancel", help="cancel controls", allow_abbrev=False)
    cancel.add_argument(
        "mrids", nargs="+", type=_mrid, metavar="MRID", help="the mRID of a control, or its first digits"
    )
    cancel.add_argument(
        "--status",
        type=count(2, 4),
        default=2,
        metavar="2|3|4",
        help="2: cancelled, 3: cancelled with randomization, 4: superseded",
    )
    cancel.set_defaults(run=_cancel)
    _add_list(commands.add_parser("list", help="list the controls", allow_abbrev=False))
    for each in (publish, cancel, commands.choices["list"]):
        _add_server(each)
    return parser


def _add_list(parser: OptionParser) -> None:
    parser.add_argument("--program", metavar="ID", help="only those of this program, by id or description")
    parser.add_argument("--status", type=count(0, 5), metavar="N", help="only those of this EventStatus")
    parser.add_argument("--mode", metavar="NAME", help="only those with this mode")
    parser.add_argument("--json", action="store_true", help="print the REST's document")
    parser.set_defaults(run=_list)


def _add_server(parser: OptionParser) -> None:
    group = parser.add_argument_group("server")
    group.add_argument("--url", type=url_like(DEFAULT_URL), default=DEFAULT_URL, help="its admin port")
    group.add_argument("--token", type=token, metavar="TOKEN", help="that of its --admin_token")
    group.add_argument(
        "--token_file",
        type=readable_file,
        metavar="FILE",
        help=f"the same out of a file; or set the environment variable {ADMIN_TOKEN_VARIABLE}",
    )


def _publish(rest: AdminRest, options: Namespace) -> int:
    body = body_of(options)
    if options.wait and not body.get("response_required", ANSWERED) & ANSWERED:
        bits = options.response_required
        raise ConfigError(f"--wait: no device answers with --response_required {bits}; give 1, 2 or 3")
    controls = [_get(rest, mrid) for mrid in _published(rest, options, body)]
    for control in controls:
        print(json.dumps(control) if options.json else _line(control), flush=True)
    if not options.wait:
        return 0
    followed = watched(rest, controls)
    well = Watch(rest, followed, options.grace, _tell, as_json=options.json).run()
    print(summary(followed), file=sys.stderr)
    return 0 if well else CHECK_FAILED


def _get(rest: AdminRest, mrid: str) -> dict[str, Any]:
    """The control that was just published; ConfigError for one that was over long before that."""
    found: dict[str, Any] = rest.get(f"/controls/{mrid}")
    start, created = (datetime.fromisoformat(found[each]).timestamp() for each in ("start", "created"))
    if created - (start + found["duration_s"]) > LONG_OVER_S:
        raise ConfigError(f"control {mrid} was over long before now; give a later --start")
    return found


def _published(rest: AdminRest, options: Namespace, body: dict[str, Any]) -> list[str]:
    """Publish for those that the flags name; the mRIDs of the new controls."""
    if options.primacy is not None and not (options.group or options.all):
        raise ConfigError("--primacy: is for --group and --all; a --program has its own")
    if options.program:
        programs = [_program(rest, text) for text in options.program]
        answer = rest.post("/controls", {"programs": programs, **body})
        return [each["mRID"] for each in answer["controls"]]
    if options.device:
        path = f"/end-devices/{_lfdi(options.device)}/controls"
    else:
        group = _group(rest, options.group) if options.group else rest.get(f"/groups/{_SYSTEM_GROUP}")
        path = f"/groups/{group['id']}/controls"
        if options.primacy is not None:
            path = f"/programs/{_program_of(rest, group, options.primacy)}/controls"
    return [rest.post(path, body)["mRID"]]


def _program(rest: AdminRest, text: str) -> int:
    """The id of a program of this id or description."""
    programs = rest.get("/programs", controls="no")
    found = [each["id"] for each in programs if text in (str(each["id"]), each["description"])]
    if not found:
        names = [each["description"] for each in programs][:20]
        raise ConfigError(f"--program {shown(text)}: there is none; {hint(text, names)}")
    if len(found) > 1:
        ids = ", ".join(map(str, found[:10]))
        raise ConfigError(f"--program {shown(text)}: {len(found)} are called so; give one of the ids {ids}")
    return int(found[0])


def _group(rest: AdminRest, text: str) -> dict[str, Any]:
    """The group of this id or name."""
    groups: list[dict[str, Any]] = rest.get("/groups")
    for each in groups:
        if text in (str(each["id"]), each["name"]):
            return each
    names = [each["name"] for each in groups][:20]
    raise ConfigError(f"--group {shown(text)}: there is none; {hint(text, names)}")


def _program_of(rest: AdminRest, group: dict[str, Any], primacy: int) -> int:
    """The id of the group's own program of this primacy; it is made where missing."""
    found = rest.get("/programs", group=group["id"], primacy=primacy, controls="no")
    own = [each["id"] for each in found if each["groups"] == [group["id"]]]
    if own:
        return int(own[0])
    made = rest.post("/programs", {"description": group["name"], "primacy": primacy, "groups": [group["id"]]})
    return int(made["id"])


def _cancel(rest: AdminRest, options: Namespace) -> int:
    failed: DersimError | None = None
    for given in options.mrids:
        try:
            control = rest.delete(f"/controls/{_whole_mrid(rest, given)}", status=options.status)
        except DersimError as error:
            if failed is not None:
                print(f"dersim: {failed}", file=sys.stderr)
            failed = error
        else:
            print(f"{control['mRID']} {control['status_text']}", flush=True)
    if failed is not None:
        raise failed
    return 0


def _whole_mrid(rest: AdminRest, given: str) -> str:
    """The mRID that begins so."""
    if len(given) == 32:
        return given
    found = [each["mRID"] for each in rest.get("/controls") if each["mRID"].startswith(given)]
    if len(found) != 1:
        what = f"{len(found)} controls begin so; give more digits" if found else "no control begins so"
        raise ConfigError(f"{given}: {what}; dersim control list shows them")
    return str(found[0])


def _list(rest: AdminRest, options: Namespace) -> int:
    program = None if options.program is None else _program(rest, options.program)
    controls = rest.get("/controls", program=program, status=options.status, mode=options.mode)
    if options.json:
        print(json.dumps(controls, indent=1))
        return 0
    if not controls:
        print("no control is listed", file=sys.stderr)
        return 0
    rows = [("MRID", "PROGRAM", "STATUS", "START", "SECONDS", "MODES"), *map(_row, controls)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[5]]))
    return 0


def _row(control: dict[str, Any]) -> tuple[str, ...]:
    start = (control["start"] or "none")[:19] + ("Z" if control["start"] else "")
    seconds = str(control["duration_s"])
    return (
        control["mRID"],
        str(control["program"]),
        control["status_text"],
        start,
        seconds,
        _modes_in_words(control["modes"]),
    )


def _line(control: dict[str, Any]) -> str:
    """A published control: its mRID first, for scripts."""
    mrid, program, status, start, seconds, modes = _row(control)
    return f"{mrid} program {program}, {status}, from {start} for {seconds} s: {modes}"


def _modes_in_words(modes: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_value_in_words(name, value)}" for name, value in modes.items())


def _value_in_words(name: str, value: Any) -> str:
    spec = all_specs().get(name)
    if isinstance(value, dict):
        if "curve" in value:
            return " ".join(",".join(map(_short, point)) for point in value["curve"])
        return ",".join(_short(part) for part in value.values() if part is not None)
    return f"{_short(value)} {spec.unit if spec else ''}".rstrip()


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _tell(line: str) -> None:
    print(line, flush=True)


def _lfdi(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f]{1,40}", text):
        raise ConfigError(f"--device: an LFDI of 40 hexadecimal digits is needed, not {shown(text)}")
    return text.upper()


def _mrid(text: str) -> str:
    if not _MRID.fullmatch(text.upper()):
        raise ArgumentTypeError(f"6 to 32 hexadecimal digits of an mRID are needed, not {shown(text)}")
    return text.upper()
