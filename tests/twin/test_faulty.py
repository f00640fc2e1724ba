"""Devices with the faults of real ones: each is told in one line, and what can be read is used."""

import socket
import threading

import pytest
from tests.twin import faulty
from tests.twin.foreign import COMMON, encoded, registers
from tests.twin.test_foreign import MODERN

from dersim.sunspec.definitions import definition
from dersim.twin import link, nameplate_from_modbus
from dersim.twin.link import DeviceUnreachable
from dersim.twin.ratings import NoTwin


def read(answer, *, timeout_s=5.0, unit=1, **how):
    with faulty.served(answer, **how) as port:
        return nameplate_from_modbus("127.0.0.1", port, unit=unit, timeout_s=timeout_s)


def place(model_id, models=MODERN):
    """The register of a model's ID."""
    before = models[: [model["ID"] for model in models].index(model_id)]
    return 40002 + sum(len(encoded(model)) for model in before)


def register(model_id, point):
    """The register of a point of the fixed part of a model."""
    offset = 0
    for each in definition(model_id)["group"]["points"]:
        if each["name"] == point:
            return place(model_id) + offset
        offset += each["size"]
    raise KeyError(point)


def curve_modes(twin):
    return twin.document["dersim"]["modes"]


def without_comments(twin):
    """The nameplate without the lines that name the port."""
    return {**twin.document, "dersim": {k: v for k, v in twin.document["dersim"].items() if k != "comments"}}


GOOD = faulty.plain(registers(MODERN))
WHOLE = without_comments(read(GOOD))


@pytest.mark.parametrize("most", [100, 50, 12])
@pytest.mark.parametrize("refusal", [2, 3, "short"])
def test_a_device_that_answers_only_so_many_registers_at_once(most, refusal):
    def answer(address, count, unit):
        if count <= most:
            return GOOD(address, count)
        return GOOD(address, most) if refusal == "short" else refusal

    twin = read(answer)
    assert (without_comments(twin), twin.unread) == (WHOLE, [])


def test_a_device_that_is_silent_on_long_reads():
    def answer(address, count, unit):
        return GOOD(address, count) if count <= 60 else None

    twin = read(answer, timeout_s=1)
    assert (without_comments(twin), twin.unread) == (WHOLE, [])


def test_a_device_that_closes_the_connection_after_each_answer():
    assert without_comments(read(GOOD, once=True)) == WHOLE


@pytest.mark.parametrize("code", [1, 2, 4, 6])
def test_a_model_that_answers_with_an_exception_is_told_and_the_others_are_used(code):
    first, last = place(705) + 2, place(705) + len(encoded(MODERN[5]))

    def answer(address, count, unit):
        return code if address < last and address + count > first else GOOD(address, count)

    twin = read(answer)
    assert len(twin.unread) == 1
    assert twin.unread[0].startswith(f"model 705 at {place(705)}: exception {code}, ")
    assert curve_modes(twin) == {"opModMaxLimW": 65}


@pytest.mark.parametrize("end", [(), (0xFFFF,), (0, 0)])
def test_a_map_without_its_end_mark(end):
    twin = read(faulty.plain(registers(MODERN, end=end)))
    assert without_comments(twin) == WHOLE
    assert len(twin.unread) == (0 if len(end) == 2 else 1)
    assert all("the map ends here without its end mark" in line for line in twin.unread)


def test_a_length_beyond_the_map_ends_it():
    words = registers(MODERN, end=(64001, 60_000))
    twin = read(faulty.plain(words))
    assert twin.unread[0].endswith("its length 60000 goes beyond the map")


@pytest.mark.parametrize("by", [-1, 2])
def test_a_model_with_another_length_is_used_as_far_as_it_fits(by):
    def longer(model):
        words = encoded(model)
        if model["ID"] == 703:
            words = [*words[:1], words[1] + by, *words[2:], 0, 0][: len(words) + by]
        return words

    words = [0x5375, 0x6E53, *(word for model in MODERN for word in longer(model)), 0xFFFF, 0]
    twin = read(faulty.plain(words))
    assert f"model 703 at {place(703)}: its length is {17 + by} instead of 17" in twin.unread[0]
    assert twin.document["dersim"]["settings"]["setESDelay"] == 60


def test_a_common_model_without_its_padding_is_right():
    """Its length was 65 before it was 66."""
    words = registers(MODERN)
    assert words[3] == 66
    shorter = [*words[:3], 65, *words[4:69], *words[70:]]
    twin = read(faulty.plain(shorter))
    assert (without_comments(twin), twin.unread) == (WHOLE, [])


