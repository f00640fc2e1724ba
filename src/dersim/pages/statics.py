"""Static files: plain files, no build step, nothing from elsewhere.

`SHARED` is what all our sites use: the style sheet, and the modules that draw tables, forms and plots. A site
has files of its own beside them; under one address the site's folder comes first.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from quart import Response, request
from quart_trio import QuartTrio

from dersim.pages.compression import gzip_accepted, pack
from dersim.pages.problems import Problem

SHARED = Path(__file__).parent / "static"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


def add_folders(app: QuartTrio, address: str, *folders: Path) -> None:
    """Serve the files of `folders` under /address/, of two with one name the one in the first folder."""

    async def static(name: str) -> Response:
        for folder in folders:
            if path := _file_in(folder, name):
                return file_response(path)
        raise Problem("not-found", f"there is no page {name!r}")

    app.add_url_rule(f"/{address}/<path:name>", address, static, methods=["GET"])


def _file_in(folder: Path, name: str) -> Path | None:
    """The file of that name, None where there is none in the folder or no file can have the name."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (ValueError, OSError):  # a zero byte in the name; a name that is too long
        return None


def file_response(path: Path) -> Response:
    """One static file, compressed and revalidated by its ETag; Problem not-found for any other file."""
    if path.suffix not in _TYPES or not path.is_file():
        raise Problem("not-found", f"there is no page {path.name!r}")
    file = _read(path)
    packed = file.packed is not None and gzip_accepted()
    answer = Response(file.packed if packed else file.raw, content_type=_TYPES[path.suffix])
    # Two encodings of one file are two representations, each with a strong tag of its own.
    answer.set_etag(f"{file.tag}-gzip" if packed else file.tag)
    if request.if_none_match.contains_weak(answer.get_etag()[0] or ""):
        answer = Response(b"", 304, headers={"ETag": answer.headers["ETag"]})
    elif packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Cache-Control"] = "no-cache"
    answer.vary.add("Accept-Encoding")
    return answer


class _File(NamedTuple):
    """A file in memory. tag: changes with the file; packed: as gzip, None where that saves nothing."""

    tag: str
    raw: bytes
    packed: bytes | None


#: Every file that was asked for. Only files of our folders and panels of plug-ins get here: a few hundred kB.
_files: dict[Path, _File] = {}


def _read(path: Path) -> _File:
    """The file from memory, read and compressed again where it changed."""
    facts = path.stat()
    tag = f"{facts.st_mtime_ns:x}-{facts.st_size:x}"
    file = _files.get(path)
    if file is None or file.tag != tag:
        raw = path.read_bytes()
        packed = pack(raw)
        file = _files[path] = _File(tag, raw, packed if len(packed) < len(raw) else None)
    return file
