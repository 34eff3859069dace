"""Addresses that lead nowhere: a page for who opened them in a browser, JSON for programs."""

from __future__ import annotations

import time
import uuid

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from fotofinish.settings import Settings
from fotofinish.storage.local_links import LocalLinks
from tests.dashboard.conftest import Office, sign_in

DIGITS = "9" * 5000
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(("path", "status"), [("/nonsense", 404), ("/events", 405)])
def test_a_browser_gets_a_page_that_says_what_to_do_next(
    page: Page, office: Office, path: str, status: int
) -> None:
    answer = page.goto(office.url + path)
    assert answer is not None
    assert answer.status == status
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(page.get_by_role("link", name="First page")).to_have_attribute("href", "/")
    assert not Axe().run(page).response["violations"]


def test_a_link_to_a_file_that_fails_leads_no_participant_to_the_dashboard(
    page: Page, office: Office
) -> None:
    key = f"imgs/{office.event_id}/large/{uuid.uuid4()}.jpg"
    signer = LocalLinks(Settings(data_dir=office.data_dir).signing_key(), office.url, 3600)
    (gone,) = signer.links([key], time.time())
    (expired,) = signer.links([key], time.time() - 7200)
    for link, status in ((gone, 404), (expired, 403), (f"{office.url}/files/none.jpg", 403)):
        answer = page.goto(link)
        assert answer is not None
        assert answer.status == status
        expect(page.get_by_text("Go back to where this link stands")).to_be_visible()
        expect(page.get_by_role("link")).to_have_count(0)
        assert not Axe().run(page).response["violations"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/{DIGITS}", 404),
        (f"/{DIGITS}/photos", 404),
        (f"/{{id}}/photos?offset={DIGITS}", 200),
        (f"/{{id}}/photos/part?mark=infinity~{uuid.UUID(int=1)}&skip={DIGITS}", 200),
        (f"/{{id}}/photos/part?mark=2026-W01-1~{uuid.UUID(int=1)}", 200),
        (f"/{{id}}/photos/part?mark=2026-01-01T00:00%2B20:00~{uuid.UUID(int=1)}", 200),
        (f"/{{id}}/photos/part?mark=0001-01-01T00:00%2B20:00~{uuid.UUID(int=1)}", 400),
        (f"/{{id}}/photos/marks?chunks={DIGITS}", 200),
        ("/{id}/photos?from=0001-01-01T00:00&to=9999-12-31T23:59", 200),
        (f"/{{id}}/watermark/preview?size={DIGITS}", 422),
    ],
)
def test_no_address_makes_a_page_crash(office: Office, path: str, status: int) -> None:
    answer = office.client(office.owner).http.get(f"/events{path.format(id=office.event_id)}")
    assert answer.status_code == status


def test_a_number_too_long_to_be_an_events_leads_strangers_to_the_door(office: Office) -> None:
    assert httpx.get(f"{office.url}/events/{DIGITS}").status_code == 303


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("de-AT", ("Das ging nicht", "Dieser Link ist abgelaufen", "wo dieser Link steht")),
        ("fr, en;q=0.5", ("That did not work", "This link has expired", "where this link stands")),
    ],
)
def test_a_link_to_a_file_that_fails_says_so_in_the_participants_language(
    office: Office, language: str, texts: tuple[str, ...]
) -> None:
    headers = {**BROWSER, "Accept-Language": language}
    page = httpx.get(f"{office.url}/files/none.jpg", headers=headers)
    assert page.status_code == 403
    assert page.headers["content-language"] == language[:2].replace("fr", "en")
    assert all(text in page.text for text in texts)


@pytest.mark.parametrize(("path", "status"), [("/no/such/place", 404), ("", 405)])
def test_below_a_gallery_the_page_leads_back_to_it(office: Office, path: str, status: int) -> None:
    method = "POST" if status == 405 else "GET"
    headers = {**BROWSER, "Accept-Language": "de"}
    page = httpx.request(method, f"{office.url}/e/harbour{path}", headers=headers)
    assert page.status_code == status
    assert 'href="/e/harbour"' in page.text
    assert "Das ging nicht" in page.text
    assert "First page" not in page.text


def test_a_full_disk_of_the_database_is_told_as_that(page: Page, office: Office) -> None:
    office.execute(
        """create function no_room() returns trigger language plpgsql as
           $$ begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$"""
    )
    office.execute(
        "create trigger no_room before insert on session for each row execute function no_room()"
    )
    try:
        sign_in(page, office)
        expect(page.get_by_role("alert")).to_contain_text("The database's disk is full.")
        expect(page.get_by_text("when there is room")).to_be_visible()
    finally:
        office.execute("drop function no_room cascade")


@pytest.mark.parametrize(
    ("path", "headers"), [("/api/v1/nonsense", BROWSER), ("/nonsense", {}), ("/events", {})]
)
def test_programs_and_the_api_get_json(office: Office, path: str, headers: dict[str, str]) -> None:
    answer = httpx.get(office.url + path, headers=headers)
    assert answer.json()["responseType"] == "error"
    assert answer.headers["content-type"] == "application/json"
