"""The verdict on an exchange: of both bodies, each judged once, and only when someone looks."""

import gc
import tracemalloc

import pytest

from dersim.exchanges import verdicts
from dersim.exchanges.conversation import MAX_BODY_BYTES, MIB, Conversation
from dersim.exchanges.verdicts import mask_pin
from dersim.ieee2030_5 import Edition, encode, judging
from dersim.ieee2030_5 import resources as r
from dersim.plugin.services import ExchangeFilter

NS = b'xmlns="urn:ieee:std:2030.5:ns"'
GOOD = encode(r.Registration(dateTimeRegistered=0, pIN=111115), Edition.E2023)
ODD = b"<Registration %s><dateTimeRegistered>soon</dateTimeRegistered><pIN>111115</pIN></Registration>" % NS
BAD = b"<html>Bad gateway</html>"
XML = (("Content-Type", "application/sep+xml"),)


def one(method="GET", sent=b"", status=200, got=b"", headers=XML, talk=None):
    talk = talk or Conversation()
    talk.add(0.0, 1, method, "http://s/x", ((), sent), (status, headers, got), "ok", 0.1, cause="a test")
    return talk, talk.entries()[-1]


@pytest.mark.parametrize(
    ("exchange", "word"),
    [
        ({"got": GOOD}, "valid"),
        ({"got": BAD}, "invalid"),
        ({"method": "PUT", "sent": GOOD, "status": 204}, "valid"),
        ({"method": "PUT", "sent": GOOD, "got": ODD}, "invalid"),
        ({"method": "POST", "sent": GOOD, "status": 201, "got": b"created", "headers": ()}, "not judged"),
        ({"status": 204}, "no body"),
        ({"status": 404, "got": BAD, "headers": ()}, "error status"),
        ({"status": 400, "method": "PUT", "sent": ODD}, "error status"),
        ({"status": 0, "method": "PUT", "sent": GOOD}, "no answer"),
        ({"got": GOOD + b" " * MAX_BODY_BYTES}, "not judged"),
    ],
)
def test_the_word_is_that_of_the_worse_body_or_of_the_bad_answer(exchange, word):
    talk, kept = one(**exchange)
    assert talk.verdict(kept).word == word
    assert word in verdicts.WORDS


def test_each_body_has_its_word_and_the_editions_in_which_it_is_valid():
    talk, kept = one("PUT", GOOD, 400, ODD)
    found = talk.verdict(kept)
    assert found.request == ("valid", ("2023",), "Registration")
    assert found.response.word == "invalid"


def test_a_masked_pin_is_no_violation_and_stays_masked():
    talk, kept = one(got=GOOD)
    request, response = talk.judgements(kept)
    assert request is None
    assert "<pIN>masked</pIN>" in response.text
    assert talk.verdict(kept).word == "valid"


def test_a_pin_that_is_none_is_masked_and_stays_a_violation():
    talk, kept = one(got=GOOD.replace(b"111115", b"111115x"))
    assert b"111115" not in kept.response_body
    assert talk.verdict(kept).word == "invalid"


@pytest.mark.parametrize(
    "body",
    [
        b"<pIN><![CDATA[111115]]></pIN>",
        b"<pIN><!-- no -->111115</pIN>",
        b"<pIN>111115",
        b"<PIN>111115</PIN>",
        b'<a:pIN a="/">111115</a:pIN>',
        "<\u00e9:pIN>111115</\u00e9:pIN>".encode(),
        b"<pIN><!-- </pIN> -->111115</pIN>",
        b"<Registration pIN = '111115'/>",
        b'{"pIN": 111115}',
    ],
)
def test_a_pin_is_masked_however_it_is_written(body):
    assert b"111115" not in mask_pin(body)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_pin_is_masked_in_every_encoding_of_xml(encoding):
    text = f'<?xml version="1.0" encoding="{encoding[:6]}"?>' + GOOD.decode()
    masked = mask_pin(text.encode(encoding))
    assert masked.decode(encoding) == text.replace("111115", "masked")
    talk, kept = one(got=text.encode(encoding))
    _, response = talk.judgements(kept)
    assert {each.path for each in response.violations} == {"/"}  # the encoding alone, not the PIN


def test_an_empty_pin_stays_empty():
    for body in (b"<x><pIN/>\n <y>1</y></x>", b"<pIN></pIN>"):
        assert mask_pin(body) == body


def test_nothing_is_judged_until_someone_looks_and_equal_bodies_once(monkeypatch):
    judged = []
    brief = judging.brief
    monkeypatch.setattr(judging, "brief", lambda body: judged.append(body) or brief(body))
    talk = Conversation()
    for _ in range(500):
        one(got=GOOD, talk=talk)
    assert judged == []
    assert {talk.verdict(each).word for each in talk.entries(limit=500)} == {"valid"}
    assert len(judged) == 1


def test_whole_judgements_stay_within_their_bounds_and_are_counted():
    talk = Conversation()
    for number in range(300):
        _, kept = one(got=b"<html>%200d</html>" % number * 400, talk=talk)
        talk.judgements(kept)
    assert talk.size().held_bytes > talk.held_bytes
    assert talk.size().held_bytes - talk.held_bytes <= verdicts.MAX_JUDGEMENT_BYTES
    assert talk.size().held_bytes <= talk.size().limit_bytes
    assert talk.size().limit_bytes < 64 * MIB * 1.2


@pytest.mark.parametrize("body", [GOOD, ODD])
async def test_what_is_remembered_of_verdicts_and_searches_is_counted(body):
    """Memory as tracemalloc sees it is at most what `size` tells, and not far below."""
    talk = Conversation()
    for number in range(1000):
        url, got = (
            f"http://s/{number}",
            body.replace(b"0<", b"%d<" % number).replace(b"soon", b"soon%d" % number),
        )
        talk.add(1.8e9, 1, "GET", url, ((), b""), (200, XML, got), "ok", 0.1, cause="a test")
    held = talk.entries(limit=1000)
    for each in held[:3]:
        talk.judgements(each)  # compiles the schemas and fills caches
    word, counted_before = talk.verdict(held[0]).word, talk.size().held_bytes
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    await talk.find(ExchangeFilter(verdicts=frozenset({word})))
    for each in held[3:150]:
        talk.judgements(each)
    gc.collect()  # xmlschema leaves circles
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    counted = talk.size().held_bytes - counted_before
    assert 0.3 * counted <= taken <= counted + 20_000
