"""Static files: plain files, no build step, nothing from elsewhere.

`SHARED` is what all our sites use: the style sheet, and the modules that draw tables, forms and plots. A site
has files of its own beside them; under one address the site's folder comes first.
"""

from __future__ import annotations

from pathlib import Path

from quart import Response, request
from quart_trio import QuartTrio

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
    """One static file, revalidated by its ETag; Problem not-found for any other file."""
    if path.suffix not in _TYPES or not path.is_file():
        raise Problem("not-found", f"there is no page {path.name!r}")
    # Small files from the page cache: a thread would cost more than the read.
    answer = Response(path.read_bytes(), content_type=_TYPES[path.suffix])
    answer.headers["Cache-Control"] = "no-cache"
    answer.set_etag(f"{path.stat().st_mtime_ns:x}-{path.stat().st_size:x}")
    if request.if_none_match.contains_weak(answer.get_etag()[0] or ""):
        return Response(b"", 304, headers={"ETag": answer.headers["ETag"]})
    return answer
