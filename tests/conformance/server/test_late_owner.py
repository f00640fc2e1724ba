"""A server is judged by the interval that it serves where a person publishes, however long that takes."""

import pytest

from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Verdict
from dersim.conformance.server.owner import Owner
from dersim.conformance.server.procedures import ALL
from dersim.conformance.server.runs import run_on_companion
from dersim.conformance.server.steps import Cancel, Publish


class Slow:
    """A person, who takes his time; the times of what he publishes count from then."""

    def __init__(self, admin, clock):
        self._admin, self._clock = admin, clock

    async def carry_out(self, steps):
        for step in steps:
            took_s = 10 if isinstance(step, Cancel) else 90 / len(steps)
            await self._clock.sleep_until(self._clock.now_s() + took_s)
            is_control = isinstance(step, Publish)
            start_s = int(self._clock.now_s()) + step.in_s if is_control else 0
            await self._admin.carry_out([step._replace(start_s=start_s) if is_control else step])
        return True


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("late"))


@pytest.mark.parametrize("name", ["BASIC-017", pytest.param("CORE-022", marks=pytest.mark.slow)])
def test_a_slow_person_does_not_fail_the_server(name, kit):
    outcome = run_on_companion(ALL[name], kit, operator_of=lambda admin, clock: Owner(Slow(admin, clock)))
    said = "\n".join(f"{each.criterion.text}: {each.finding.text}" for each in outcome.judged)
    assert outcome.conformance is Verdict.PASS, said
    assert any("is shown" in each.criterion.text for each in outcome.judged) == (name == "CORE-022")
    assert "not listed" in said or "1 at" in said
