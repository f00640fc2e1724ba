"""The operator of a companion server: carries steps out by its admin REST, and clears up afterwards."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from dersim.conformance.operator import Step
from dersim.conformance.server.steps import (
    AddGroup,
    AddProgram,
    Assign,
    Cancel,
    EndSubscription,
    Publish,
    Register,
    SetPrimacy,
    Unregister,
)
from dersim.errors import ConfigError, DersimError
from dersim.http11 import Endpoint, Response
from dersim.pages.guard import ADMIN_TOKEN_VARIABLE
from dersim.timestamps import rfc3339
from dersim.utility.admin.problems import PREFIX

#: method, path, body; the answer.
Call = Callable[[str, str, bytes], Awaitable[Response]]
_SYSTEM = 1
TOKEN_NEEDED = 401


class AdminOperator:
    """Carries the steps of `steps` out at once, any other one not at all.

    exact: what it publishes is served as it was ordered, to the second.
    """

    exact = True

    def __init__(self, call: Call) -> None:
        self._call = call
        self._groups: dict[str, tuple[int, str]] = {}
        self._programs: dict[str, int] = {}
        self._controls: dict[str, str] = {}
        self._made: list[str] = []

    async def carry_out(self, steps: Sequence[Step]) -> bool:
        """All steps; False at the first one that is of no kind that the REST has."""
        for step in steps:
            if not await self._do(step):
                return False
        return True

    async def check(self) -> None:
        """ConfigError where there is no admin REST, or it wants a token."""
        await self._ask("GET", "poll-rates")

    async def clear_up(self) -> None:
        """Remove what was made, the last first; the EndDevice of the DER that plays, too."""
        for path in reversed(self._made):
            await self._ask("DELETE", path, expected=(200, 204, 404))
        self._made.clear()
        self._groups.clear()
        self._programs.clear()
        self._controls.clear()

    async def _do(self, step: Step) -> bool:
        match step:
            case Register():
                await self._register(step)
            case Unregister():
                await self._ask("DELETE", f"end-devices/{step.lfdi}")
            case AddGroup():
                await self._add_group(step)
            case Assign():
                await self._assign(step)
            case AddProgram():
                await self._add_program(step)
            case SetPrimacy():
                await self._ask("PUT", f"programs/{self._programs[step.program]}", {"primacy": step.primacy})
            case Publish():
                await self._publish(step)
            case Cancel():
                await self._ask("DELETE", f"controls/{self._controls[step.name]}?status=2")
            case EndSubscription():
                await self._end_subscription(step)
            case _:
                return False
        return True

    async def _register(self, step: Register) -> None:
        body = {"lfdi": step.lfdi, "pin": step.pin}
        if step.aggregator is not None:
            body["aggregator"] = step.aggregator
        await self._ask("POST", "end-devices", body)
        self._made.append(f"end-devices/{step.lfdi}")

    async def _add_group(self, step: AddGroup) -> None:
        body: dict[str, Any] = {"name": step.name, "level": step.level}
        if step.parent is not None:
            body["parent"] = self._groups[step.parent][0]
        if step.own_time:
            body["time"] = {}
        made = await self._ask("POST", "groups", body)
        self._groups[step.name] = (made["id"], step.level)
        self._made.append(f"groups/{made['id']}")

    async def _assign(self, step: Assign) -> None:
        number, level = self._groups.get(step.group, (_SYSTEM, "system"))
        if level != "non_topology":
            await self._ask("PUT", f"end-devices/{step.lfdi}/groups", {"group": number})
            return
        known = await self._ask("GET", f"groups/{number}")
        await self._ask("PUT", f"groups/{number}", {"lfdis": [*known["lfdis"], step.lfdi]})

    async def _add_program(self, step: AddProgram) -> None:
        body: dict[str, Any] = {"description": step.name, "primacy": step.primacy}
        if step.groups:
            body["groups"] = [self._groups[name][0] for name in step.groups]
        made = await self._ask("POST", "programs", body)
        self._programs[step.name] = made["id"]
        self._made.append(f"programs/{made['id']}")
        if step.default:
            await self._ask("PUT", f"programs/{made['id']}/default-control", {"modes": step.default})

    async def _publish(self, step: Publish) -> None:
        body = {
            "modes": step.modes,
            "start": rfc3339(step.start_s),
            "duration_s": step.duration_s,
            "randomize_start_s": step.randomize_start_s,
            "randomize_duration_s": step.randomize_duration_s,
            "description": step.name,
        }
        made = await self._ask("POST", f"programs/{self._programs[step.program]}/controls", body)
        self._controls[step.name] = made["mRID"]

    async def _end_subscription(self, step: EndSubscription) -> None:
        found = await self._ask("GET", f"subscriptions?lfdi={step.lfdi}&resource={step.resource}")
        for each in found:
            await self._ask("DELETE", f"subscriptions/{each['id']}")

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        expected: Sequence[int] = (200, 201),
    ) -> Any:
        """The answer as JSON; ConfigError where it is not as expected."""
        raw = b"" if body is None else json.dumps(body).encode()
        try:
            answer = await self._call(method, f"{PREFIX}/{quote(path, safe='/?=&')}", raw)
        except DersimError as error:
            raise ConfigError(f"--admin: {error}") from None
        said = answer.body.decode("utf-8", "replace")
        if answer.status in expected:
            try:
                return json.loads(said) if said else None
            except ValueError:
                raise ConfigError(f"--admin: {method} {path} is not answered by a dersim server") from None
        if answer.status == TOKEN_NEEDED:
            raise ConfigError(
                f"--admin: a token is needed; set the environment variable {ADMIN_TOKEN_VARIABLE}"
            )
        raise ConfigError(f"--admin: {method} {path} is answered {answer.status}: {said[:300]}")


def call_over_http(url: str, token: str | None = None) -> Call:
    """Calls of the admin REST at this URL; ConfigError for another URL than http://host:port.

    token: that of its --admin_token.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ConfigError(
            f"--admin {url}: the URL of a companion server's admin port is needed, http://host:port"
        )
    endpoint = Endpoint(parts.hostname, parts.port or 80)

    async def call(method: str, path: str, body: bytes) -> Response:
        headers = [("Content-Type", "application/json")] if body else []
        headers += [("Authorization", f"Bearer {token}")] if token else []
        connection = endpoint.connection()
        try:
            return await connection.request(method, path, headers=tuple(headers), body=body)
        finally:
            await connection.aclose()

    return call
