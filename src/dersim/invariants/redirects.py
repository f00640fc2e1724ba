"""Which address a DER asked for, where the server redirected it: what is read elsewhere is read of that."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from dersim.plugin.services import HttpExchange

#: Redirects of one DER that wait to be followed, at most.
MOST_OPEN = 50


class Redirects:
    """Those of one DER. Each counts for the request that follows it; the next time the address is its own."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[str, str], str] = OrderedDict()

    def asked(self, exchange: HttpExchange) -> str:
        """The path that was asked for first. Call it once for each exchange, in their order."""
        own = urlsplit(exchange.url).path
        path = self._asked.pop((exchange.method, own), own)
        if 300 <= exchange.status < 400:
            for name, value in exchange.response_headers:
                if name == "location":
                    with contextlib.suppress(ValueError):  # no address: a client does not follow it either
                        self._asked[exchange.method, urlsplit(urljoin(exchange.url, value)).path] = path
            while len(self._asked) > MOST_OPEN:
                self._asked.popitem(last=False)
        return path
