"""X-: what the records do not ask for, and the field breaks on."""

from __future__ import annotations

from dersim.conformance.checks import wire
from dersim.conformance.checks.finding import failed, passed
from dersim.conformance.checks.power import limit
from dersim.conformance.criteria import is_completed, rules
from dersim.conformance.evidence import Evidence
from dersim.conformance.procedure import Criterion, Finding, Procedure
from dersim.conformance.stage import Stage

#: A PIN with a right check digit that is not the one of the record, 111115.
OTHER_PIN = 222220


def _session(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default={"opModMaxLimW": 90})
    stage.control("event", "SY", 60, 30, {"opModMaxLimW": 50})


async def _an_alarm(stage: Stage) -> None:
    await stage.until(30)
    stage.bench.raise_alarm(1)


def _other_pin(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default={"opModMaxLimW": 90})
    stage.head_end.provision(stage.lfdi, OTHER_PIN)


def _stays_away(evidence: Evidence) -> Finding:
    """Nothing but the way to the Registration was asked for, and nothing was sent."""
    allowed = ("/dcap", "/tm", "/edev", evidence.device_href, f"{evidence.device_href}/rg")
    wrong = [each for each in evidence.exchanges if each.method != "GET" or each.path not in allowed]
    if not evidence.gets(f"{evidence.device_href}/rg"):
        return failed("no GET of the Registration")
    return failed(f"{wrong[0].method} {wrong[0].target}", wrong) if wrong else passed("it went no further")


PROCEDURES = (
    Procedure(
        "X-001",
        "Every body of a session is valid",
        _session,
        (
            Criterion("no body violates the standard", wire.bodies_valid),
            rules("the event is applied", limit(50), 60, 90),
            is_completed("event"),
        ),
        lasts_s=120,
        stimuli=_an_alarm,
        required="",
        reading="By the schema, and by the rules that no schema checks: signs, ratings, times.",
    ),
    Procedure(
        "X-002",
        "Registration with another PIN",
        _other_pin,
        (Criterion("a server with another PIN is not used", _stays_away),),
        lasts_s=60,
        required="",
        reading="The device expects 111115 and is told 222220.",
    ),
)
