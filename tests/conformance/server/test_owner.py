"""The owner of a server is asked for nothing twice, and to clear up."""

import trio

from dersim.conformance.server.owner import Owner
from dersim.conformance.server.steps import AddGroup, AddProgram, Register, Unregister

LFDI = "AB" * 20


class Asked:
    """An operator that notes what it is asked, and does it or not."""

    def __init__(self, done=True):
        self.done, self.texts = done, []

    async def carry_out(self, steps):
        self.texts.append([step.text for step in steps])
        return self.done or not steps


def test_a_device_is_registered_once():
    asked = Asked()
    owner = Owner(asked)
    assert trio.run(owner.carry_out, [Register(LFDI)])
    assert trio.run(owner.carry_out, [Register(LFDI), AddProgram("SY", 10, (), {"opModMaxLimW": 90})])
    assert [len(each) for each in asked.texts] == [1, 1]
    trio.run(owner.carry_out, [Unregister(LFDI)])
    trio.run(owner.carry_out, [Register(LFDI)])
    assert asked.texts[-1] == [Register(LFDI).text]


def test_what_was_made_is_to_be_removed_once():
    asked = Asked()
    owner = Owner(asked)
    trio.run(owner.carry_out, [Register(LFDI), AddGroup("feeder", "feeder"), AddProgram("SY", 10)])
    trio.run(owner.clear_up)
    assert asked.texts[-1] == ["Remove what was made with all in it: group feeder, DERProgram SY"]
    trio.run(owner.clear_up)
    assert len(asked.texts) == 2


def test_what_is_not_done_is_not_taken_for_done():
    owner = Owner(Asked(done=False))
    assert not trio.run(owner.carry_out, [Register(LFDI)])
    assert not trio.run(owner.carry_out, [Register(LFDI)])
