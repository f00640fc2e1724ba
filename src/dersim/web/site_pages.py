"""The pages of the dashboard and of the CSIP UI."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from quart import Response, request
from quart_trio import QuartTrio

from dersim.pages.guard import COOKIE, Guard
from dersim.pages.problems import Problem
from dersim.pages.statics import SHARED, add_folders, file_response
from dersim.plugin.panel import Panel
from dersim.web.context import Site

STATIC = Path(__file__).parent.parent / "web" / "static"

#: The page that each site opens with.
INDEX = {"dashboard": "dashboard.html", "csip_ui": "csip_ui.html"}


def add_pages(app: QuartTrio, site: Site, guard: Guard, panels: Iterable[Panel]) -> None:
    """Add `/`, which takes the token of a first visit, `/docs`, `/static/...` and the plug-ins' panels."""

    async def index() -> Response:
        if guard.token is not None and (shown := request.args.get("token")) is not None:
            if not guard.token_is(shown):
                raise Problem("token-needed", "the token is not the right one")
            # Redirect to the same page without the token, so that it does not stay in the address bar.
            answer = Response(b"", 303, headers={"Location": "/"})
            answer.set_cookie(COOKIE, guard.token, httponly=True, samesite="Strict")
            return answer
        return file_response(STATIC / INDEX[site])

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
    for each in panels:
        if each.folder is not None:
            add_folders(app, f"panels/{each.name}", Path(each.folder).resolve())
    add_folders(app, "static", STATIC, SHARED)
