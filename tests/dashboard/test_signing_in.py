"""Signing in and out: who gets in, who does not, and what other sites may not send."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import Page, expect

from fotofinish.web import forms
from fotofinish.web.dashboard.visitors import COOKIE
from tests.dashboard.conftest import PASSWORD, Office, sign_in

OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}


def test_a_wrong_password_says_so_and_keeps_the_address(page: Page, office: Office) -> None:
    sign_in(page, office, password="wrong password")
    expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
    expect(page.get_by_label("E-mail")).to_have_value(office.owner)


def test_a_form_that_takes_too_long_is_answered_with_a_page_that_says_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow() -> Iterator[bytes]:
        yield b"email="
        time.sleep(1)
        yield office.owner.encode()

    monkeypatch.setattr(forms, "PATIENCE", 0.2)
    answer = httpx.post(
        f"{office.url}/sign-in",
        content=slow(),
        headers={
            **OUR_PAGE,
            "Accept": "text/html",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert answer.status_code == 408
    assert "What was sent took too long to arrive." in answer.text


def test_a_forgotten_password_is_replaced_as_the_page_says(page: Page, office: Office) -> None:
    email, still_open = office.owner, office.client(office.owner)
    page.goto(office.url)
    command = page.get_by_text("Forgot your password?").locator("code").inner_text()
    words = command.removeprefix("fotofinish ").replace("EMAIL", email.upper()).split()
    done = _fotofinish(office, *words, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["email"] == email
    assert still_open.http.get("/").headers["location"] == "/sign-in"
    sign_in(page, office)
    expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
    sign_in(page, office, password=made["password"])
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()


def test_a_new_password_may_come_from_standard_input(page: Page, office: Office) -> None:
    words = ("user", "password", office.owner, "--password-stdin")
    too_short = _fotofinish(office, *words, stdin="short\n")
    assert (too_short.returncode, "at least 10 characters" in too_short.stderr) == (1, True)
    done = _fotofinish(office, *words, stdin="a long enough secret\n")
    assert done.returncode == 0, done.stderr
    assert "secret" not in done.stdout + done.stderr
    sign_in(page, office, password="a long enough secret")
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()


@pytest.mark.parametrize("where", ["settings", "upload?from=0&to=9"])
def test_after_signing_in_one_is_where_one_wanted_to_be(
    page: Page, office: Office, where: str
) -> None:
    wanted = f"{office.url}/events/{office.event_id}/{where}"
    page.goto(wanted)
    page.get_by_label("E-mail").fill(office.owner)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(wanted)


def test_a_form_after_the_session_ended_leads_back_to_its_page(
    signed_in: Page, office: Office
) -> None:
    wanted = f"{office.url}/events/{office.event_id}/settings"
    signed_in.goto(wanted)
    signed_in.context.clear_cookies()
    expect(signed_in.get_by_role("alert")).to_have_count(0)
    signed_in.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("nothing was changed")
    signed_in.get_by_label("E-mail").fill(office.owner)
    signed_in.get_by_label("Password").fill(PASSWORD)
    signed_in.get_by_role("button", name="Sign in").click()
    expect(signed_in).to_have_url(wanted)


@pytest.mark.parametrize(
    ("answered", "page"),
    [
        ("/events/{event}/startlist/preview", "/events/{event}/startlist"),
        ("/events/{event}/photos/change?show=failed", "/events/{event}/photos"),
        ("/events", "/"),
        ("/account/password", "/account"),
        ("/people/00000000-0000-4000-8000-000000000000/role", "/people"),
        ("/nowhere/at/all", "/"),
        ("/" + "a/" * 1200, "/"),
    ],
)
def test_a_page_that_answered_a_form_is_no_page_to_come_back_to(
    office: Office, answered: str, page: str
) -> None:
    wanted = page.format(event=office.event_id)
    answer = httpx.post(
        f"{office.url}/events/{office.event_id}/startlist",
        headers={**OUR_PAGE, "Referer": office.url + answered.format(event=office.event_id)},
    )
    asked = f"next={quote(wanted, safe='')}&" if wanted != "/" else ""
    assert answer.headers["location"] == f"/sign-in?{asked}unsent"
    assert office.client(office.owner).http.get(wanted).status_code == 200


def test_signing_in_never_leads_to_another_site(office: Office) -> None:
    for elsewhere in (
        "//evil.example", "https://evil.example", "/\\evil.example", "/events/1//x", "/\t/evil",
        "/sign-in?next=/", "/@evil.example", "/x?next=//evil.example", "/" + "a/" * 1200,
    ):  # fmt: skip
        form = {"email": office.owner, "password": PASSWORD, "next": elsewhere}
        answer = httpx.post(f"{office.url}/sign-in", data=form, headers=OUR_PAGE)
        assert answer.headers["location"] == "/", elsewhere


def test_guessing_is_stopped_even_when_all_guesses_come_at_once(office: Office) -> None:
    email = f"{uuid.uuid4().hex}@example.org"

    def guess(number: int) -> int:
        form = {"email": email, "password": f"guess {number}"}
        url = f"{office.url}/sign-in"
        return httpx.post(url, data=form, headers=OUR_PAGE, timeout=60).status_code

    with ThreadPoolExecutor(9) as executor:
        answers = sorted(executor.map(guess, range(9)))
    assert answers == [403] * 5 + [429] * 4


def test_the_right_password_does_not_help_while_locked_out(office: Office) -> None:
    def attempt(password: str) -> int:
        form = {"email": office.owner, "password": password}
        return httpx.post(f"{office.url}/sign-in", data=form, headers=OUR_PAGE).status_code

    assert [attempt("wrong password") for _ in range(5)] == [403] * 5
    assert attempt(PASSWORD) == 429


def test_signing_out_ends_the_session_itself(page: Page, office: Office) -> None:
    sign_in(page, office)
    page.get_by_role("button", name="Account").click()
    cookies = page.context.cookies()
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Lax" for cookie in cookies)
    (cookie,) = (cookie for cookie in cookies if cookie["name"] == COOKIE)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    again = httpx.get(office.url, cookies={cookie["name"]: cookie["value"]})
    assert again.headers["location"] == "/sign-in"


def test_a_sessions_token_is_not_in_the_database(office: Office) -> None:
    token = office.session(office.owner)
    find = "select count(*) from session where digest = %s"
    assert office.execute(find, token.encode()) == [(0,)]
    assert office.execute(find, hashlib.sha256(token.encode()).digest()) == [(1,)]


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/events", "/developer/keys"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://x"}])
def test_forms_of_other_sites_are_refused_and_a_proxys_part_in_it_is_told(
    address: str, path: str, headers: dict[str, str]
) -> None:
    refused = httpx.post(address + path, headers=headers)
    assert refused.status_code == 403
    assert "a proxy before the server changes the header Host" in refused.text


def test_a_form_without_its_sessions_token_is_refused(office: Office) -> None:
    mine, other = office.client(office.owner), office.client(office.owner)
    fields = {"org": office.org_id, "name": "Forged", "starts_at": "2026-05-17T09:00"}
    for token in ({}, {"form_token": ""}, {"form_token": other.form_token}):
        assert mine.http.post("/events", data={**fields, **token}).status_code == 403
        assert mine.http.post("/sign-out", data=token).status_code == 403
    assert mine.http.get("/").status_code == 200


def _fotofinish(office: Office, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The command line, on the server's database."""
    return subprocess.run(
        [sys.executable, "-m", "fotofinish", *words],
        env={
            **os.environ,
            "FOTOFINISH_DATA_DIR": str(office.data_dir),
            "FOTOFINISH_DATABASE_URL": office.database.dsn,
        },
        capture_output=True,
        text=True,
        input=stdin,
    )