@pytest.mark.parametrize("count", [0, 0xFFFF])
def test_a_count_that_is_not_given_is_found_by_the_length(count):
    words = registers(MODERN)
    at = place(705) - 40000 + 2 + 3  # NPt
    assert words[at] == 4
    words[at] = count
    twin = read(faulty.plain(words))
    assert twin.unread == [f"model 705 at {place(705)}: NPt is not given; by its length it is 4"]
    assert "opModVoltVar" in curve_modes(twin)


@pytest.mark.parametrize("counts", [(60_000, 2), (40, 40)])
def test_counts_that_do_not_go_with_the_length(counts):
    words = registers(MODERN)
    at = place(705) - 40000 + 2 + 3
    words[at : at + 2] = counts
    twin = read(faulty.plain(words))
    assert twin.unread[0].startswith(f"model 705 at {place(705)}: ")
    assert twin.document["702"] == WHOLE["702"]


def test_two_counts_that_are_not_given_are_told():
    words = registers(MODERN)
    at = place(705) - 40000 + 2 + 3
    words[at : at + 2] = 0, 0
    twin = read(faulty.plain(words))
    assert "NCrv, NPt is not given, and the length" in twin.unread[0]


def test_a_scale_factor_that_is_none_and_an_enumeration_that_is_not_listed():
    words = registers(MODERN)
    volts, reference = register(702, "V_SF") - 40000, place(705) - 40000 + 16  # of Crv[0].DeptRef
    assert (words[volts], words[reference]) == (0xFFFF, 1)
    words[volts], words[reference] = 60, 9
    twin = read(faulty.plain(words))
    assert twin.unread == [
        f"model 702 at {place(702)}: V_SF: 60 is no scale factor",
        f"model 705 at {place(705)}: Crv[0].DeptRef: 9 is not listed",
    ]
    assert "702.VNomRtg 400 V: no register says it" in twin.assumed


def test_scale_factors_that_change_between_two_requests_are_read_again():
    reads = []
    scale = register(702, "W_SF")

    def answer(address, count, unit, *, steady=4):
        if count > 30:
            return 3
        words = GOOD(address, count)
        if isinstance(words, list) and address <= scale < address + count:
            reads.append(address)
            if len(reads) < steady:
                words = [*words]
                words[scale - address] = len(reads) % 2
        return words

    twin = read(answer)
    assert without_comments(twin) == WHOLE
    assert len(reads) >= 4
    reads.clear()
    with pytest.raises(NoTwin, match=r"neither 702\.WMaxRtg"):
        read(lambda *request: answer(*request, steady=10_000))


def test_models_that_come_twice_and_that_are_unknown():
    vendor = [64001, 3, 1, 2, 3]
    words = [*registers([*MODERN, COMMON], end=()), *vendor, 0xFFFF, 0]
    twin = read(faulty.plain(words))
    assert len(twin.unread) == 1
    assert "a second one, of which nothing is used" in twin.unread[0]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda *_: None, r"unit 7: no answer within 0\.1 s; give the right --unit, or a longer --timeout"),
        (lambda *_: 11, r"unit 7: exception 11, no such unit answers; give the right --unit"),
        (
            lambda *_: 2,
            r"unit 7 has no SunSpec map \(40000: exception 2, illegal address; 0: .*switch SunSpec on",
        ),
        (lambda *_: [1, 2], r"unit 7 has no SunSpec map \(40000: 0001 0002; "),
        (
            faulty.plain([0x5375, 0x6E53]),
            r"map at 40000 has no model .* register 40002: exception 2",
        ),
        (faulty.plain([0x5375, 0x6E53, 0xFFFF, 0]), r"the SunSpec map at 40000 has no model"),
    ],
)
def test_what_is_no_sunspec_device_is_one_line(answer, told):
    with pytest.raises(DeviceUnreachable, match=told) as caught:
        read(answer, timeout_s=0.1 if "no answer" in told else 5, unit=7)
    assert "\n" not in str(caught.value)


def test_a_port_that_refuses():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DeviceUnreachable, match=rf"127\.0\.0\.1:{port}: connection refused; check the port"):
        nameplate_from_modbus("127.0.0.1", port)


def test_a_name_that_is_none():
    with pytest.raises(DeviceUnreachable, match=r"dersim\.invalid:502: no such host"):
        nameplate_from_modbus("dersim.invalid")


def test_a_port_that_is_no_modbus():
    """It accepts and closes at once, as a web server does with what it cannot read."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            try:
                while True:
                    listener.accept()[0].close()
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        with pytest.raises(DeviceUnreachable, match="the connection was closed"):
            nameplate_from_modbus("127.0.0.1", listener.getsockname()[1], timeout_s=1)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_the_sizes_of_reads_fall():
    assert list(link.SIZES) == sorted(link.SIZES, reverse=True)
