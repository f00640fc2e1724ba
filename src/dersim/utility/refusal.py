"""The exception that becomes an error response of the 2030.5 port."""

from __future__ import annotations

from dersim.errors import RemoteProtocolError

#: reasonCode of the Error body (2030.5-2018 5.6).
BAD_FORM, BAD_VALUES, RESOURCE_LIMIT = 0, 1, 2


class RequestRefused(RemoteProtocolError):  # noqa: N818 - it says what happened, as RequestRefused(403, ...)
    """A request that is answered with an error status.

    reason: one line for the log and for the response. code: reasonCode of the Error body.
    headers: those that the status requires (Allow, Location).
    """

    def __init__(
        self,
        status: int,
        reason: str,
        *,
        code: int = BAD_VALUES,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.code = code
        self.headers = headers


def not_found(what: str = "there is no such resource") -> RequestRefused:
    """404. Also for resources of other clients, so that a client cannot find out what exists."""
    return RequestRefused(404, what)
