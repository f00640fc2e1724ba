"""What the visits of a profile use of a DER's client (`plugin/csip_profile.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dersim.csip.session import RequestRefused, Say, Session
from dersim.csip.tree import Tree
from dersim.plugin.csip_profile import CsipAccess, CsipAnswer

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.ieee2030_5.declare import Extra
    from dersim.ieee2030_5.resources import EndDevice


class ProfileAccess:
    """Requests of one profile, by name, which is the cause that the conversation shows."""

    def __init__(self, device: Device, session: Session, tree: Tree, say: Say, name: str) -> None:
        self._device = device
        self._session = session
        self._tree = tree
        self._say = say
        self._name = name

    @property
    def device(self) -> Device:
        """The DER."""
        return self._device

    @property
    def end_device(self) -> EndDevice | None:
        """Our EndDevice as last read."""
        return self._tree.end_device

    def say(self, level: str, message: str) -> None:
        """A line for the log."""
        self._say(level, message)  # type: ignore[arg-type]  # the levels of the protocol

    async def get(self, href: str) -> CsipAnswer:
        """GET a path."""
        return await self._exchange("GET", href, b"")

    async def put(self, href: str, document: Extra) -> CsipAnswer:
        """PUT a document."""
        return await self._exchange("PUT", href, self._session.encode(document), document.name)

    async def post(self, href: str, document: Extra) -> CsipAnswer:
        """POST a document."""
        return await self._exchange("POST", href, self._session.encode(document), document.name)

    async def _exchange(self, method: str, href: str, body: bytes, what: str = "") -> CsipAnswer:
        """RequestRefused is an answer here, unless it asks to wait."""
        try:
            answer = await self._session.exchange(method, href, f"profile {self._name}", body)
        except RequestRefused as error:
            if error.retry_after_s is not None:
                raise
            self._say("Info", str(error))
            return CsipAnswer(error.status, b"", "", None)
        self._say("Info", f"{method} {href}: {answer.status} {what}".rstrip())
        return CsipAnswer(answer.status, answer.body, answer.content_type, answer.location)


if TYPE_CHECKING:
    _access: type[CsipAccess] = ProfileAccess
