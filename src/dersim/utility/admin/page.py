"""The page of the admin port and its files. Its views are at the address' hash: `/#faults`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dersim.http11 import Request, Response
from dersim.pages.files import SHARED, TYPES, file_in, read
from dersim.plugin.panel import Panel

_STATIC = "/static/"
_PANELS = "/panels/"
_OWN = Path(__file__).parent / "static"

_HEADERS = (
    ("cache-control", "no-cache"),
    ("x-content-type-options", "nosniff"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("vary", "accept-encoding"),
)
#: Addresses of earlier versions, and the views that took their place.
_MOVED = {"/docs": "/#api", "/redoc": "/#api", "/faults": "/#faults"}


def answer(path: str, request: Request, panels: Mapping[str, Panel]) -> Response | None:
    """The page, one of its files, ours, one that all sites share or of a panel, or a redirect; else None.

    panels: of plug-ins, by name.
    """
    if path in _MOVED:
        return Response(302, (("location", _MOVED[path]), *_HEADERS))
    if path == "/":
        return _file(_OWN / "index.html", request)
    if path.startswith(_PANELS):
        return _of_panel(path.removeprefix(_PANELS), request, panels)
    if not path.startswith(_STATIC):
        return None
    name = path.removeprefix(_STATIC)
    found = next((file for folder in (_OWN, SHARED) if (file := file_in(folder, name))), None)
    return None if found is None or found.suffix not in TYPES else _file(found, request)


def _of_panel(name: str, request: Request, panels: Mapping[str, Panel]) -> Response | None:
    """`NAME.js`, the panel's module, or `NAME/FILE` of its folder."""
    own, _, file = name.partition("/")
    panel = panels.get(own if file else own.removesuffix(".js"))
    if panel is None:
        return None
    if not file:
        return _file(Path(panel.module_path), request)
    found = None if panel.folder is None else file_in(Path(panel.folder).resolve(), file)
    return None if found is None or found.suffix not in TYPES else _file(found, request)


def _file(path: Path, request: Request) -> Response:
    """A file, compressed where the browser takes it; 304 for one that it has."""
    file = read(path)
    coding = request.header("accept-encoding") or ""
    packed = file.packed if "gzip" in coding else None
    tag = f'"{file.tag}"' if packed is None else f'"{file.tag}-gzip"'
    if tag in (request.header("if-none-match") or ""):
        return Response(304, (("etag", tag), *_HEADERS))
    headers = (("content-type", TYPES[path.suffix]), ("etag", tag), *_HEADERS)
    if packed is None:
        return Response(200, headers, file.raw)
    return Response(200, (*headers, ("content-encoding", "gzip")), packed)
