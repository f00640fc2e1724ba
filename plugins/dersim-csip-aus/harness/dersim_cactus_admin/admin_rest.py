"""The few calls of the admin REST that the procedures need."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

_TIMEOUT_S = 10


class AdminRest:
    """The operator of one server. url: of the admin port, without a path."""

    def __init__(self, url: str) -> None:
        self._base = f"{url}/api/utility"
        # The server is on this machine: a proxy of the environment is not asked.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: Any = None, *, missing: bool = False) -> Any:
        """The JSON of the answer. RuntimeError with the server's reason; missing: None for a 404."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - http to this machine
            f"{self._base}/{path}", data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if missing and error.code == 404:
                return None
            raise RuntimeError(f"{method} {path} {body}: {error.code}: {error.read().decode()}") from None
