"""I15: the first difference of two runs."""

from tests.invariants.rig import Rig

from dersim.invariants import same


def run(*bodies, device=1):
    rig = Rig()
    for body in bodies:
        rig.tick()
        rig.exchange("PUT", "/der/ders", sent=body, device=device)
    return rig.conversation.entries()


def test_equal_runs_do_not_differ():
    assert same(run(b"a", b"b"), run(b"a", b"b")) == ""


def test_the_first_difference_is_told():
    assert same(run(b"a", b"abc"), run(b"a", b"abd")) == (
        "DER 1: request 2, PUT /der/ders: body b'abc' and b'abd', at byte 2"
    )
    assert same(run(b"a"), run(b"a", b"b")) == "DER 1: request 2, PUT /der/ders, is in one run only"
    assert same(run(b"a"), run(b"a", device=2)).startswith("DER 1: request 1")
