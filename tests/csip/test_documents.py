"""Documents that the clients of a run share: equal bodies are one object, and nobody changes it."""

import copy
import gc

import trio
from tests.test_day import Lab

from dersim.csip.documents import Document, Documents, Remembered
from dersim.csip.session import CodecSettings
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r

RULES = CodecSettings(Edition.E2023)


class Watched(Documents):
    """Also remembers each document with its body."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def keep(self, body, kind, rules, document):
        super().keep(body, kind, rules, document)
        self.kept.append((body, document))


def held(client, kind):
    remembered = client.lifecycle.session._remembered.documents()
    return [each.resource for each in remembered if type(each.resource) is kind]


async def test_two_ders_have_one_object_of_equal_documents_and_nobody_changes_it(autojump_clock):
    async with trio.open_nursery() as nursery:
        lab = Lab(nursery, None, count=2)
        documents = lab.clients[0]._context.services.shared(Documents, Watched)
        await lab.start(for_s=60)
        lab.publish(30, 60, opModMaxLimW=40.0)
        await trio.sleep(300)
        for kind in (r.DeviceCapability, r.DERControlList, r.DefaultDERControl):
            ours, theirs = (held(client, kind) for client in lab.clients)
            assert ours
            assert all(a is b for a, b in zip(ours, theirs, strict=True))
        assert held(lab.clients[0], r.EndDevice)[0] is not held(lab.clients[1], r.EndDevice)[0]
        read = {(body, type(document.resource)) for body, document in documents.kept}
        shared = [kind for _, kind in read if kind is r.DERControlList]
        assert len(shared) >= 2
        for body, document in documents.kept:
            assert document.resource == decode(body).resource
        nursery.cancel_scope.cancel()


def test_a_document_is_found_by_its_body_its_kind_and_the_rules_it_was_read_by():
    documents = Documents()
    body = encode(r.DERProgramList(all=0, results=0, href="/derp"), Edition.E2023)
    document = Document(body, decode(body).resource, ())
    documents.keep(body, r.DERProgramList, RULES, document)
    assert documents.find(body, r.DERProgramList, RULES) is document
    assert documents.find(body + b" ", r.DERProgramList, RULES) is None
    assert documents.find(body, r.DERControlList, RULES) is None
    assert documents.find(body, r.DERProgramList, CodecSettings(Edition.E2023, strict=True)) is None
    del document
    gc.collect()
    assert documents.find(body, r.DERProgramList, RULES) is None


def test_what_has_hrefs_of_one_der_is_not_kept():
    documents = Documents()
    body = encode(r.EndDeviceList(all=0, results=0, href="/edev"), Edition.E2023)
    document = Document(body, decode(body).resource, ())
    documents.keep(body, r.EndDeviceList, RULES, document)
    assert documents.find(body, r.EndDeviceList, RULES) is None


def test_equal_constant_parts_are_one_object_and_their_number_is_bounded(monkeypatch):
    monkeypatch.setattr("dersim.csip.documents._MOST_SHAPES", 3)
    documents = Documents()
    first = documents.shape(bytes([65, 66]))
    assert documents.shape(bytes([65, 66])) is first
    for number in range(10):
        documents.shape(b"other %d" % number)
        assert len(documents._shapes) <= 3


async def test_a_program_without_its_own_href_gets_it_in_a_copy(autojump_clock, world, monkeypatch):
    """Some servers leave the href out of what is read by it."""
    kept = []
    keep = Documents.keep

    def note(self, body, kind, rules, document):
        keep(self, body, kind, rules, document)
        kept.append(document.resource)

    monkeypatch.setattr(Documents, "keep", note)
    client = await world.ready()
    program = world.server.tree["/edev/1/fsa/1/derp"].DERProgram[0]
    bare = copy.copy(program)
    bare.href = None
    world.server.tree[program.href] = bare
    world.begin()
    await trio.sleep(20)
    (node,) = client.lifecycle.tree.program_nodes()
    assert node.program.href == program.href
    (read,) = [each for each in kept if type(each) is r.DERProgram]
    assert read.href is None


def test_of_controls_and_curves_that_are_read_by_their_own_href_the_newest_are_remembered():
    remembered, document = Remembered(), Document(b"", None, ())
    remembered.keep("/dcap", r.DeviceCapability, document)
    for number in range(1_000):
        remembered.keep(f"/derc/{number}", r.DERControl, document)
        remembered.keep(f"/dc/{number}", r.DERCurve, document)
    assert len(remembered) < 100
    assert remembered.find("/dcap", r.DeviceCapability) is document
    assert remembered.find("/derc/999", r.DERControl) is document
    assert remembered.find("/derc/1", r.DERControl) is None
    remembered.clear()
    assert len(remembered) == 0
