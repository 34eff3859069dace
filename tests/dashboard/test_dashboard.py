"""The dashboard in a real browser: signing in, ids that can be copied, and what is kept apart."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fotofinish.app import create_app
from fotofinish.database.connection import Database, open_connection
from fotofinish.events.events import create_event
from fotofinish.organisations.accounts import create_account
from fotofinish.organisations.organisations import create_organisation
from fotofinish.settings import load_settings

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Office:
    """A running server, and somebody who may sign in to one of two organisations."""

    url: str
    email: str
    password: str
    org_id: int
    event_id: int
    foreign_org_id: int


@pytest.fixture(scope="module")
def office(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = load_settings(data_dir=tmp_path_factory.mktemp("office"), public_url=url)
    app = create_app(settings, database)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    # in a thread of its own: Playwright may have a loop running in this one
    with ThreadPoolExecutor(1) as executor:
        furnished = executor.submit(lambda: asyncio.run(_furnish(database, url))).result()
    yield furnished
    server.should_exit = True
    thread.join(10)


async def _furnish(database: Database, url: str) -> Office:
    email = f"{uuid.uuid4().hex}@example.org"
    async with open_connection(database) as connection:
        organisation = await create_organisation(connection, "Harbour Races")
        foreign = await create_organisation(connection, "Somebody Else")
        event = await create_event(connection, organisation.id, "Harbour <b>Run</b>")
        await create_event(connection, foreign.id, "Their secret race")
        _, password = await create_account(connection, email, organisation.id)
    return Office(url, email, password, organisation.id, event.id, foreign.id)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("Chromium is not installed (make system-packages)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def _sign_in(page: Page, office: Office, password: str | None = None) -> None:
    page.goto(office.url)
    page.get_by_label("E-mail").fill(office.email)
    page.get_by_label("Password").fill(password or office.password)
    page.get_by_role("button", name="Sign in").click()


def test_the_organisations_and_the_events_ids_stand_beside_their_names(
    page: Page, office: Office
) -> None:
    _sign_in(page, office)
    expect(page.locator(".selector summary")).to_contain_text(f"Harbour Races {office.org_id}")
    row = page.get_by_role("row").filter(has_text="Harbour <b>Run</b>")
    expect(row).to_contain_text(str(office.event_id))
    expect(page.get_by_text("Their secret race")).to_have_count(0)


def test_one_click_copies_an_events_id(page: Page, office: Office) -> None:
    _sign_in(page, office)
    page.get_by_role("button", name=f"Copy event id {office.event_id}").click()
    expect(page.locator("button.copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == str(office.event_id)


def test_no_page_needs_more_than_the_strict_policy_allows(page: Page, office: Office) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    _sign_in(page, office)
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    assert [c for c in complaints if "favicon" not in c and "404" not in c] == []


@pytest.mark.parametrize("width", [320, 768, 1600])
def test_nothing_is_cut_off_at_any_width(page: Page, office: Office, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    _sign_in(page, office)
    expect(page.get_by_role("heading", name="Events")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_signing_out_ends_the_session_itself(page: Page, office: Office) -> None:
    _sign_in(page, office)
    (cookie,) = page.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    again = httpx.get(office.url, cookies={cookie["name"]: cookie["value"]})
    assert again.headers["location"] == "/sign-in"


def test_another_organisations_events_are_not_to_be_seen(page: Page, office: Office) -> None:
    _sign_in(page, office)
    response = page.goto(f"{office.url}/?org={office.foreign_org_id}")
    assert response is not None
    assert response.status == 404


def test_a_wrong_password_says_so_and_guessing_is_stopped(page: Page, office: Office) -> None:
    _sign_in(page, office, "wrong password")
    expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
    email = f"{uuid.uuid4().hex}@example.org"
    answers = [
        httpx.post(
            f"{office.url}/sign-in",
            data={"email": email, "password": "guess"},
            headers={"Sec-Fetch-Site": "same-origin"},
        ).status_code
        for _ in range(6)
    ]
    assert answers == [403] * 5 + [429]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://x"}])
def test_forms_of_other_sites_are_refused(
    office: Office, path: str, headers: dict[str, str]
) -> None:
    assert httpx.post(office.url + path, headers=headers).status_code == 403
