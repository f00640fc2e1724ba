import pytest

from dersim.utility.faults.plans import fault_from


@pytest.fixture
def plant(lab):
    """Plant a fault in the lab's server: plant("status", status=503)."""

    def plant(kind, **members):
        return lab.head_end.faults.plant(fault_from({"kind": kind, **members}))

    return plant
