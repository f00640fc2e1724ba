"""The admin REST of a companion server as a command asks it: every refusal is one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx

from dersim import json_text
from dersim.cli.site import reason
from dersim.errors import ConfigError, DersimError
from dersim.json_text import BodyError

DEFAULT_URL = "http://127.0.0.1:8444"
PREFIX = "/api/utility"
_TIMEOUT_S = 30.0
#: What the command line caused is exit code 2, as a bad flag is.
_OF_FLAGS = frozenset({400, 404, 413, 415})


class AdminRest:
    """Asks one server; use it in `connected`."""

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._client = client
        self._url = url

    def get(self, path: str, **query: Any) -> Any:
        """The document at a path below /api/utility."""
        return self._ask("GET", path, query)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What a POST is answered."""
        return self._ask("POST", path, {}, body)

    def delete(self, path: str, **query: Any) -> Any:
        """What a DELETE is answered."""
        return self._ask("DELETE", path, query)

    def _ask(self, method: str, path: str, query: Mapping[str, Any], body: Any = None) -> Any:
        wanted = {name: value for name, value in query.items() if value is not None}
        try:
            answer = self._client.request(method, f"{PREFIX}{path}", params=wanted, json=body)
        except httpx.HTTPError as error:
            why = reason(error, _TIMEOUT_S)
            raise DersimError(
                f"{self._url}: {why}; is the server running there? See utility_admin= of its ready line"
            ) from None
        if answer.status_code == 401:
            raise ConfigError(
                f"{self._url}: the admin token is needed, or another one; give --token_file FILE, "
                "--token TOKEN or DERSIM_ADMIN_TOKEN"
            )
        document = self._parsed(answer)
        if answer.status_code >= 400:
            _refused(answer.status_code, document)
        return document

    def _parsed(self, answer: httpx.Response) -> Any:
        try:
            document = json_text.parse(answer.content)
        except BodyError:
            document = None
        if document is None or answer.is_redirect:
            raise DersimError(
                f"{self._url}: what answers there is not the admin port of a companion server; give --url"
            )
        return document


@contextmanager
def connected(url: str, token: str | None) -> Iterator[AdminRest]:
    """A client of the server at `url`; nothing is asked yet."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S, trust_env=False) as client:
        yield AdminRest(client, url)


def _refused(status: int, document: Any) -> NoReturn:
    told = document if isinstance(document, dict) else {}
    detail = told.get("detail", f"the server answered {status}")
    hint = told.get("hint")
    line = f"{detail}; {hint}" if hint and status != 400 else str(detail)
    raise (ConfigError if status in _OF_FLAGS else DersimError)(line)
