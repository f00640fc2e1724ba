"""No PIN, token or key is in a record; a replay still knows whether a PIN was right."""

from pathlib import Path

import pytest
from tests.recorded.test_writer import exchange, lines_of

from dersim.cli.redaction import redacted
from dersim.cli.sim import make_parser
from dersim.options import new_file, port, readable_file
from dersim.pages.guard import token
from dersim.recorded.flags import LEFT_OUT, kept_words
from dersim.recorded.secrets import OTHER, OURS, hide_file_pins, hide_pins, stand_in

REGISTRATION = b'<Registration xmlns="urn:ieee:std:2030.5:ns"><pIN>%s</pIN></Registration>'


@pytest.mark.parametrize(
    ("pin", "replayed"), [(b"123454", OURS), (b"000000", OTHER), (b" 123454 ", OURS), (b"12x", OTHER)]
)
def test_a_pin_becomes_a_stand_in_that_is_right_or_wrong_as_the_pin_was(pin, replayed):
    hidden = hide_pins(REGISTRATION % pin, {123454})
    assert pin not in hidden
    if pin != b"12x":
        assert b"<pIN>%d</pIN>" % replayed in stand_in(hidden)


def test_the_pin_of_a_replay_is_hidden_by_the_same_word():
    first = hide_pins(REGISTRATION % b"123454", {123454})
    assert hide_pins(stand_in(first), {OURS}) == first


def test_a_body_without_a_pin_stays_as_it_is():
    assert hide_pins(b"<a>masked</a>", {1}) == b"<a>masked</a>"


def test_headers_and_texts_are_without_secrets():
    item = exchange(
        REGISTRATION % b"123454",
        url="http://h/a?token=hunter2",
        headers=(("Authorization", "Bearer abc"), ("Accept", "x")),
        answer_headers=(("set-cookie", "dersim_token=hunter3"), ("x", "dersim_token=hunter4")),
    )
    text = str(lines_of(item, pins={123454}, redact=redacted))
    assert all(secret not in text for secret in ("123454", "hunter", "Bearer abc"))


@pytest.mark.parametrize("before", [str, redacted])
def test_the_pin_of_a_fleet_file_becomes_the_stand_in(before):
    text = "groups:\n  - server: {host: h, pin: 123454}\n    count: 3\n"
    assert hide_file_pins(before(text)) == text.replace("123454", str(OURS))


def test_no_flag_that_is_kept_names_a_file_a_port_or_a_secret():
    kinds = (Path, readable_file, new_file, port, token)
    named = {action.dest for action in make_parser().flags.values() if action.type in kinds}
    assert named - LEFT_OUT == {"csip_server_port"}


def test_secrets_and_files_are_no_kept_flags():
    kept = ["--tick", "2", "-N", "3", "--strict", "--csip_enc", "no", "--rate=10"]
    others = [
        "--csip_pin",
        "123454",
        "--token=hunter2",
        "--csip_key",
        "key.pem",
        "--demo",
        "--record",
        "x.jsonl",
    ]
    optional = ["--fail_fast", "--pcap", "no"]
    words = [*optional, *kept[:4], *others, *kept[4:]]
    assert kept_words(words, make_parser().flags) == kept


def test_the_token_in_a_path_of_ours_is_hidden():
    [body, line] = lines_of(
        exchange(b"<notificationURI>https://h:1/dersim/notify/s3cr-et_x</notificationURI>")
    )
    assert body["text"] == "<notificationURI>https://h:1/dersim/notify/hidden</notificationURI>"
    assert line["answer"] == body["body"]
