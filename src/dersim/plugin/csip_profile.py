"""A national profile of the CSIP client as a plug-in declares it: what the client does beyond IEEE 2030.5.

The hook `register_csip_profiles` returns these objects, once at start-up. Elements of a profile's namespace
are declared apart (`SchemaExtension`), and so are its control functions.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from dersim.csip.mirror import MirrorKind
    from dersim.device import Device
    from dersim.hardware.nameplate import Nameplate
    from dersim.ieee2030_5.declare import Extra
    from dersim.ieee2030_5.resources import EndDevice
    from dersim.logbuffer import Level


class CsipAnswer(NamedTuple):
    """An answer of the server, whatever its status. location: absolute, or a path of this server."""

    status: int
    body: bytes
    content_type: str
    location: str | None


class CsipAccess(Protocol):
    """What a visit may use of one DER's client.

    Requests are made one at a time with those of the client, and are in its conversation. A server that does
    not answer, or asks to wait by a Retry-After, is an error that the client handles: let it pass.
    """

    @property
    def device(self) -> Device:
        """The DER."""
        ...

    @property
    def end_device(self) -> EndDevice | None:
        """Our EndDevice as last read; foreign elements are in its `extra`."""
        ...

    def say(self, level: Level, message: str) -> None:
        """A line for the log, under CSIP and this DER."""
        ...

    async def get(self, href: str) -> CsipAnswer:
        """GET a path of the server."""
        ...

    async def put(self, href: str, document: Extra) -> CsipAnswer:
        """PUT a document that the plug-in has declared."""
        ...

    async def post(self, href: str, document: Extra) -> CsipAnswer:
        """POST a document that the plug-in has declared."""
        ...


@dataclass(frozen=True, slots=True)
class CsipVisit:
    """A piece of the client's rounds: called after each discovery, and after the seconds that it returns.

    None: not before the next discovery. A failure is logged, and tried again after 30 s.
    """

    name: str
    visit: Callable[[CsipAccess], Awaitable[float | None]]


@dataclass(frozen=True, slots=True)
class CsipProfile:
    """What a profile asks of the CSIP client of each DER. What is left alone stays as in 2030.5.

    mrid_end: the last eight characters of the mRIDs that the client makes; "": the PEN in hex. mirrors: of a
    DER with this nameplate, and with or without a load behind its meter, in place of the client's own.
    end_device: members of the EndDevice that registers in-band. settings: with which a DER begins, by name.
    visits: see `CsipVisit`.
    entry: the path of the DeviceCapability, looked for before each discovery; None: that of --dcap.
    gen_connect_status: send genConnectStatus (2018) for a storage too. settings_at_once: PUT changed
    DERSettings in the second of the change, not with the next poll of the DERList.
    """

    name: str
    mrid_end: str = ""
    mirrors: Callable[[Nameplate, bool], Sequence[MirrorKind]] | None = None
    end_device: Callable[[Device], Mapping[str, Any]] | None = None
    settings: Callable[[Device], Mapping[str, float]] | None = None
    visits: tuple[CsipVisit, ...] = ()
    entry: Callable[[CsipAccess], Awaitable[str | None]] | None = None
    gen_connect_status: bool = False
    settings_at_once: bool = False
    doc: str = ""


#: Without a profile.
PLAIN = CsipProfile("")
