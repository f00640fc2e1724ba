"""The soak's own arithmetic; the run itself is `tox -e soak`."""

from tests.soak.__main__ import Sample, take, verdict


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
