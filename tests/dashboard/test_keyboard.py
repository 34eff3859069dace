"""The main ways through the dashboard with the keyboard alone: every stop on them can be seen."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.dashboard.conftest import PASSWORD, Office, enter
from tests.dashboard.test_upload_protocol import photo

MOST_STOPS = 150
SHOWN = """() => {
  const stop = document.activeElement;
  if (stop === document.body) return true;
  const marked = (element) => getComputedStyle(element).outlineStyle !== "none"
    || getComputedStyle(element, "::after").outlineStyle !== "none";
  const around = stop.closest("label, .cell") ?? stop;
  const box = around.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return (marked(stop) || marked(around)) && (inside || stop.matches(".skip"));
}"""


class Hands:
    """Somebody without a mouse."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def reach(self, wanted: Locator) -> None:
        """Tab on until the focus is there; wherever it stops, it is seen."""
        expect(wanted).to_be_attached()
        for _ in range(MOST_STOPS):
            if wanted.evaluate("one => one === document.activeElement"):
                return
            self._page.keyboard.press("Tab")
            where = "document.activeElement.outerHTML.slice(0, 200)"
            assert self._page.evaluate(SHOWN), self._page.evaluate(where)
        raise AssertionError(f"{wanted} is not reached")

    def press(self, wanted: Locator, key: str = "Enter") -> None:
        self.reach(wanted)
        self._page.keyboard.press(key)

    def type(self, wanted: Locator, text: str) -> None:
        self.reach(wanted)
        self._page.keyboard.press("Control+A")
        self._page.keyboard.type(text)


def test_signing_in_making_an_event_and_signing_out(page: Page, office: Office) -> None:
    hands = Hands(page)
    page.goto(office.url)
    hands.type(page.get_by_label("E-mail"), office.owner)
    hands.type(page.get_by_label("Password"), PASSWORD)
    page.keyboard.press("Enter")
    hands.press(page.get_by_role("link", name="Skip to the page"))
    hands.press(page.get_by_role("link", name="New event"))
    hands.type(page.get_by_label("Name"), "Night Run")
    hands.reach(page.get_by_label("Start"))
    page.keyboard.type("05172026")
    page.keyboard.press("Tab")
    page.keyboard.type("0900AM")
    hands.press(page.get_by_label("Search by selfie"), "Space")
    hands.press(page.get_by_role("button", name="Make the event"))
    expect(page.get_by_role("heading", name="Night Run")).to_be_visible()
    hands.press(page.get_by_role("button", name="Copy event id"))
    expect(page.get_by_role("status").get_by_text("Copied")).to_be_visible()
    hands.press(page.get_by_role("button", name=re.compile(r"^Harbour Races")))
    hands.press(page.get_by_role("button", name="Copy id"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Copy id")).to_be_hidden()
    hands.press(page.get_by_role("button", name=re.compile("^Account")))
    hands.press(page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_putting_photos_in(page: Page, office: Office, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(photo(1))
    # listened for from the start: what is asked for just before the key is at times too late
    page.on("filechooser", lambda chooser: chooser.set_files(path))
    hands = Hands(page)
    enter(page, office, office.owner)
    hands.press(page.get_by_role("link", name="Harbour <b>Run</b>"))
    hands.press(page.get_by_role("navigation", name="Event").get_by_role("link", name="Upload"))
    hands.reach(page.get_by_label("Choose photos"))
    page.keyboard.press("Space")
    expect(page.get_by_text("1 new")).to_be_visible()


def test_correcting_numbers_on_one_photo_and_on_several(page: Page, office: Office) -> None:
    first, second = office.add_photo("ready", "12"), office.add_photo("ready", "12")
    office.execute("update photo set captured_at = now() where id = %s", first)
    hands = Hands(page)
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    cells = page.locator(".cell")
    hands.reach(cells.nth(0).get_by_role("link"))
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    expect(cells.nth(1).get_by_role("link")).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    tools = page.get_by_role("group", name="Change the chosen photos")
    hands.type(tools.get_by_label("Bib"), "77")
    hands.press(tools.get_by_role("button", name="Add bib"))
    expect(page.get_by_text("Added 77 to 2 photos.")).to_be_visible()
    hands.press(page.locator(".cell").nth(0).get_by_role("link"))
    page.wait_for_url(f"**/photos/{first}*")
    page.keyboard.press("b")
    page.keyboard.type("99")
    page.keyboard.press("Enter")
    expect(page.locator(".tags")).to_contain_text("99")
    page.keyboard.press("c")
    page.wait_for_url(f"**/photos/{second}*")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/photos/{first}*")
    hands.press(page.get_by_role("button", name="Delete …"))
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Keep it")).to_be_hidden()
    hands.press(page.get_by_role("button", name="Delete …"))
    hands.press(page.get_by_role("button", name="Delete for good"))
    page.wait_for_url(re.compile(f"photos/{second}|photos(\\?|$)"))
    assert office.execute("select id from photo where event_id = %s", office.event_id) == [
        (second,)
    ]


def test_a_start_list_and_a_key(page: Page, office: Office) -> None:
    hands = Hands(page)
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/startlist")
    hands.type(page.get_by_label("Or paste the list"), "Bib;Name")
    page.keyboard.press("Enter")
    page.keyboard.type("101;Ada")
    hands.press(page.get_by_role("button", name="Look at the list"))
    hands.press(page.get_by_role("button", name="Use this list"))
    expect(page.get_by_text("The start list is in.")).to_be_visible()
    hands.press(page.get_by_role("link", name="Developer"))
    hands.press(page.get_by_role("button", name="Make the first key"))
    expect(page.get_by_role("heading", name="Your new key")).to_be_visible()
    hands.press(page.get_by_role("button", name="Copy the new key"))
    expect(page.get_by_role("status").get_by_text("Copied")).to_be_visible()
    hands.press(page.get_by_role("button", name=re.compile("^Delete key")))
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Delete the key")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The key is deleted.")).to_be_visible()
