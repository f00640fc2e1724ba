"""The whole house of `tests/whole`, with fences that count what they meet instead of ending the test."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.whole.conftest import House, OpenHouse, certificates, open_house  # noqa: F401 - fixtures

from dersim.http11 import Request, Response
from dersim.ieee2030_5 import Edition, encode
from dersim.options import OptionParser
from dersim.sunspec import config
from dersim.sunspec.server import ModbusServer
from dersim.utility.paging import Page
from dersim.utility.request_context import RequestContext
from dersim.utility.tree import find

#: One case in so many; a prime, so that all extremes come up.
SAMPLED = int(os.environ.get("DERSIM_EXTREMES_SAMPLED", "397"))

VIEWS = ("csip-client", "overview", "setpoints", "timeline", "grid-support", "logs")
ADMIN_VIEWS = (
    "end-devices", "programs", "responses", "mirror-usage-points", "log-events", "violations",
    "subscriptions", "fleet", "control-lives", "timeline",
)  # fmt: skip


class Range:
    """A house, documents in place of those of its server, and a look at everything after each case."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.replaced: dict[str, bytes] = {}
        self.failures: list[str] = []
        house.fences.fail_fast = False
        parser = OptionParser()
        config.add_options(parser)
        options = parser.parse_args(["--mb_enable", "no"])
        self.registers = ModbusServer(replace(house.context, options=options))
        self._answer = house.utility.answer
        house.utility.answer = self._replaced_or_real  # type: ignore[method-assign]  # the server's last step
        self._requests_seen = 0

    def _replaced_or_real(self, request: Request) -> Response:
        response = self._answer(request)
        path = request.target.partition("?")[0]
        if request.method == "GET" and response.status == 200 and path in self.replaced:
            return response._replace(body=self.replaced[path])
        return response

    def resource(self, path: str, cls: type) -> Any:
        """What the server says there; of a list up to 255 items."""
        device = next(iter(self.house.utility.head_end.end_devices))
        context = RequestContext(
            self.house.utility.head_end,
            self.house.clock.now_s(),
            device.lfdi,
            device,
            Page(0, 255),
            "GET",
            path,
            b"",
        )
        route, numbers = find(path) or (None, [])
        assert route is not None
        built = route.get(context, *numbers).build(Edition.E2023)
        assert isinstance(built, cls)
        return built

    def replace(self, path: str, resource: Any) -> None:
        """Answer this resource there from now on."""
        self.replaced[path] = encode(resource, Edition.E2023)

    async def rest(self, method: str, target: str, body: bytes | None = None) -> int:
        """The status of a request to the dashboard; a view must be JSON without NaN."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        answer = await self.house.app.test_client().open(target, method=method, data=body, headers=headers)
        data = await answer.get_data()
        if answer.mimetype.endswith("json"):
            json.loads(data, parse_constant=_no_constant)
        return int(answer.status_code)

    def admin(self, method: str, path: str, body: bytes = b"") -> int:
        """The status of a request to the operator's REST."""
        headers = (("host", "127.0.0.1"), ("content-type", "application/json"))
        answer = self.house.utility.answer_admin(
            Request(method, f"/api/utility/{path}", headers, body, None, "127.0.0.1:50000")
        )
        json.loads(answer.body, parse_constant=_no_constant)
        return answer.status

    async def look(self, case: str, status: int = 200) -> None:
        """Note whatever a case has broken: an answer or a view of 500, an error that nobody foresaw."""
        if status >= 500 and status != 503:
            self.failures.append(f"{case}: {status}")
        for view in VIEWS:
            if (found := await self._view(view)) != 200:
                self.failures.append(f"{case}: GET {view} is {found}")
        for view in ADMIN_VIEWS:
            if (found := self.admin("GET", view)) != 200:
                self.failures.append(f"{case}: GET /api/utility/{view} is {found}")
        requests = self.house.utility.head_end.request_log
        for item in requests.newest(min(requests.count - self._requests_seen, 5_000)):
            if item.status >= 500:
                self.failures.append(f"{case}: {item.method} {item.path} is {item.status}")
        self._requests_seen = requests.count
        if self.house.fences.counts:
            lines = [e.message for e in self.house.log.entries() if "unexpected" in e.message]
            self.failures.append(f"{case}: {dict(self.house.fences.counts)}: {lines[-1:]}")
            self.house.fences.counts.clear()

    async def _view(self, name: str) -> int | str:
        try:
            return await self.rest("GET", f"/api/dersim/{name}")
        except Exception as error:  # noqa: BLE001 - a view that raises is a finding, with its name
            return repr(error)[:200]


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


OpenRange = Callable[[Mapping[str, Any]], Awaitable[Range]]


@pytest.fixture
def open_range(open_house: OpenHouse) -> OpenRange:  # noqa: F811 - the fixture of that name
    """Makes a Range over a PV inverter with this DefaultDERControl."""

    async def open_it(default: Mapping[str, Any]) -> Range:
        return Range(await open_house("PV", default))

    return open_it
