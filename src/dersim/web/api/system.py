"""`/openapi.json` and `/metrics`."""

from __future__ import annotations

from typing import Any

from dersim.pages.routes import Route
from dersim.web.context import BOTH, Call, WebContext
from dersim.web.metrics import CONTENT_TYPE, exposition


def _metrics(context: WebContext, call: Call) -> str:
    del call
    return exposition(context)


def _openapi(context: WebContext, call: Call) -> dict[str, Any]:
    del call
    return context.openapi()


ROUTES = [
    Route(
        method="GET",
        path="/metrics",
        handler=_metrics,
        summary="Prometheus metrics.",
        response=str,
        per_device=False,
        tag="Simulator",
        content_type=CONTENT_TYPE,
    ),
    Route(
        method="GET",
        path="/openapi.json",
        handler=_openapi,
        summary="This document.",
        response=dict[str, Any],
        per_device=False,
        tag="Simulator",
        etag=True,
        sites=BOTH,
    ),
]
