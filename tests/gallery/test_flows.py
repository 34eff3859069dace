"""What a participant does with the gallery, on a phone, in a real browser."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from fotofinish.demo.generator import DemoSet
from tests.gallery.conftest import PHONE, Gallery
from tests.pressing import press_twice


def search_bib(page: Page, gallery: Gallery, bib: str) -> None:
    page.goto(gallery.address)
    page.get_by_label("Your bib number").fill(bib)
    page.get_by_role("button", name="Search", exact=True).click()
    # scripts have run by then: before, a photo is a link to its page
    page.wait_for_url("**/find?**", wait_until="domcontentloaded")


def photos(page: Page) -> Any:
    return page.locator(".grid > li > a")


LINES = """one => {
  const words = document.createRange()
  words.selectNodeContents(one)
  return new Set([...words.getClientRects()].map(({ top }) => top)).size
}"""


WHOLE_WORDS = """one => {
  const [text] = one.childNodes
  return [...text.data.matchAll(/\\S+/g)].every(({ 0: word, index }) => {
    const range = document.createRange()
    range.setStart(text, index)
    range.setEnd(text, index + word.length)
    return range.getClientRects().length === 1
  })
}"""


def in_a_row(parts: Locator, width: int) -> None:
    """Each part, with all its words, ends before the next begins and before the window does."""
    edges = parts.evaluate_all(
        """all => all.map((one) => {
             const { left, right } = one.getBoundingClientRect()
             return [left, getComputedStyle(one).overflowX === "hidden" ? right
               : Math.max(right, left + one.scrollWidth)]
           })"""
    )
    for (_, right), (left, _) in zip(edges, [*edges[1:], (width, width)], strict=True):
        assert right <= left


def no_serious_faults(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations] == []


def test_a_bib_finds_its_photos_in_even_rows_that_never_jump(page: Page, gallery: Gallery) -> None:
    for _ in range(7):
        gallery.add("101")
    gallery.add("102")
    page.add_init_script(
        """window.shift = 0
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) window.shift += entry.value
        }).observe({ type: 'layout-shift', buffered: true })"""
    )
    search_bib(page, gallery, " 101 ")
    expect(page.get_by_role("heading", name="Bib 101")).to_contain_text("7 photos")
    expect(photos(page)).to_have_count(7)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("[...document.images].slice(0, 4).every((i) => i.naturalWidth > 0)")
    rows: dict[int, set[int]] = {}
    for box in photos(page).evaluate_all("all => all.map(e => e.getBoundingClientRect().toJSON())"):
        rows.setdefault(round(box["top"]), set()).add(round(box["height"]))
    assert all(max(heights) - min(heights) <= 1 for heights in rows.values())
    assert len(rows) > 1
    assert page.evaluate("window.shift") < 0.02
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_full_last_row_is_as_wide_as_the_others(page: Page, gallery: Gallery) -> None:
    for _ in range(12):
        gallery.add("101")
    gallery.execute(
        "update photo set width = 1800, height = 1200 where event_id = %s", gallery.event.id
    )
    page.goto(f"{gallery.address}/find?bib=101")
    for width, height in ((1440, 900), (PHONE["width"], PHONE["height"])):
        page.set_viewport_size({"width": width, "height": height})
        sizes = photos(page).evaluate_all("all => all.map(e => e.getBoundingClientRect().width)")
        assert max(sizes) - min(sizes) < 1, sizes


def test_a_last_row_with_room_left_is_no_higher_than_the_others(
    page: Page, gallery: Gallery
) -> None:
    for _ in range(9):
        gallery.add("101")
    gallery.execute(
        "update photo set width = 1800, height = 1200 where event_id = %s", gallery.event.id
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{gallery.address}/find?bib=101")
    *_, before, last = photos(page).evaluate_all("all => all.map(e => e.clientHeight)")
    assert last <= before


def test_few_photos_are_large_whatever_their_shape(page: Page, gallery: Gallery) -> None:
    for width, height in ((1800, 1200), (1200, 1800)):
        photo = gallery.add("101")
        statement = "update photo set width = %s, height = %s where id = %s"
        gallery.execute(statement, width, height, photo)
    page.goto(f"{gallery.address}/find?bib=101")
    for width, height, least in ((320, 640, 0.5), (390, 844, 0.6), (1440, 900, 0.33)):
        page.set_viewport_size({"width": width, "height": height})
        sizes = photos(page).evaluate_all("all => all.map(e => [e.clientWidth, e.clientHeight])")
        assert sum(w * h for w, h in sizes) > least * width * (height - 200), sizes
        assert all(h < height for _, h in sizes)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("width", [320, 390])
def test_a_long_name_of_the_organiser_and_a_narrow_phone_leave_all_in_place(
    page: Page, gallery: Gallery, width: int, language: str
) -> None:
    gallery.execute(
        "update organisation set name = %s where id = %s",
        "Leichtathletikverband Rheinland-Pfalz und Saarland e. V. 1921", gallery.event.org_id,
    )  # fmt: skip
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{gallery.address}?lang={language}")
    switch = page.locator(".top nav a")
    assert switch.evaluate("one => one.getClientRects().length") == 1
    card, field, button = (
        page.locator(".card", has=page.locator("#bib")).locator(part).bounding_box()
        for part in ("xpath=.", "#bib", "button")
    )
    assert card
    assert field
    assert button
    assert field["y"] == button["y"]
    assert button["x"] + button["width"] < card["x"] + card["width"]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("width", [320, 390])
def test_on_a_narrow_phone_buttons_keep_their_words_and_do_not_overlap(
    page: Page, gallery: Gallery, width: int, language: str
) -> None:
    for _ in range(3):
        gallery.add("VIP-ÄÖ 12")
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{gallery.address}/find?bib=vip-äö+12&lang={language}")
    assert page.locator("[data-count]").evaluate(LINES) == 1
    photos(page).first.click()
    assert page.locator("[data-place]").evaluate("one => one.scrollWidth <= one.clientWidth")
    page.locator("dialog [data-share]").click()
    expect(page.locator("dialog [data-share]")).to_have_text(re.compile("Copied|Kopiert"))
    in_a_row(page.locator("dialog .tools > :not(span)"), width)
    page.locator("[data-close]").click()
    page.locator("[data-choose]").click()
    photos(page).first.click()
    assert page.locator(".chosen a").evaluate(LINES) == 1
    assert page.locator(".chosen p").evaluate(WHOLE_WORDS)
    in_a_row(page.locator(".chosen > *"), width)


@pytest.mark.parametrize(
    ("density", "number", "size"),
    [(1, 7, "small"), (2, 7, "small"), (3, 7, "dense"), (1, 1, "small"), (2, 1, "dense")],
)
def test_the_grid_takes_previews_that_are_right_for_the_screen(
    browser: Browser, gallery: Gallery, density: float, number: int, size: str
) -> None:
    for _ in range(number):
        gallery.add("101")
    context = browser.new_context(viewport=PHONE, device_scale_factor=density, locale="en")
    page = context.new_page()
    page.goto(f"{gallery.address}/find?bib=101")
    image = page.locator(".grid img").first
    expect(image).to_have_js_property("complete", True)
    assert f"/{size}/" in image.evaluate("image => image.currentSrc")
    wide = image.evaluate("image => image.clientWidth")
    assert 0.7 * wide < image.evaluate("image => image.naturalWidth") < 1.2 * wide  # as announced
    page.goto(photos(page).first.evaluate("link => link.href"))
    offered = page.locator(".single img").evaluate("image => image.srcset.split(', ')")
    assert ["small" in offered[0], "dense" in offered[1], "medium" in offered[2]] == [True] * 3
    context.close()


def test_the_full_screen_view_by_keys_and_by_the_back_button(page: Page, gallery: Gallery) -> None:
    for _ in range(3):
        gallery.add("7")
    search_bib(page, gallery, "7")
    results = page.url
    photos(page).nth(0).click()
    viewer = page.get_by_role("dialog", name="Photo")
    expect(viewer.get_by_text("Photo 1 of 3")).to_be_visible()
    for key in ("Alt+ArrowRight", "Control+="):  # the browser's own
        page.keyboard.press(key)
    assert viewer.locator("img").evaluate("i => new DOMMatrix(i.style.transform).a") == 1
    expect(viewer.get_by_text("Photo 1 of 3")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_text("Photo 2 of 3")).to_be_visible()
    assert "/photo/" in page.url
    viewer.get_by_role("button", name="Next photo").click()
    expect(viewer.get_by_role("button", name="Next photo")).to_be_disabled()
    page.go_back()
    expect(viewer).to_be_hidden()
    assert page.url == results
    expect(photos(page).nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(viewer).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert page.url == results


def test_keys_go_on_when_a_button_came_to_the_last_photo(page: Page, gallery: Gallery) -> None:
    for _ in range(2):
        gallery.add("7")
    search_bib(page, gallery, "7")
    photos(page).first.click()
    after = page.get_by_role("button", name="Next photo")
    after.focus()
    page.keyboard.press("Enter")
    expect(after).to_be_disabled()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("Photo 1 of 2")).to_be_visible()


def test_full_screen_goes_on_to_the_next_photos_as_soon_as_they_are_there(
    page: Page, gallery: Gallery
) -> None:
    gallery.fill("7", 61)
    late: list[Route] = []
    page.route("**/find?*page=2", lambda route: late.append(route))
    search_bib(page, gallery, "7")
    with page.expect_request("**/find?*page=2"):
        photos(page).last.click()
    after = page.get_by_role("button", name="Next photo")
    expect(after).to_be_disabled()
    late[0].continue_()
    after.click()
    expect(page.get_by_text("Photo 61 of 61")).to_be_visible()


def test_magnified_twice_on_a_phone_every_button_of_the_full_screen_view_is_there(
    page: Page, gallery: Gallery
) -> None:
    gallery.add("15")
    page.set_viewport_size({"width": PHONE["width"] // 2, "height": PHONE["height"] // 2})
    page.goto(f"{gallery.address}/find?bib=15&lang=de")
    photos(page).first.click()
    for button in page.locator("dialog .tools").locator("button, a").all():
        box = button.bounding_box()
        assert box
        assert box["x"] + box["width"] <= PHONE["width"] // 2


@pytest.mark.parametrize("window", [(390, 844), (844, 390), (1440, 900), (1920, 1080)])
def test_full_screen_shows_the_whole_photo_in_any_window(
    page: Page, gallery: Gallery, window: tuple[int, int]
) -> None:
    for _ in range(4):  # upright ones among them
        gallery.add("15")
    page.set_viewport_size({"width": window[0], "height": window[1]})
    page.goto(f"{gallery.address}/find?bib=15")
    photos(page).first.click()
    for _ in range(4):
        box = page.locator(".stage img").bounding_box()
        assert box == {"x": 0, "y": 0, "width": window[0], "height": window[1]}
        page.keyboard.press("ArrowRight")


def test_reloading_the_full_screen_view_leaves_back_and_forward_alive(
    page: Page, gallery: Gallery
) -> None:
    for _ in range(2):
        gallery.add("7")
    search_bib(page, gallery, "7")
    results = page.url
    photos(page).nth(1).click()
    viewer = page.get_by_role("dialog", name="Photo")
    expect(viewer).to_be_visible()
    shown = page.url
    page.reload()
    expect(page.locator(".single img")).to_be_visible()
    page.go_back()
    expect(photos(page)).to_have_count(2)
    assert page.url == results
    page.go_forward()
    expect(viewer.get_by_text("Photo 2 of 2")).to_be_visible()
    assert page.url == shown
    page.go_back()
    expect(viewer).to_be_hidden()
    assert page.url == results
    page.go_forward()
    expect(viewer.get_by_text("Photo 2 of 2")).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(page).to_have_url(results)


def test_back_and_at_once_forward_is_the_full_screen_view_again(
    page: Page, gallery: Gallery
) -> None:
    gallery.add("7")
    search_bib(page, gallery, "7")
    photos(page).click()
    viewer = page.get_by_role("dialog", name="Photo")
    expect(viewer).to_be_visible()
    shown = page.url
    page.evaluate(
        """() => new Promise((done) => {
            addEventListener("popstate", () => { history.forward(); done() }, { once: true })
            history.back()
        })"""
    )
    page.wait_for_timeout(500)
    expect(viewer).to_be_visible()
    expect(viewer.locator("img")).to_have_attribute("src", re.compile("."))
    assert page.url == shown


def test_from_the_full_screen_view_to_the_form_that_asks_for_removal_and_back(
    page: Page, gallery: Gallery
) -> None:
    photo = gallery.add("7")
    search_bib(page, gallery, "7")
    results = page.url
    photos(page).click()
    page.get_by_role("link", name="Remove this photo of me").click()
    expect(page.get_by_role("button", name="Ask the organiser")).to_be_in_viewport()
    no_serious_faults(page)
    page.go_back()
    page.go_back()
    expect(photos(page)).to_be_in_viewport()
    assert page.url == results
    page.goto(f"{gallery.address}/photo/{photo}#remove")
    expect(page.get_by_role("button", name="Ask the organiser")).to_be_in_viewport()


def test_swipe_and_pinch(browser: Browser, gallery: Gallery) -> None:
    for _ in range(2):
        gallery.add("8")
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, locale="en")
    page = context.new_page()
    page.goto(f"{gallery.address}/find?bib=8")
    photos(page).nth(0).tap()
    touch = context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": i}
                                           for i, (x, y) in enumerate(points)]},
        )  # fmt: skip

    send("touchStart", (300, 400))
    for x in range(290, 90, -20):
        send("touchMove", (x, 400))
    send("touchEnd")
    expect(page.get_by_text("Photo 2 of 2")).to_be_visible()
    send("touchStart", (180, 400), (210, 400))
    for by in range(10, 100, 10):
        send("touchMove", (180 - by, 400), (210 + by, 400))
    send("touchEnd")
    scale = page.locator(".stage img").evaluate("i => new DOMMatrix(i.style.transform).a")
    assert scale > 2
    context.close()


def test_a_photo_and_a_search_are_shared_by_link(page: Page, gallery: Gallery) -> None:
    gallery.add("9")
    search_bib(page, gallery, "9")
    page.evaluate("navigator.share = undefined")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{gallery.address}/find?bib=9"
    photos(page).nth(0).click()
    page.get_by_role("dialog").get_by_role("button", name="Share").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Copied")).to_be_visible()
    shared = page.evaluate("navigator.clipboard.readText()")
    page.goto(shared)
    picture = page.locator("meta[property='og:image']").get_attribute("content")
    assert page.request.get(picture or "").headers["content-type"] == "image/webp"
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    expect(page.locator(".single img")).to_be_visible()
    no_serious_faults(page)


def test_shared_twice_the_button_says_again_what_it_does(page: Page, gallery: Gallery) -> None:
    gallery.add("9")
    page.clock.install()
    search_bib(page, gallery, "9")
    page.evaluate("navigator.share = undefined")
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Copied").click()
    page.evaluate("navigator.clipboard.readText()")  # behind what is being written
    page.clock.run_for(3000)
    expect(page.locator(".head [data-share]")).to_have_text("Share")


def test_what_is_shared_of_a_gallery_with_a_key_opens_for_others(
    page: Page, browser: Browser, gallery: Gallery
) -> None:
    photo = gallery.add("9")
    gallery.choose(access="link")
    key = "a-key"
    gallery.execute(
        "update event_gallery set link_token = %s where event_id = %s", key, gallery.event.id
    )
    page.add_init_script("navigator.share = async ({ url }) => { window.shared = url }")
    page.goto(f"{gallery.address}?key={key}")
    single = f"{gallery.address}/photo/{photo}"
    shared = []
    for address in (f"{gallery.address}/find?bib=9", single):
        page.goto(address)
        page.get_by_role("button", name="Share").click()
        shared.append(page.evaluate("window.shared"))
        others = page.locator("[src], [href], [srcset], [content]").evaluate_all(
            "all => all.map(({ outerHTML }) => outerHTML).join()"
        )
        assert key not in re.sub(r'data-(share|key)="[^"]*"', "", others)
    page.go_back()
    photos(page).click()
    page.get_by_role("dialog").get_by_role("button", name="Share").click()
    shared.append(page.evaluate("window.shared"))
    assert page.url == single
    assert shared[1:] == [f"{single}?key={key}"] * 2
    for address in shared[:2]:
        friend = browser.new_page()
        friend.goto(address)
        expect(friend.locator(".grid img, .single img")).to_be_visible()
        friend.close()


def test_one_original_comes_down_byte_for_byte(
    page: Page, gallery: Gallery, tmp_path: Path
) -> None:
    photo = gallery.add("11")
    page.goto(f"{gallery.address}/photo/{photo}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == gallery.original(photo)
    name = f"{gallery.event.slug}-20260509-090000-{str(photo)[:8]}.jpg"  # nine o'clock in Berlin
    assert download.value.suggested_filename == name


def test_all_photos_come_as_one_archive_with_progress(page: Page, gallery: Gallery) -> None:
    ids = [gallery.add("12") for _ in range(3)]
    search_bib(page, gallery, "12")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert {archive.read(name) for name in archive.namelist()} == {
            gallery.original(photo) for photo in ids
        }
    expect(page.get_by_text("look in your downloads")).to_be_visible()


def test_a_download_goes_on_by_itself_after_the_network_was_lost(
    page: Page, gallery: Gallery
) -> None:
    ids = [gallery.add("13") for _ in range(3)]
    ranges: list[str | None] = []

    def cut(route: Route) -> None:
        request = route.request
        if request.method == "HEAD":
            route.continue_()
            return
        ranges.append(request.headers.get("range"))
        if len(ranges) == 2:
            route.abort("connectionreset")
            return
        answer = route.fetch()
        body, status = answer.body(), answer.status
        # the first answer stops half-way, without an error: as some proxies do
        part = body[: len(body) // 2] if len(ranges) == 1 else body
        headers = {**answer.headers, "content-length": str(len(part))}
        route.fulfill(status=status, headers=headers, body=part)

    page.route("**/photos.zip?*", cut)
    search_bib(page, gallery, "13")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(ids)
    assert ranges[0] is None
    assert ranges[1] == ranges[2] != None  # noqa: E711


def test_a_download_that_grew_while_the_network_was_lost_is_whole(
    page: Page, gallery: Gallery
) -> None:
    ids = [gallery.add("15") for _ in range(2)]
    asked: list[str | None] = []

    def cut(route: Route) -> None:
        if route.request.method == "GET":
            asked.append(route.request.headers.get("range"))
        if len(asked) != 1 or route.request.method == "HEAD":
            route.continue_()
            return
        answer = route.fetch()
        ids.append(gallery.add("15"))
        route.fulfill(
            status=200,
            headers={**answer.headers, "content-length": "1000"},
            body=answer.body()[:1000],
        )

    page.route("**/photos.zip?*", cut)
    search_bib(page, gallery, "15")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(ids) == 3
    assert asked == [None, "bytes=1000-"]


def test_a_download_that_was_stopped_or_failed_begins_anew_when_it_is_pressed_again(
    page: Page, gallery: Gallery
) -> None:
    gallery.add("13")
    answers = iter(["fail", "pass", "fail", "wait"])

    def answer(route: Route) -> None:
        {"fail": route.abort, "pass": route.continue_, "wait": lambda: None}[next(answers)]()

    page.route("**/photos.zip?*", answer)
    page.clock.install(time=0)
    search_bib(page, gallery, "13")
    page.clock.pause_at(3_600)  # nobody waits for the next try
    everything = page.get_by_role("link", name="Download all")
    everything.click()
    expect(page.get_by_text("The download failed.")).to_be_visible()
    everything.click()
    expect(page.get_by_text("Going on by itself")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    everything.click()
    expect(page.get_by_text("The download begins")).to_be_visible()
    # while it runs, the page is not left without a question
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    photos(page).click()
    with page.expect_download():
        page.get_by_role("dialog").get_by_role("link", name="Download").click()
    page.get_by_role("button", name="Close").first.click()
    assert asked == []
    with page.expect_event("dialog"):
        page.locator(".trail a").click()
    assert asked == ["beforeunload"]


def test_an_archive_too_large_for_the_page_is_left_to_the_browser_without_a_question(
    page: Page, gallery: Gallery
) -> None:
    gallery.add("13")

    def nothing_here(route: Route) -> None:
        answer = route.fetch()
        text = re.sub("MOST_HERE = .+", "MOST_HERE = 0", answer.text())
        route.fulfill(response=answer, body=text)

    page.route("**/gallery-download.js*", nothing_here)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    search_bib(page, gallery, "13")
    with page.expect_download():
        page.get_by_role("link", name="Download all").click()
    assert asked == []


def test_chosen_photos_alone_are_downloaded(page: Page, gallery: Gallery) -> None:
    ids = [gallery.add("14") for _ in range(4)]
    search_bib(page, gallery, "14")
    page.get_by_role("button", name="Choose", exact=True).click()
    photos(page).nth(1).click()
    photos(page).nth(3).focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("2 photos chosen")).to_be_visible()
    no_serious_faults(page)
    with page.expect_download() as download:
        page.locator("[data-chosen] a").click()
    expect(page.get_by_text("look in your downloads")).to_be_visible()
    bars = page.locator(".bars > div").evaluate_all(
        "all => all.map(bar => bar.getBoundingClientRect().toJSON())"
    )
    assert bars[0]["bottom"] <= bars[1]["top"], "the one lies over the other"
    with zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes())) as archive:
        assert {archive.read(name) for name in archive.namelist()} == {
            gallery.original(ids[1]), gallery.original(ids[3]),
        }  # fmt: skip


def test_who_chooses_more_than_fit_into_one_download_is_told(page: Page, gallery: Gallery) -> None:
    for _ in range(4):
        gallery.add("16")

    def only_three(route: Route) -> None:
        answer = route.fetch()
        text = answer.text().replace("MOST_CHOSEN = 200", "MOST_CHOSEN = 3")
        route.fulfill(response=answer, body=text)

    page.route("**/gallery-download.js*", only_three)
    search_bib(page, gallery, "16")
    page.get_by_role("button", name="Choose", exact=True).click()
    for number in range(4):
        photos(page).nth(number).click()
    told = page.get_by_text("3 photos: no more at once")
    expect(told).to_be_visible()
    expect(page.locator("[aria-checked=true]")).to_have_count(3)
    photos(page).first.click()
    expect(page.get_by_text("2 photos chosen", exact=True)).to_be_visible()
    photos(page).nth(3).click()
    expect(page.get_by_text("3 photos chosen", exact=True)).to_be_visible()


def test_chosen_photos_stay_chosen_when_others_come_in(page: Page, gallery: Gallery) -> None:
    for _ in range(3):
        gallery.add("16")
    page.clock.install()
    search_bib(page, gallery, "16")
    page.get_by_role("button", name="Choose", exact=True).click()
    for number in range(2):
        photos(page).nth(number).click()
    gallery.add("16")
    page.clock.run_for(6000)
    page.get_by_role("button", name="1 new photo").click()
    expect(page.get_by_role("checkbox")).to_have_count(4)
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    photos(page).first.click()
    expect(page.get_by_text("1 photo chosen", exact=True)).to_be_visible()


def test_a_selfie_from_the_camera_then_delete_my_search(
    page: Page, gallery: Gallery, template: np.ndarray[Any, Any]
) -> None:
    mine = gallery.add(face=template)
    gallery.add(face=-template)
    page.goto(gallery.address)
    no_serious_faults(page)
    page.get_by_role("button", name="Take a selfie").click()
    page.get_by_role("button", name="Take the picture").click()
    expect(page.get_by_text("The picture is ready.")).to_be_visible()
    page.get_by_label("I agree to this.").check()
    page.get_by_role("button", name="Search with this selfie").click()
    expect(page.get_by_role("heading", name="Selfie search")).to_contain_text("1 photo")
    expect(page.locator(f"[data-id='{mine}']")).to_be_visible()
    ((consented, version, kept),) = gallery.execute(
        """select consented_at is not null, consent_version, expires_at > now() from selfie
           where event_id = %s""",
        gallery.event.id,
    )
    assert (consented, version, kept) == (True, "1-en", True)
    no_serious_faults(page)
    page.get_by_role("button", name="Delete my search").click()
    expect(page.get_by_text("Your search is deleted")).to_be_visible()
    assert gallery.execute("select 1 from selfie where event_id = %s", gallery.event.id) == []


def test_a_camera_that_was_asked_for_twice_is_on_once(page: Page, gallery: Gallery) -> None:
    page.add_init_script(
        """window.streams = []
        const media = navigator.mediaDevices
        const ask = media.getUserMedia.bind(media)
        media.getUserMedia = async (wanted) => {
          const stream = await ask(wanted)
          window.streams.push(stream)
          return stream
        }"""
    )
    page.goto(gallery.address)
    page.get_by_role("button", name="Take a selfie").evaluate("b => { b.click(); b.click() }")
    page.wait_for_function("() => window.streams.length === 2")
    expect(page.get_by_role("button", name="Take the picture")).to_be_enabled()
    on = "window.streams.filter((stream) => stream.active).length"
    assert page.evaluate(on) == 1
    page.get_by_role("button", name="Take the picture").click()
    expect(page.get_by_text("The picture is ready.")).to_be_visible()
    assert page.evaluate(on) == 0


def test_of_two_pictures_the_one_chosen_last_is_sent(
    page: Page, gallery: Gallery, demo: DemoSet
) -> None:
    page.add_init_script(
        """const read = window.createImageBitmap
        let first = true
        window.createImageBitmap = async (picture) => {
          const late = first
          first = false
          if (late) await new Promise((go) => { window.go = go })
          const bitmap = await read(picture)
          window.finished = (window.finished ?? 0) + 1
          return bitmap
        }"""
    )
    page.goto(gallery.address)
    page.get_by_label("Choose a picture").set_input_files(demo.selfie)
    page.wait_for_function("() => Boolean(window.go)")
    page.locator("[capture]").set_input_files(demo.photos[0].path)
    expect(page.get_by_text("The picture is ready.")).to_be_visible()
    page.evaluate("window.go()")
    page.wait_for_function("() => window.finished === 2")
    page.wait_for_timeout(300)  # in which it would be taken
    sent = page.evaluate("[...document.querySelectorAll('[type=file]')].map((i) => i.files.length)")
    assert sent == [1, 0]


def test_a_selfie_is_sent_once_however_often_the_button_is_pressed(
    page: Page, gallery: Gallery, demo: DemoSet, template: np.ndarray[Any, Any]
) -> None:
    gallery.add(face=template)
    page.goto(gallery.address)
    page.get_by_label("Choose a picture").set_input_files(demo.selfie)
    page.get_by_label("I agree to this.").check()
    on_their_way: list[Route] = []
    page.route("**/selfie", lambda route: on_their_way.append(route))
    press_twice(page.get_by_role("button", name="Search with this selfie"))
    (sent,) = on_their_way
    sent.continue_()
    expect(photos(page)).to_have_count(1)
    page.go_back()
    expect(page.get_by_text("Searching …")).to_have_count(0)


def test_a_selfie_from_a_file_is_made_small_before_it_is_sent(
    page: Page, gallery: Gallery, demo: DemoSet, template: np.ndarray[Any, Any]
) -> None:
    gallery.add(face=template)
    page.goto(gallery.address)
    page.get_by_label("Choose a picture").set_input_files(demo.selfie)
    expect(page.get_by_text("The picture is ready.")).to_be_visible()
    shown = page.get_by_role("img", name="Your selfie")
    expect(shown).to_be_visible()
    page.get_by_label("Choose a picture").set_input_files([])
    expect(shown).to_be_hidden()
    expect(page.get_by_text("The picture is ready.")).to_have_count(0)
    page.get_by_label("Choose a picture").set_input_files(demo.selfie)
    expect(page.get_by_text("The picture is ready.")).to_be_visible()
    assert (
        shown.evaluate(
            """canvas => new Set(canvas.getContext("2d")
            .getImageData(0, 0, canvas.width, canvas.height).data).size"""
        )
        > 50
    ), "the canvas is empty"
    no_serious_faults(page)
    page.get_by_label("I agree to this.").check()
    page.get_by_role("button", name="Search with this selfie").click()
    expect(photos(page)).to_have_count(1)


def test_what_was_wrong_with_a_selfie_is_in_sight_on_a_phone_held_sideways(
    page: Page, gallery: Gallery
) -> None:
    page.set_viewport_size({"width": PHONE["height"], "height": PHONE["width"]})
    page.goto(gallery.address)
    page.evaluate("document.querySelector('[data-selfie]').submit()")
    told = page.get_by_role("alert")
    expect(told).to_contain_text("Tick the box first")
    expect(told).to_be_in_viewport()
    expect(told).to_be_focused()


def test_new_photos_are_announced_and_come_in(page: Page, gallery: Gallery) -> None:
    gallery.add("15")
    page.clock.install()
    search_bib(page, gallery, "15")
    expect(photos(page)).to_have_count(1)
    for _ in range(3):
        gallery.add("15")
    page.clock.run_for(6000)
    page.get_by_role("button", name="3 new photos").click()
    expect(photos(page)).to_have_count(4)
    expect(page.get_by_role("heading", name="Bib 15")).to_contain_text("4 photos")
    expect(page.get_by_role("button", name="3 new photos")).to_be_hidden()


def test_a_photo_that_went_as_another_came_is_announced_too(page: Page, gallery: Gallery) -> None:
    gone, stays = gallery.add("15"), gallery.add("15")
    page.clock.install()
    page.goto(f"{gallery.address}/find?bib=15")
    with page.expect_response("**/live?*"):
        page.clock.run_for(6000)
    gallery.execute("update bib_tag set visible = false where photo_id = %s", gone)
    came = gallery.add("15")
    page.clock.run_for(60_000)
    page.get_by_role("button", name="The photos have changed").click()
    expect(page.locator(f"[data-id='{gone}']")).to_have_count(0)
    for photo in (stays, came):
        expect(page.locator(f"[data-id='{photo}']")).to_be_visible()
    expect(page.locator(f"[data-id='{came}'] a")).to_be_focused()


def test_new_photos_come_in_behind_all_that_are_shown(page: Page, gallery: Gallery) -> None:
    gallery.fill("15", 130)
    page.clock.install()
    search_bib(page, gallery, "15")
    expect(photos(page)).to_have_count(60)
    for number in (120, 130):
        page.mouse.wheel(0, 20_000)
        expect(photos(page)).to_have_count(number)
    gallery.fill("15", 100)
    page.clock.run_for(6000)
    page.get_by_role("button", name="100 new photos").click()
    expect(photos(page)).to_have_count(180)
    expect(page.get_by_role("heading", name="Bib 15")).to_contain_text("230 photos")
    expect(photos(page).nth(130)).to_be_focused()
    page.mouse.wheel(0, 20_000)
    expect(photos(page)).to_have_count(230)
    expect(page.get_by_role("link", name="More photos")).to_have_count(0)


@pytest.mark.parametrize(("language", "many"), [("en", "1,200"), ("de", "1.200")])
def test_large_numbers_are_written_as_the_language_has_it(
    browser: Browser, gallery: Gallery, language: str, many: str
) -> None:
    gallery.fill("15", 1200)
    context = browser.new_context(viewport=PHONE, locale=language)
    page = context.new_page()
    page.clock.install()
    page.goto(gallery.address)
    expect(page.locator(".hours a")).to_contain_text(f"{many} ")
    page.goto(f"{gallery.address}/find?bib=15")
    expect(page.locator("[data-count]")).to_contain_text(f"{many} ")
    expect(page.locator(".grid img").first).to_have_attribute("alt", re.compile(f"1 .+ {many}$"))
    photos(page).first.click()
    expect(page.locator("[data-place]")).to_contain_text(many)
    page.keyboard.press("Escape")
    gallery.fill("15", 1200)
    page.clock.run_for(6000)
    expect(page.locator("[data-fresh]")).to_contain_text(f"{many} ")
    context.close()


def test_the_first_photos_of_a_search_come_with_their_downloads(
    page: Page, gallery: Gallery
) -> None:
    page.clock.install()
    search_bib(page, gallery, "15")
    expect(page.get_by_role("heading", name="No photos found")).to_be_visible()
    for _ in range(2):
        gallery.add("15")
    page.clock.run_for(6000)
    page.get_by_role("button", name="2 new photos").click()
    expect(photos(page)).to_have_count(2)
    for name in ("Share", "Choose"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Download all")).to_be_visible()


def test_the_next_photos_come_while_scrolling(page: Page, gallery: Gallery) -> None:
    for _ in range(70):
        gallery.add("16")
    search_bib(page, gallery, "16")
    expect(photos(page)).to_have_count(60)
    page.mouse.wheel(0, 20_000)
    expect(photos(page)).to_have_count(70)


def test_after_a_try_that_failed_the_next_photos_come_when_the_network_is_back(
    page: Page, gallery: Gallery
) -> None:
    gallery.fill("16", 61)
    failing = iter([True])
    page.route(
        "**/find?*page=2",
        lambda route: route.abort() if next(failing, False) else route.continue_(),
    )
    search_bib(page, gallery, "16")
    with page.expect_event("requestfailed"):
        page.mouse.wheel(0, 20_000)
    page.wait_for_function(
        """() => {
            dispatchEvent(new Event("online"))
            return document.querySelectorAll(".grid > li").length === 61
        }"""
    )


def test_a_later_page_opened_alone_numbers_its_photos_on_and_leads_back(
    page: Page, gallery: Gallery
) -> None:
    gallery.fill("16", 61)
    page.goto(f"{gallery.address}/find?bib=16&page=2")
    photos(page).click()
    expect(page.get_by_role("dialog").get_by_text("Photo 61 of 61")).to_be_visible()
    page.get_by_role("button", name="Close").first.click()
    page.get_by_role("link", name="Previous photos").click()
    expect(photos(page).first.get_by_role("img", name="Photo 1 of 61")).to_be_visible()
    expect(page.get_by_role("link", name="Previous photos")).to_have_count(0)


def test_a_page_older_than_its_links_is_loaded_anew_when_it_is_looked_at(
    page: Page, context: BrowserContext, gallery: Gallery
) -> None:
    gallery.add("16")
    look = "document.dispatchEvent(new Event('visibilitychange'))"
    page.clock.install()
    search_bib(page, gallery, "16")
    page.evaluate(f"window.kept = true; {look}")
    context.set_offline(True)
    page.clock.fast_forward("13:00:00")
    page.evaluate(look)
    assert page.evaluate("window.kept"), "there is nothing to load it from"
    with page.expect_navigation():
        context.set_offline(False)
    expect(photos(page)).to_have_count(1)


def test_a_photo_opened_without_a_network_is_shown_large_once_there_is_one(
    page: Page, context: BrowserContext, gallery: Gallery
) -> None:
    gallery.add("16")
    page.add_init_script(
        """window.Image = class extends Image {
          constructor() {
            super()
            this.addEventListener("error", () => { window.failed = true })
          }
        }"""
    )
    search_bib(page, gallery, "16")
    expect(page.locator(".grid img")).to_have_js_property("complete", True)
    context.set_offline(True)
    photos(page).click()
    page.wait_for_function("() => window.failed")
    shown = page.locator(".stage img")
    expect(shown).not_to_have_attribute("src", re.compile("/medium/"))
    context.set_offline(False)
    expect(shown).to_have_attribute("src", re.compile("/medium/"))


def test_photos_by_time_of_day_on_the_clock_of_the_event(page: Page, gallery: Gallery) -> None:
    for _ in range(31):  # two minutes apart, from nine o'clock
        gallery.add()
    page.goto(gallery.address)
    page.get_by_role("link", name=re.compile("09:00–10:00")).click()
    expect(page.get_by_role("heading", name=re.compile("09:00–10:00"))).to_contain_text("30 photos")
    page.go_back()
    page.get_by_label("From").fill("09:10")
    page.get_by_label("To", exact=True).fill("09:20")
    page.get_by_role("button", name="Show").click()
    expect(photos(page)).to_have_count(5)


def test_without_javascript_bib_search_and_a_download_work(
    browser: Browser, gallery: Gallery
) -> None:
    photo = gallery.add("17")
    context = browser.new_context(viewport=PHONE, java_script_enabled=False, locale="en")
    page = context.new_page()
    page.goto(f"{gallery.address}/photo/{photo}?remove#remove")
    expect(page.get_by_role("button", name="Ask the organiser")).to_be_visible()
    search_bib(page, gallery, "17")
    photos(page).nth(0).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes() == gallery.original(photo)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_faults_for_those_who_cannot_see(
    page: Page, gallery: Gallery, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    for _ in range(3):
        gallery.add("18")
    for address in (
        "",
        "/find?bib=18",
        "/find?bib=none",
        "/find?bib=+",
        f"/photo/{uuid.UUID(int=1)}",
    ):
        page.goto(gallery.address + address)
        no_serious_faults(page)
    page.goto(f"{gallery.address}/find?bib=18")
    photos(page).nth(0).click()
    no_serious_faults(page)


def test_german_by_preference_and_by_the_switch(browser: Browser, gallery: Gallery) -> None:
    gallery.add("19")
    context = browser.new_context(viewport=PHONE, locale="de-AT")
    page = context.new_page()
    page.goto(gallery.address)
    expect(page.get_by_role("heading", name="Meine Fotos finden")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Find my photos")).to_be_visible()
    page.goto(f"{gallery.address}/find?bib=19")
    expect(page.get_by_role("button", name="Share").first).to_be_visible()
    context.close()
