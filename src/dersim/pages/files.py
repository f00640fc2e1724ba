"""Static files in memory: found in a folder, typed, tagged and compressed; for any web server."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dersim.pages.compression import pack

#: What all our sites use: the style sheet, and the modules that draw tables, forms and plots.
SHARED = Path(__file__).parent / "static"

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}


def file_in(folder: Path, name: str) -> Path | None:
    """The file of that name, None where there is none in the folder or no file can have the name."""
    try:
        path = (folder / name).resolve()
        return path if path.is_relative_to(folder) and path.is_file() else None
    except (ValueError, OSError):  # a zero byte in the name; a name that is too long
        return None


class File(NamedTuple):
    """A file in memory. tag: changes with the file; packed: as gzip, None where that saves nothing."""

    tag: str
    raw: bytes
    packed: bytes | None


#: Every file that was asked for. Only files of our folders and panels of plug-ins get here: a few hundred kB.
_files: dict[Path, File] = {}


def read(path: Path) -> File:
    """The file from memory, read and compressed again where it changed."""
    facts = path.stat()
    tag = f"{facts.st_mtime_ns:x}-{facts.st_size:x}"
    file = _files.get(path)
    if file is None or file.tag != tag:
        raw = path.read_bytes()
        packed = pack(raw)
        file = _files[path] = File(tag, raw, packed if len(packed) < len(raw) else None)
    return file
