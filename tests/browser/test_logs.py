"""The Logs page: search, filters that are kept, files, and a reader who is not disturbed."""

from tests.browser.conftest import PHONE

ROWS = ".logs tbody tr"


def open_logs(demo, page):
    page.goto(f"{demo.url}/#logs")
    page.wait_for_selector(ROWS)


def show_debug_lines(page):
    """Forty lines, Debug ones among them: those of before the choice are no longer in the page."""
    page.click("button:text-is('Debug')")
    page.locator(f"{ROWS}.muted").first.wait_for(state="attached")
    page.locator(ROWS).nth(40).wait_for(state="attached")


def test_a_search_is_kept_and_goes_into_the_files(demo, open_page):
    page = open_page(demo.url).page
    open_logs(demo, page)
    page.select_option("#log-module", "CSIP")
    page.fill("input[type=search]", "put /edev")
    page.locator(ROWS, has_not_text="PUT /edev").first.wait_for(state="detached")
    assert page.locator(ROWS).count() >= 4
    page.goto(f"{demo.url}/#overview")
    page.goto(f"{demo.url}/#logs")
    page.wait_for_selector(ROWS)
    assert page.input_value("input[type=search]") == "put /edev"
    assert page.input_value("#log-module") == "CSIP"
    assert page.locator(ROWS, has_not_text="PUT /edev").count() == 0
    with page.expect_download() as waiting:
        page.click("text=Download text")
    lines = waiting.value.path().read_text().splitlines()
    assert waiting.value.suggested_filename == "dersim-log.txt"
    assert lines
    assert all(" CSIP DER 1: PUT /edev" in line for line in lines)


def test_new_lines_do_not_move_the_one_that_is_read(demo, open_page):
    page = open_page(demo.url).page
    open_logs(demo, page)
    show_debug_lines(page)
    page.evaluate("scrollTo(0, 700)")
    count = page.locator(ROWS).count()
    read = page.locator(ROWS).nth(20).element_handle()
    before = read.evaluate("(row) => row.getBoundingClientRect().top")
    demo.ask("/api/dersim/csip/rediscover", {})
    page.locator(ROWS).nth(count + 5).wait_for(state="attached")
    assert abs(read.evaluate("(row) => row.getBoundingClientRect().top") - before) <= 1


def test_nothing_is_wider_than_a_phone(demo, open_page):
    page = open_page(demo.url, width=PHONE).page
    open_logs(demo, page)
    show_debug_lines(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert page.evaluate("document.querySelector('.logs').scrollWidth") <= PHONE
    assert page.locator(".logs thead").bounding_box()["width"] <= 1
