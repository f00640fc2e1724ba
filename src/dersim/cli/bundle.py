"""`dersim bundle`: packs a zip of a running `dersim sim` for a bug report.

It holds versions, flags, the log, the conversation with the server and the states of the DERs. PINs, tokens
and private keys are left out; LFDIs, addresses and the paths of files are not.
"""

from __future__ import annotations

import io
import json
import platform
import ssl
import time
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from dersim import __version__, json_text
from dersim.cli.commands import command_parser
from dersim.cli.redaction import redacted
from dersim.cli.site import reason, url_like
from dersim.errors import ConfigError, DersimError
from dersim.json_text import BodyError
from dersim.options import OptionParser, new_file, readable_file
from dersim.pages.guard import settle_token, token
from dersim.timestamps import rfc3339

DEFAULT_URL = "http://127.0.0.1:8111"
#: DERs of which all documents are packed; of the others the list alone.
MOST_DEVICES = 20
_TIMEOUT_S = 60.0
#: Of one document: the longest time, s, and the most that is read, bytes.
_LONGEST_S = 300.0
_MOST_BYTES = 256 << 20

_OF_ALL = (
    ("server-info.json", "/api/dersim/server-info"),
    ("plugins.json", "/api/dersim/plugins"),
    ("devices.json", "/api/dersim/devices"),
    ("metrics.txt", "/metrics"),
    ("log.txt", "/api/dersim/logs/export.txt"),
    ("log.jsonl", "/api/dersim/logs/export.jsonl"),
    ("conversation.jsonl", "/api/dersim/conversation/export.jsonl"),
)
_OF_EACH = ("overview", "setpoints", "csip-client", "inputs", "nameplate")

_README = """\
A bundle of a running dersim, for a bug report. Please say what you did, what you expected and what came.

PINs, tokens and private keys are left out. LFDIs, addresses, paths of files and what went over the wire are
in it: look through it before you pass it on. bundle.json lists the files, and what could not be read.
"""


class CannotPack(DersimError):  # noqa: N818 - says what happened
    """There is nothing to pack: no simulator answers there. Exit code 1."""


class Packed(NamedTuple):
    """The contents by file name, and what could not be read by address."""

    files: dict[str, str]
    not_read: dict[str, str]


def main(args: Sequence[str]) -> int:
    """Pack the bundle and say what was packed and where; 0."""
    options = make_parser().parse_args(args)
    secret = settle_token(options)
    packed = collect(options.url, secret)
    out = options.out or Path(f"dersim-bundle-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip")
    write(out, packed, options.url, (secret or "",))
    print(_said(out, packed))
    return 0


def make_parser() -> OptionParser:
    """The flags of `dersim bundle`."""
    parser = command_parser("bundle", description=__doc__)
    parser.add_argument(
        "--url", type=url_like(DEFAULT_URL), default=DEFAULT_URL, help="the simulator's dashboard"
    )
    parser.add_argument("--token", type=token, metavar="TOKEN", help="that of the simulator's --token")
    parser.add_argument(
        "--token_file", type=readable_file, metavar="FILE", help="the same out of a file; or DERSIM_TOKEN"
    )
    parser.add_argument(
        "--out",
        type=new_file,
        metavar="FILE.zip",
        help="default: dersim-bundle-DATE-TIME.zip, in this folder",
    )
    return parser


def collect(url: str, secret: str | None) -> Packed:
    """Read every document; CannotPack where no simulator answers, ConfigError where it wants a token."""
    packed = Packed({}, {})
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as client:
        info = _greet(client, url)
        for name, path in (*_OF_ALL, *_of_devices(info["devices"], info.get("first_device", 1))):
            try:
                packed.files[name] = _read(client, path)
            except (httpx.HTTPError, CannotPack) as error:
                packed.not_read[path] = reason(error, _TIMEOUT_S)
    return packed


def _greet(client: httpx.Client, url: str) -> dict[str, Any]:
    """The server-info of a dersim; it says how many DERs there are."""
    try:
        status, text = _get(client, "/api/dersim/server-info")
    except (httpx.HTTPError, CannotPack) as error:
        why = reason(error, _TIMEOUT_S)
        raise CannotPack(
            f"{url}: {why}; is the simulator running there? See dashboard= of its ready line"
        ) from None
    if status == 401:
        raise ConfigError(
            f"{url}: a token is needed, or another one; give --token_file FILE or --token TOKEN"
        )
    try:
        info = json_text.parse(text)
        if status == 200 and info["name"] == "dersim" and isinstance(info["devices"], int):
            return dict(info)
    except (BodyError, TypeError, LookupError):  # another program's answer
        pass
    raise CannotPack(f"{url}: what answers there is not the dashboard of a dersim; give --url")


def _of_devices(count: int, first: int) -> Iterator[tuple[str, str]]:
    for number in range(first, first + min(count, MOST_DEVICES)):
        folder = f"der-{number}/" if count > 1 else ""
        for name in _OF_EACH:
            yield f"{folder}{name}.json", f"/api/dersim/{name}?device={number}"


def _read(client: httpx.Client, path: str) -> str:
    status, text = _get(client, path)
    if status != 200:
        raise CannotPack(f"answered {status}")
    return text


def _get(client: httpx.Client, path: str) -> tuple[int, str]:
    """Status and text of an answer of a bounded size, within a bounded time; all of ours are in UTF-8."""
    latest_s = time.monotonic() + _LONGEST_S
    body = bytearray()
    with client.stream("GET", path) as answer:
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise CannotPack(f"more than {_MOST_BYTES >> 20} MiB")
            if time.monotonic() > latest_s:
                raise CannotPack(f"not complete after {_LONGEST_S:g} s")
    return answer.status_code, body.decode("utf-8", "replace")


def write(out: Path, packed: Packed, url: str, secrets: Sequence[str]) -> None:
    """Write the zip; ConfigError where it cannot be written."""
    files = {"README.txt": _README, "bundle.json": _contents(packed, url), **packed.files}
    packing = io.BytesIO()  # an interruption leaves no half a file
    with zipfile.ZipFile(packing, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, redacted(text, secrets))
    try:
        out.write_bytes(packing.getbuffer())
    except OSError as error:
        raise ConfigError(
            f"--out {out}: {error.strerror or error}; give a file that can be written"
        ) from None


def _contents(packed: Packed, url: str) -> str:
    """What is in the bundle, and who made it: this may be another machine than the simulator's."""
    document = {
        "time": rfc3339(datetime.now(UTC).timestamp()),
        "url": url,
        "made_by": {
            "dersim": __version__,
            "python": platform.python_version(),
            "openssl": ssl.OPENSSL_VERSION,
            "platform": platform.platform(),
        },
        "files": sorted(packed.files),
        "not_read": packed.not_read,
    }
    return json.dumps(document, indent=1)


def _said(out: Path, packed: Packed) -> str:
    size = out.stat().st_size
    line = f"{out}: {len(packed.files)} documents, {size / 1000:.0f} kB; PINs, tokens and keys are left out"
    if packed.not_read:
        line += "; not read: " + ", ".join(f"{path} ({why})" for path, why in packed.not_read.items())
    return line
