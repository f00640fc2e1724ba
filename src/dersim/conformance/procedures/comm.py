"""COMM-002 to 004 and ERR-001: finding the server, TLS, certificate chains, redirects."""

from __future__ import annotations

from dersim.conformance.checks import security, wire
from dersim.conformance.checks.finding import failed, passed
from dersim.conformance.evidence import Evidence
from dersim.conformance.procedure import Check, Criterion, Finding, Procedure
from dersim.conformance.stage import Stage
from dersim.http11 import Request, Response
from dersim.pki.conformance import COMM_004

_DCAP = Criterion("DeviceCapability is fetched", wire.fetched(wire.at("/dcap")))
_LINKED = Criterion("a linked resource is fetched", wire.fetched_any("/tm", "/edev", "/mup", "/upt", "/rsps"))
_SESSION = Criterion("TLS 1.2 with ECDHE-ECDSA-AES128-CCM8", security.csip_session)
#: Where ERR-001 moves DeviceCapability to.
_MOVED = "/moved/dcap"


def _registered(stage: Stage) -> None:
    stage.register()


def _chain(letter: str) -> Procedure:
    case = COMM_004[letter]
    criteria = (_SESSION, _DCAP) if case.accept else (Criterion("the chain is refused", security.refused),)
    return Procedure(
        f"COMM-004{letter}",
        f"Server's chain: {case.title}",
        _registered,
        criteria,
        lasts_s=30,
        chain=letter,
        reading=""
        if case.accept
        else "An alert, a disconnect or silence; the AlertDescription is not judged.",
    )


def _redirecting(status: int) -> Procedure:
    def set_up(stage: Stage) -> None:
        stage.register()

        def answer(request: Request) -> Response | None:
            is_old = request.target.partition("?")[0] == "/dcap"
            return Response(status, (("location", _MOVED),)) if is_old else None

        stage.answers = answer
        stage.moved["/dcap"] = _MOVED

    return Procedure(
        "ERR-001" if status == 301 else f"ERR-001/{status}",
        f"Redirect of DeviceCapability with {status}",
        set_up,
        (
            Criterion(f"the {status} is met", _met(status)),
            Criterion("the new address is used", wire.fetched(wire.at(_MOVED))),
            _LINKED,
        ),
        lasts_s=40,
    )


def _met(status: int) -> Check:
    def check(evidence: Evidence) -> Finding:
        found = evidence.of("GET", "/dcap", (status,))
        return passed(f"GET /dcap answered {status}", found) if found else failed("no GET of /dcap")

    return check


PROCEDURES = (
    Procedure("COMM-002", "The server's address is configured", _registered, (_DCAP, _LINKED), lasts_s=30),
    Procedure("COMM-003", "TLS session", _registered, (_SESSION, _DCAP), lasts_s=30),
    *(_chain(letter) for letter in COMM_004),
    _redirecting(301),
    _redirecting(302),
)
