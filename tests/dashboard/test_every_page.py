"""Every page of the dashboard: axe finds nothing serious, and nothing runs out of the window.

The pages are found in the router, so that a new one is looked at without being named here.
"""

from __future__ import annotations

import re

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from fotofinish.web.dashboard.pages import dashboard_routes
from tests.dashboard.conftest import Office, enter

WIDTHS = (320, 390, 768, 1024, 1440, 2560)
PARTS = ("/live", "/photos/part", "/static/{name}", "/set-up", "/join")
"""What is no page of its own, or needs a secret: those two are looked at by hand below."""
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenlauf"
BAD = ("serious", "critical")
OF_COLOURS = ("color-contrast", "link-in-text-block")
OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = (element) => element && element !== document.body &&
    (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.checkVisibility() && !element.closest(".hidden, .skip")
      && element.getBoundingClientRect().right > wide + 1 && !scrolls(element.parentElement))
    .map((element) => `${element.tagName}.${element.getAttribute("class")}`)
    .concat(document.documentElement.scrollWidth > wide ? ["the page"] : []);
}"""


CUT = """() => {
  const clips = (element) => ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
  const own = (element) =>
    [...element.childNodes].filter((node) => node.nodeType === 3 && node.textContent.trim());
  const outside = (box, edge) => box.left < edge.left - 1 || box.right > edge.right + 1
    || box.top < edge.top - 1 || box.bottom > edge.bottom + 1;
  const found = [];
  for (const element of document.body.querySelectorAll("*")) {
    if (!element.checkVisibility() || element.closest(".hidden, .skip, svg, noscript")) continue;
    for (const node of own(element)) {
      const range = document.createRange();
      range.selectNode(node);
      const box = range.getBoundingClientRect();
      for (let around = element; around !== document.body; around = around.parentElement) {
        if (clips(around) && outside(box, around.getBoundingClientRect()))
          found.push(`${element.tagName}.${element.className}: ${node.textContent.trim()}`);
      }
    }
  }
  return found;
}"""
"""Text that a box around it cuts off."""
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Until the window was drawn in its new size: the grid's columns follow it then."""


@pytest.fixture(params=["empty", "full"])
def furnished(request: pytest.FixtureRequest, office: Office) -> Office:
    """An event without anything, and one with everything, under names that are hard to place."""
    if request.param == "full":
        _fill(office)
    return office


def test_axe_finds_nothing_serious(page: Page, furnished: Office) -> None:
    enter(page, furnished, furnished.owner)
    found = {}
    for path in _pages(page, furnished):
        page.goto(furnished.url + path)
        found[path] = serious_in_any_light(page)
    assert not [fault for faults in found.values() for fault in faults], found


def test_axe_finds_nothing_serious_in_what_opens(page: Page, office: Office) -> None:
    """Menus, questions before something is deleted, tables below plots, the tools of a choice."""
    _fill(office)
    enter(page, office, office.owner)
    found, opened = {}, set()
    for path in _pages(page, office):
        page.goto(office.url + path)
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        if page.locator("input[name=photo][type=checkbox]").count():
            page.locator("input[name=photo][type=checkbox]").first.check()
        buttons = page.locator("[popovertarget]:not([popovertargetaction=hide])")
        for number in range(buttons.count()):
            name = buttons.nth(number).get_attribute("popovertarget")
            place = (name, "header") if name in ("organisations", "account") else (name, path)
            if place in opened:
                continue
            opened.add(place)
            buttons.nth(number).click()
            part = page.locator(f"#{name}")
            expect(part).to_be_visible()
            found[place] = serious_in_any_light(page)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                page.evaluate(DRAWN)
                found[place] += page.evaluate(OVERFLOW) + page.evaluate(CUT)
            page.set_viewport_size({"width": 1280, "height": 720})
            page.keyboard.press("Escape")
            expect(part).to_be_hidden()
        found[path, "open"] = serious_in_any_light(page)
    assert len(opened) > 6
    assert not [fault for faults in found.values() for fault in faults], found


