"""Registers that hold anything: a nameplate that the simulator takes, or one line that says why not."""

import random
import struct

import pytest
from tests.sunspec.conftest import Bench

from dersim.errors import DersimError
from dersim.hardware.nameplate import nameplate_from_json
from dersim.twin.from_modbus import twin_of
from dersim.twin.link import ReadRefused
from dersim.twin.stand_in import StandIn
from dersim.twin.sunspec_map import read_machine


class Registers:
    """A link to registers in memory."""

    where, unit = "memory", 1

    def __init__(self, words):
        self.words = words

    def read(self, address, count):
        words = self.words[address - 40000 : address - 40000 + count] if address >= 40000 else []
        if len(words) < count:
            raise ReadRefused("exception 2, illegal address")
        return words

    def requests(self, count):
        return 1


def whole(kind):
    unit = Bench(device_type=kind).unit
    data = b"".join(block.data() for block in unit.blocks)
    return [0x5375, 0x6E53, *struct.unpack(f">{len(data) // 2}H", data), 0xFFFF, 0]


MAPS = [whole(kind) for kind in ("PV-3Phase", "HybridDC-3Phase", "Batt-1Phase")]
ODD = (0, 1, 2, 3, 5, 100, 1000, 0x7FFF, 0x8000, 0xFFFF, 0xFFFE, 0xFFF0)


@pytest.mark.parametrize("seed", range(40))
def test_any_registers_make_a_nameplate_that_is_taken_or_are_refused(seed):
    rng = random.Random(seed)
    words = list(MAPS[seed % len(MAPS)])
    for _ in range(rng.choice((1, 5, 30, 200))):
        words[rng.randrange(2, len(words))] = rng.choice((*ODD, rng.randrange(0x10000)))
    try:
        twin = twin_of(read_machine(Registers(words)))
    except DersimError:
        return
    assert not any("\n" in line for line in (*twin.unread, *twin.assumed, *twin.differs))
    StandIn(nameplate_from_json(twin.document), twin.device_type)
