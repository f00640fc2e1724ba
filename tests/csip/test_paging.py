"""Lists: long, lying, repeating, changing and without end."""

import pytest

from dersim.csip import paging
from dersim.csip.paging import read_list
from dersim.csip.session import Fetched
from dersim.ieee2030_5 import resources as r


def device(number):
    return r.EndDevice(href=f"/edev/{number}", sFDI=number, changedTime=0)


class Pages:
    """A session that answers from a function of start and limit."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.odd_lists = {}

    async def fetch(self, href, kind, cause, *, level="Info"):
        query = dict(part.split("=") for part in href.partition("?")[2].split("&"))
        start, limit = int(query["s"]), int(query["l"])
        self.asked.append((start, limit))
        answer = self.answer(start, limit)
        items, left_out = answer if isinstance(answer, tuple) else (answer, 0)
        return Fetched(items, 0.0, 0.0, left_out)


def page(items, total):
    return r.EndDeviceList(all=total, results=len(items), EndDevice=tuple(items))


async def read(answer):
    pages = Pages(answer)
    return pages, await read_list(pages, "/edev", r.EndDeviceList, "poll")


@pytest.mark.parametrize("count", [0, 1, 254, 255, 256, 1000])
async def test_an_honest_list_is_read_whole_with_as_few_pages_as_it_takes(count):
    devices = [device(n) for n in range(count)]
    pages, listing = await read(lambda start, limit: page(devices[start : start + limit], count))
    assert [each.sFDI for each in listing.items] == list(range(count))
    assert not listing.warning
    assert len(pages.asked) == max(1, -(-count // 255))


def readable(devices, start, limit, total):
    """A page of a list whose items with an even number cannot be read."""
    sent = devices[start : start + limit]
    kept = [each for each in sent if each.sFDI % 2]
    return page(kept, total), len(sent) - len(kept)


@pytest.mark.parametrize("count", [1, 4, 255, 600])
async def test_unreadable_items_count_as_items_that_were_sent(count):
    devices = [device(n) for n in range(count)]
    pages, listing = await read(lambda start, limit: readable(devices, start, limit, count))
    assert [each.sFDI for each in listing.items] == list(range(1, count, 2))
    assert not listing.warning
    assert [start for start, _ in pages.asked] == list(range(0, count, 255))


async def test_a_page_of_unreadable_items_alone_is_no_repetition():
    devices = [device(2 * n) for n in range(255)] + [device(1)]
    _, listing = await read(lambda start, limit: readable(devices, start, limit, 999))
    assert [each.sFDI for each in listing.items] == [1]
    assert not listing.warning


async def test_a_server_that_repeats_a_page_with_an_unreadable_item_is_stopped():
    devices = [device(n) for n in range(4)]
    pages, listing = await read(lambda _start, limit: readable(devices, 0, limit, 999))
    assert "repeats itself" in listing.warning
    assert len(pages.asked) == 2


async def test_a_server_that_repeats_an_unreadable_page_is_stopped_where_its_own_count_ends():
    pages, listing = await read(lambda _start, limit: readable([device(0)] * 100, 0, limit, 450))
    assert listing.items == ()
    assert "repeats itself" in listing.warning
    assert len(pages.asked) == 5


async def test_a_list_whose_all_rises_from_page_to_page_is_given_up():
    pages, listing = await read(lambda start, _limit: page([device(start)], start + 3))
    assert "has no end" in listing.warning
    assert len(listing.items) == 21
    assert len(pages.asked) < 30


async def test_a_list_without_an_end_is_read_once_at_each_later_poll():
    pages, _ = await read(lambda start, _limit: page([device(start)], start + 3))
    for _ in range(2):
        pages.asked.clear()
        listing = await read_list(pages, "/edev", r.EndDeviceList, "poll")
        assert "has no end" in listing.warning
        assert len(pages.asked) == len(set(pages.asked))


async def test_a_list_that_had_no_end_and_has_one_may_change_again():
    pages, _ = await read(lambda start, _limit: page([device(start)], start + 3))
    devices = [device(n) for n in range(300)]
    pages.answer = lambda start, limit: page(devices[start : start + limit], 300)
    assert len((await read_list(pages, "/edev", r.EndDeviceList, "poll")).items) == 300
    assert not pages.odd_lists


async def test_a_list_without_an_end_that_changes_between_polls_is_read_once_at_each():
    devices = [device(n) for n in range(3)]

    def endless(start, _limit):
        return page([device(10 * start + n) for n in range(len(devices))], start + 2 * len(devices) + 1)

    pages, _ = await read(endless)
    for number in (5, 2, 9):
        devices[:] = [device(n) for n in range(number)]
        pages.asked.clear()
        listing = await read_list(pages, "/edev", r.EndDeviceList, "poll")
        assert "has no end" in listing.warning
        assert len(pages.asked) == len(set(pages.asked))


async def test_a_list_whose_count_rose_on_its_pages_is_read_again_where_it_falls():
    devices = [device(n) for n in range(300)]
    pages, listing = await read(lambda s, n: page(devices[s : s + n], len(devices) + bool(s)))
    assert len(listing.items) == 300
    assert pages.odd_lists == {"/edev": True}

    def deleting(start, limit):
        answer = page(devices[start : start + limit], len(devices))
        if len(devices) == 300:
            del devices[0]
        return answer

    pages.answer = deleting
    listing = await read_list(pages, "/edev", r.EndDeviceList, "poll")
    assert [each.sFDI for each in listing.items] == list(range(1, 300))


async def test_a_list_that_changed_in_every_attempt_is_not_taken_to_be_odd():
    devices = [device(n) for n in range(300)]

    def shrinking(start, limit):
        answer = page(devices[start : start + limit], len(devices))
        del devices[0]
        return answer

    pages, _ = await read(shrinking)
    assert len(pages.asked) == 6
    assert not pages.odd_lists


async def test_only_so_many_lists_without_an_end_are_remembered():
    pages = Pages(lambda start, _limit: page([device(start)], start + 3))
    for number in range(200):
        await read_list(pages, f"/edev/{number}/fsa", r.EndDeviceList, "poll")
    assert len(pages.odd_lists) == 100


@pytest.mark.parametrize("claimed", [0, 2, 999])
async def test_a_lying_all_is_found_out_by_an_empty_page(claimed):
    devices = [device(n) for n in range(3)]
    pages, listing = await read(lambda start, limit: page(devices[start : start + limit], claimed))
    assert len(listing.items) == 3
    assert not listing.warning
    assert len(pages.asked) == 2


async def test_a_server_that_gives_ten_at_a_time_is_followed():
    devices = [device(n) for n in range(35)]
    _, listing = await read(lambda start, limit: page(devices[start : start + 10], 35))
    assert len(listing.items) == 35


async def test_a_server_that_ignores_the_start_is_stopped():
    devices = [device(n) for n in range(3)]
    pages, listing = await read(lambda start, limit: page(devices, 999))
    assert len(listing.items) == 3
    assert "repeats itself" in listing.warning
    assert len(pages.asked) == 2


async def test_an_endless_list_is_cut_with_a_warning():
    pages, listing = await read(lambda start, limit: page([device(start)], 10**9))
    assert "cut after 1000 pages" in listing.warning
    assert len(pages.asked) == paging.MAX_PAGES


async def test_ten_thousand_items_are_enough():
    _, listing = await read(lambda start, limit: page([device(start + n) for n in range(limit)], 10**9))
    assert len(listing.items) == paging.MAX_ITEMS
    assert "cut after" in listing.warning


async def test_a_list_that_changes_in_mid_read_is_read_again():
    totals = iter([300, 301, 301, 301])

    def answer(start, limit):
        total = next(totals)
        return page([device(n) for n in range(total)][start : start + limit], total)

    pages, listing = await read(answer)
    assert len(listing.items) == 301
    assert [start for start, _ in pages.asked] == [0, 255, 0, 255]


async def test_items_without_href_are_told_apart_by_mrid_or_place():
    fsa = [r.FunctionSetAssignments(mRID=f"{n:032X}") for n in (1, 2)]
    whole = r.FunctionSetAssignmentsList(all=2, results=2, FunctionSetAssignments=tuple(fsa))
    listing = await read_list(Pages(lambda start, limit: whole), "/fsa", r.FunctionSetAssignmentsList, "poll")
    assert len(listing.items) == 2
