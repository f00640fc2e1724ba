"""What is a difference between two bodies, and what is not."""

import pytest

from dersim.recorded.comparing import Allowed, bodies, headers

NS = 'xmlns="urn:ieee:std:2030.5:ns"'


def status(soc=5000, time=100, mode=2, more=""):
    return (
        f"<DERStatus {NS}><operationalModeStatus><dateTime>{time}</dateTime><value>{mode}</value>"
        f"</operationalModeStatus>{more}<stateOfChargeStatus><dateTime>{time}</dateTime><value>{soc}</value>"
        f"</stateOfChargeStatus></DERStatus>"
    ).encode()


EXACT = Allowed(within_s=0.01, percent=0.0, exact=True)


@pytest.mark.parametrize("sent", [status(soc=5040), status(time=102), status(soc=4999)])
def test_measured_values_and_times_may_differ_a_little(sent):
    assert not bodies(status(), sent, Allowed())
    assert bodies(status(), sent, EXACT)


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (status(soc=5200), "DERStatus/stateOfChargeStatus/value: recorded 5000, sent 5200"),
        (status(mode=3), "DERStatus/operationalModeStatus/value: recorded 2, sent 3"),
        (status(more="<x>a b</x>"), "DERStatus/x: recorded none, sent 'a b'"),
        (
            status().replace(b":ns", b":nt"),
            "xmlns: recorded 'urn:ieee:std:2030.5:ns', sent 'urn:ieee:std:2030.5:nt'",
        ),
        (b"", "body: recorded "),
    ],
)
def test_a_difference_names_the_element(sent, line):
    [told] = bodies(status(), sent, Allowed())
    assert told.startswith(line)


def test_repeated_elements_are_numbered_and_attributes_are_told():
    first, second = b'<a><b c="1">x</b><b>y</b></a>', b'<a><b c="2">x</b><b>z</b></a>'
    assert bodies(first, second, Allowed()) == [
        "a/b[1]/@c: recorded 1, sent 2",
        "a/b[2]: recorded y, sent z",
    ]


def test_another_way_of_writing_is_a_difference_of_bytes_alone():
    first, second = b"<a><b/></a>", b"<a>\n <b></b></a>"
    assert not bodies(first, second, Allowed())
    [told] = bodies(first, second, EXACT)
    assert "from byte 3" in told


def test_many_differences_are_counted():
    first = b"<a>%s</a>" % b"".join(b"<b%d>1</b%d>" % (n, n) for n in range(20))
    told = bodies(first, first.replace(b">1<", b">2<"), Allowed())
    assert len(told) == 9
    assert told[-1] == "and 12 more"


def test_a_path_that_is_drawn_for_each_run_is_no_difference():
    first = b"<a><notificationURI>https://h/ntfy/abc</notificationURI></a>"
    assert not bodies(first, first.replace(b"abc", b"xyz"), EXACT)


def test_headers_that_say_what_is_sent_are_compared():
    first = (("Content-Type", "application/sep+xml"), ("User-Agent", "dersim 1"))
    assert not list(headers(first, (*first[:1], ("User-Agent", "dersim 2")), Allowed()))
    [told] = headers(first, (), Allowed())
    assert told == "header content-type: recorded 'application/sep+xml', sent none"
    assert not list(headers(first, (), Allowed(ignore=frozenset({"content-type"}))))
