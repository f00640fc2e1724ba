"""The static pages of a web site: plain files, no build step, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from quart import Response, request
from quart_trio import QuartTrio

from dersim.pages.guard import COOKIE, Guard
from dersim.pages.problems import Problem
from dersim.plugin.extension import Panel
from dersim.web.routes import Site

STATIC = Path(__file__).parent.parent / "web" / "static"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
#: The page that each site opens with.
INDEX = {"dashboard": "dashboard.html", "csip_ui": "csip_ui.html"}


def add_pages(app: QuartTrio, site: Site, guard: Guard, panels: Iterable[Panel]) -> None:
    """Add `/`, which takes the token of a first visit, `/docs`, `/static/...` and the plug-ins' panels."""

    async def index() -> Response:
        if guard.token is not None and (shown := request.args.get("token")) is not None:
            if not guard.token_is(shown):
                raise Problem("token-needed", "the token is not the right one")
            # On to the same page without the token, lest it stay in the address bar.
            answer = Response(b"", 303, headers={"Location": "/"})
            answer.set_cookie(COOKIE, guard.token, httponly=True, samesite="Strict")
            return answer
        return file_response(STATIC / INDEX[site])

    async def static(name: str) -> Response:
        path = (STATIC / name).resolve()
        if not path.is_relative_to(STATIC):
            raise Problem("not-found", f"there is no page {name!r}")
        return file_response(path)

    async def docs() -> Response:
        return Response(b"", 302, headers={"Location": "/#api"})

    async def panel(name: str) -> Response:
        for each in panels:
            if each.name == name:
                return file_response(Path(each.module_path))
        raise Problem("not-found", f"no plug-in brings a panel {name!r}")

    app.add_url_rule("/", "index", index, methods=["GET"])
    for path in ("/docs", "/redoc"):
        app.add_url_rule(path, path, docs, methods=["GET"])
    app.add_url_rule("/panels/<name>.js", "panel", panel, methods=["GET"])
    app.add_url_rule("/static/<path:name>", "static", static, methods=["GET"])


def file_response(path: Path) -> Response:
    """One static file, revalidated by its ETag; Problem not-found for what is none of ours."""
    if path.suffix not in _TYPES or not path.is_file():
        raise Problem("not-found", f"there is no page {path.name!r}")
    # Small files, read from the page cache: no thread is worth its while.
    answer = Response(path.read_bytes(), content_type=_TYPES[path.suffix])
    answer.headers["Cache-Control"] = "no-cache"
    answer.set_etag(f"{path.stat().st_mtime_ns:x}-{path.stat().st_size:x}")
    if request.if_none_match.contains_weak(answer.get_etag()[0] or ""):
        return Response(b"", 304, headers={"ETag": answer.headers["ETag"]})
    return answer