def test_nothing_runs_out_of_the_window(page: Page, furnished: Office) -> None:
    enter(page, furnished, furnished.owner)
    found = {}
    for path in _pages(page, furnished):
        page.goto(furnished.url + path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(DRAWN)
            if outside := page.evaluate(OVERFLOW) + page.evaluate(CUT):
                found[path, width] = outside
    assert not found


def test_pages_before_signing_in_are_accessible_and_fit(page: Page, office: Office) -> None:
    made = office.client(office.owner).send("/people/invitations", org=office.org_id, role="editor")
    token = re.search(r"/join\?token=[\w-]+", made.text)
    assert token
    for path in ("/sign-in", token[0], "/join?token=none"):
        page.goto(office.url + path)
        violations = Axe().run(page).response["violations"]
        assert not [one for one in violations if one["impact"] in BAD], path
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not page.evaluate(OVERFLOW), (path, width)
    enter(page, office, office.owner)
    page.goto(office.url + token[0])
    said = page.get_by_text("so there is nothing to do").bounding_box()
    button = page.get_by_role("link", name="To the events").bounding_box()
    assert said
    assert button
    assert button["y"] - said["y"] - said["height"] >= 16


def test_the_page_of_the_api_is_accessible_and_fits(page: Page, office: Office) -> None:
    page.goto(f"{office.url}/api/v1/docs")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert not serious(page), width
        assert not page.evaluate(OVERFLOW), width


def test_a_first_page_is_small(furnished: Office) -> None:
    client = furnished.client(furnished.owner).http
    html = client.get("/")
    links = re.findall(r'(?:href|src)="(/static/[^"]+)"', html.text)
    size = len(html.content) + sum(len(client.get(link).content) for link in set(links))
    assert size < 100_000


def serious(page: Page, *rules: str) -> list[str]:
    """What axe finds on the page as it stands, of the two worst kinds; by all rules or some."""
    options: dict[str, list[str]] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['failureSummary']}"
        for one in Axe().run(page, options=options).response["violations"]
        if one["impact"] in BAD
    ]


def serious_in_any_light(page: Page) -> list[str]:
    """What axe finds on a light screen, and what it finds of colours on a dark one."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = serious(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += [f"dark: {one}" for one in serious(page, *OF_COLOURS)]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    return found


def _pages(page: Page, office: Office) -> list[str]:
    """The address of every page there is for the event of this office."""
    photos = office.execute("select id from photo where event_id = %s limit 1", office.event_id)
    known = {"event_id": str(office.event_id), "photo_id": str(photos[0][0]) if photos else ""}
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    found = []
    for route in dashboard_routes():
        if "GET" not in (route.methods or ()) or route.path.endswith(PARTS):
            continue
        if any(not known.get(name) for name in route.param_convertors):
            continue
        path = re.sub(r"{(\w+):?\w*}", lambda match: known[match[1]], route.path)
        answer = httpx.get(office.url + path, cookies=cookies)
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert answer.status_code == 200, path
            found.append(path)
    assert len(found) > 10
    return found


def _fill(office: Office) -> None:
    for number in range(12):
        office.add_photo("ready", f"{1000 + number}", "777")
    office.add_photo("failed", reason=f"{LONG} cannot be read.")
    office.add_photo("waiting")
    office.execute("update event set name = %s where id = %s", LONG * 2, office.event_id)
    office.execute("update organisation set name = %s where id = %s", LONG, office.org_id)
    office.execute(
        """insert into startlist_entry (event_id, bib, name)
           select %s, n::text, %s from generate_series(1000, 1040) n""",
        office.event_id,
        f"{LONG} {LONG}",
    )
    office.execute(
        """insert into event_use (event_id, hour, kind, uses)
           select %s, date_trunc('hour', now()) - make_interval(hours => n), kind, n * 1000
           from generate_series(1, 100) n,
                unnest(array['bib', 'selfie', 'bib_failed', 'download']) kind""",
        office.event_id,
    )
    client = office.client(office.owner)
    client.send("/developer/keys", org=office.org_id)
    client.send("/people/invitations", org=office.org_id, role="owner", note=LONG)
    for role in ("owner", "editor", "viewer"):
        office.person(role)
