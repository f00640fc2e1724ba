"""Static files: plain files, no build step, nothing from elsewhere.

`SHARED` is what all our sites use: the style sheet, and the modules that draw tables, forms and plots. A site
has files of its own beside them; under one address the site's folder comes first.
"""

from __future__ import annotations

from pathlib import Path

from quart import Response, request
from quart_trio import QuartTrio

from dersim.pages.compression import gzip_accepted
from dersim.pages.files import SHARED, TYPES, file_in, read
from dersim.pages.problems import Problem

__all__ = ["SHARED", "add_folders", "add_site", "file_response"]


def add_site(app: QuartTrio, name: str, page: Path, *more: Path) -> None:
    """Serve `page` as /, the files beside it as /name/, those of `more` and the shared ones as /static/."""

    async def index() -> Response:
        return file_response(page)

    app.add_url_rule("/", "index", index, methods=["GET"])
    add_folders(app, name, page.parent)
    add_folders(app, "static", *more, SHARED)


def add_folders(app: QuartTrio, address: str, *folders: Path) -> None:
    """Serve the files of `folders` under /address/, of two with one name the one in the first folder."""

    async def static(name: str) -> Response:
        for folder in folders:
            if path := file_in(folder, name):
                return file_response(path)
        raise Problem("not-found", f"there is no page {name!r}")

    app.add_url_rule(f"/{address}/<path:name>", address, static, methods=["GET"])


def file_response(path: Path) -> Response:
    """One static file, compressed and revalidated by its ETag; Problem not-found for any other file."""
    if path.suffix not in TYPES or not path.is_file():
        raise Problem("not-found", f"there is no page {path.name!r}")
    file = read(path)
    packed = file.packed is not None and gzip_accepted()
    answer = Response(file.packed if packed else file.raw, content_type=TYPES[path.suffix])
    # Two encodings of one file are two representations, each with a strong tag of its own.
    answer.set_etag(f"{file.tag}-gzip" if packed else file.tag)
    if request.if_none_match.contains_weak(answer.get_etag()[0] or ""):
        answer = Response(b"", 304, headers={"ETag": answer.headers["ETag"]})
    elif packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Cache-Control"] = "no-cache"
    answer.vary.add("Accept-Encoding")
    return answer
