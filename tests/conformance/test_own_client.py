"""Our own client passes each procedure in virtual time."""

import pytest

from dersim import pki
from dersim.conformance import virtual
from dersim.conformance.own_client import identity_in
from dersim.conformance.procedure import Verdict
from dersim.conformance.procedures import ALL


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return identity_in(pki.create(tmp_path_factory.mktemp("conformance") / "certs", 1))


@pytest.mark.parametrize("name", sorted(ALL))
def test_our_client_passes(name, identity):
    outcome = virtual.run(ALL[name], identity)
    said = [f"{each.criterion.text}: {each.finding.text}" for each in outcome.judged]
    assert (outcome.conformance, outcome.compatibility) == (Verdict.PASS, Verdict.PASS), "\n".join(said)
