"""Hints for the log: the likely cause of an error status, and what to do."""

from __future__ import annotations

from dersim.http11 import PLANTED_FAULT, Response
from dersim.ieee2030_5 import Edition, extensions

#: Names that a server which checks against the 2018 schema complains of.
_NEW_IN_2023 = (b"schemaVer", b"connectStatus", b"modesResponded", b"statVarAbsorbAvail", b"statWAbsorbAvail")

#: How servers refuse a body with an element that they do not know.
_REFUSED_BODY = (400, 415, 422)

_PROXY = (
    "an HTML 400 after a good TLS handshake means that a proxy refuses our client certificate: check"
    " --csip_cert and that its chain is in the file"
)


def hint(response: Response, sent: bytes, edition: Edition, *, certificate_accepted: bool) -> str:
    """One line of advice about an error status, or "".

    sent: the body of the request. certificate_accepted: True over plain HTTP, and once this server has given
    us any resource over TLS.
    """
    if planted := response.header(PLANTED_FAULT):
        return f"the companion server has planted this: fault {planted}"
    if (
        response.status == 400
        and not certificate_accepted
        and "html" in (response.header("content-type") or "")
    ):
        return _PROXY
    if edition is Edition.E2023 and response.status == 400 and _names(_NEW_IN_2023, response.body):
        return "this looks like a 2018 server: try --csip-2018-compat"
    if response.status in _REFUSED_BODY and sent and (owner := _plugin_of_foreign_element(sent)):
        return f"a strict server may refuse the elements of plug-in {owner}: try --without {owner}"
    if edition is Edition.E2023 and response.status == 500 and sent:
        return "if this is a 2018 server, try --csip-2018-compat"
    return ""


def _names(names: tuple[bytes, ...], body: bytes) -> bool:
    return any(name in body for name in names)


def _plugin_of_foreign_element(sent: bytes) -> str:
    """The plug-in whose elements are in the body that was sent, or ""."""
    for extension in extensions.registered():
        if extension.owner and extension.declared.namespace.encode() in sent:
            return extension.owner
    return ""
