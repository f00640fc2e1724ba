"""Our own client over sockets and mTLS in real time: every id of the records in one run."""

import pytest

from dersim.conformance import campaign
from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Verdict
from dersim.conformance.procedures import ALL
from dersim.conformance.real import RealRun

RECORDS = [each for each in ALL.values() if each.id.startswith(("COMM-", "CORE-", "BASIC-", "ERR-"))]


async def outcomes_of(procedures, folder, scale):
    kit = make_kit(folder)
    how = RealRun(kit, kit.lfdi, scale=scale)
    run = campaign.run_real(procedures, how, "127.0.0.1", 0, lambda _: None)
    return {each.procedure.id: each async for each in run}


def failed(outcomes):
    """What was not passed, a line each."""
    return [
        f"{name}: {judged.criterion.text}: {judged.finding.text}"
        for name, each in outcomes.items()
        for judged in each.judged
        if judged.finding.verdict is not Verdict.PASS
    ]


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_every_record_passes_in_one_run(tmp_path):
    """About 36 minutes."""
    outcomes = await outcomes_of(RECORDS, tmp_path, 0.1)
    assert len(outcomes) == len(RECORDS)
    assert failed(outcomes) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_records_pass_unshortened(tmp_path):
    """About 9 minutes."""
    outcomes = await outcomes_of(
        [ALL[name] for name in ("COMM-003", "BASIC-008", "BASIC-021")], tmp_path, 1.0
    )
    assert failed(outcomes) == []
