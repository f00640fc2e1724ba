"""The soak's own arithmetic; the run itself is `tox -e soak`."""

import itertools

from tests.soak.__main__ import Sample, take, told_wrong, verdict
from tests.soak.answers import Answers
from tests.soak.faults import CALM_AFTER_S, LASTS_S, PLANTED, drawn

from dersim.utility.faults.forms import FORMS


def samples(own_mb, files=lambda _k: 30, errors=0):
    return [Sample(k, 100 + own_mb(k), 100.0, files(k), errors) for k in range(60)]


def test_a_steady_run_and_full_buffers_are_fine():
    assert verdict(samples(lambda k: 50.0)) == []
    assert verdict([Sample(k, 150.0 + k, 100.0 + k, 30, 0) for k in range(60)]) == []


def test_growth_in_the_second_half_is_told():
    (line,) = verdict(samples(lambda k: 50 + k * 0.1))
    assert line.startswith("memory beyond the buffers grew by 2.")
    assert verdict(samples(lambda k: 50 + min(k, 25) * 0.5)) == []  # only in the first half


def test_files_and_errors_are_told():
    assert verdict(samples(lambda _k: 50.0, files=lambda k: 30 + k)) == [
        "open files grew from 60 to 89 in the second half"
    ]
    assert verdict(samples(lambda _k: 50.0, errors=3)) == ["3 unexpected errors were counted"]


def test_a_sample_reads_this_process():
    import os

    text = 'dersim_buffer_bytes{buffer="log"} 1048576\ndersim_unexpected_errors_total{place="poll"} 2\n'
    sample = take(0.0, os.getpid(), text)
    assert sample.rss_mb > 10
    assert (sample.buffers_mb, sample.errors) == (1.0, 2)
    assert sample.files >= 3


def test_faults_come_every_five_to_fifteen_minutes_and_are_over_at_the_end():
    faults = list(drawn(3, 7200.0))
    assert faults == list(drawn(3, 7200.0)) != list(drawn(4, 7200.0))
    gaps = [b.start_s - a.start_s for a, b in itertools.pairwise(faults)]
    assert 8 <= len(faults) <= 24
    assert all(300 <= gap <= 900 for gap in gaps)
    assert faults[-1].start_s + LASTS_S[1] + CALM_AFTER_S < 7200
    assert {fault["kind"] for fault in PLANTED} <= set(FORMS)


def response(number, status, subject="A", lfdi="B"):
    return {"id": number, "status": status, "subject": subject, "lfdi": lfdi}


def test_a_response_that_comes_twice_and_one_that_never_comes_are_told():
    answers = Answers()
    answers.take([response(1, 1), response(2, 2), response(3, 2), response(4, 2, lfdi="C")], 10.0)
    answers.take([response(5, 3)], 40.0)
    answers.take([response(6, 3)], 41.0, calm=False)
    assert answers.repeated == 1
    assert answers.newest == 6
    assert told_wrong(answers, 600.0) == [
        "Response 2 of B to A came twice",
        "C began A and never ended it",
    ]
    assert told_wrong(answers, 5.0) == ["Response 2 of B to A came twice"]
