"""How the server says no: one exception with the status, and its reason for whoever reads the wire."""

from __future__ import annotations

from dersim.errors import RemoteProtocolError

#: reasonCode of the Error body (2030.5-2018 5.6).
BAD_FORM, BAD_VALUES, RESOURCE_LIMIT = 0, 1, 2


class Refused(RemoteProtocolError):  # noqa: N818 - reads as what happened
    """A request that is answered with an error status.

    headers: what the status demands beside the body (Allow, Location).
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


def not_found(what: str = "there is no such resource") -> Refused:
    """404. Other clients' resources are answered with it as well, so that nobody learns what exists."""
    return Refused(404, what)
