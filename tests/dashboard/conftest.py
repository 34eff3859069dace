"""A running server, people of three roles, and a browser to sign in with."""

from __future__ import annotations

import hashlib
import html
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from fotofinish.app import create_app
from fotofinish.database.connection import Database, open_connection
from fotofinish.events.events import create_event
from fotofinish.organisations.accounts import create_account, find_password_hash
from fotofinish.organisations.organisations import create_organisation
from fotofinish.organisations.sessions import begin_session
from fotofinish.settings import load_settings
from fotofinish.web.dashboard.visitors import COOKIE
from tests.browsers import launch
from tests.loops import run
from tests.running import free_port, running
from tests.s3_server import S3Server

PLAIN = "plain.example"
"""Our server under a name that browsers do not trust without https, as they do 127.0.0.1."""
PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Office:
    """A running server, and an organisation on it with people, an event, and a stranger's event."""

    url: str
    data_dir: Path
    database: Database
    org_id: int
    event_id: int
    foreign_org_id: int
    foreign_event_id: int
    owner: str

    def person(self, role: str) -> str:
        """The address of somebody new with this role."""
        return run(_hire(self.database, self.org_id, role))

    def execute(self, statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def add_photo(self, state: str, *bibs: str, reason: str | None = None) -> uuid.UUID:
        """A row of a photo, without bytes."""
        photo_id = uuid.uuid4()
        width, height = (600, 400) if state == "ready" else (None, None)
        self.execute(
            """insert into photo (id, event_id, sha256, size, content_type, extension, name, width,
                                  height, state, reason)
               values (%s, %s, %s, 1, 'image/jpeg', 'jpg', %s, %s, %s, %s, %s)""",
            photo_id, self.event_id, hashlib.sha256(photo_id.bytes).digest(),
            f"{photo_id.hex[:6]}.jpg", width, height, state, reason,
        )  # fmt: skip
        for bib in bibs:
            self.execute(
                """insert into bib_tag (photo_id, bib, event_id, confidence, extension)
                   values (%s, %s, %s, 0.9, 'jpg')""",
                photo_id, bib, self.event_id,
            )  # fmt: skip
        return photo_id

    def session(self, email: str) -> str:
        """A fresh session's token, without the wait for argon2id."""
        return run(_begin(self.database, email))

    def client(self, email: str) -> SignedIn:
        """A client that is signed in, without a browser."""
        client = httpx.Client(
            base_url=self.url,
            headers={"Sec-Fetch-Site": "same-origin"},
            cookies={COOKIE: self.session(email)},
            timeout=60,
        )
        page = client.get("/").text
        return SignedIn(client, page.partition('name="form_token" value="')[2].partition('"')[0])


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A client with a session, and the token of its forms."""

    http: httpx.Client
    form_token: str

    def drawn(self, path: str) -> str:
        """What the page's form says that it was drawn from."""
        page = self.http.get(path).text
        return html.unescape(page.partition('name="drawn" value="')[2].partition('"')[0])

    def send(self, path: str, **fields: object) -> httpx.Response:
        """Post a form as the page would."""
        return self.http.post(path, data={"form_token": self.form_token, **fields})


@pytest.fixture(scope="module")
def office_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's data folder."""
    return tmp_path_factory.mktemp("office")


@pytest.fixture(scope="module")
def storage_url() -> str | None:
    """Where photos lie: a folder, unless a module says otherwise."""
    return None


@pytest.fixture(scope="module")
def bucket_url(s3_server: S3Server) -> Iterator[str]:
    """A bucket for modules that want one, with its keys in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment.items():
            patch.setenv(name, value)
        yield s3_server.storage_url


@pytest.fixture(scope="module")
def address(database: Database, office_folder: Path, storage_url: str | None) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = load_settings(data_dir=office_folder, public_url=url, storage_url=storage_url)
    with running(create_app(settings, database), port):
        yield url


async def _furnish(database: Database, url: str, folder: Path) -> Office:
    async with open_connection(database) as connection:
        organisation = await create_organisation(connection, "Harbour Races")
        foreign = await create_organisation(connection, "Somebody Else")
        event = await create_event(connection, organisation.id, "Harbour <b>Run</b>")
        theirs = await create_event(connection, foreign.id, "Their secret race")
    owner = await _hire(database, organisation.id, "owner")
    return Office(url, folder, database, organisation.id, event.id, foreign.id, theirs.id, owner)


async def _hire(database: Database, org_id: int, role: str) -> str:
    email = f"{role}-{uuid.uuid4().hex[:8]}@example.org"
    async with open_connection(database) as connection:
        await create_account(connection, email, org_id, password=PASSWORD, role=role)
    return email


async def _begin(database: Database, email: str) -> str:
    async with open_connection(database) as connection:
        account, _ = await find_password_hash(connection, email)
        assert account is not None
        return await begin_session(connection, account.id)


@pytest.fixture
def office(database: Database, address: str, office_folder: Path) -> Office:
    """An organisation of this test's own."""
    return run(_furnish(database, address, office_folder))


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright.chromium, f"--host-resolver-rules=MAP {PLAIN} 127.0.0.1")
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def signed_in(page: Page, office: Office) -> Page:
    """The first page, as the owner sees it."""
    enter(page, office, office.owner)
    return page


def enter(page: Page, office: Office, email: str) -> None:
    """Open the first page in a session of this person's."""
    page.context.add_cookies([{"name": COOKIE, "value": office.session(email), "url": office.url}])
    page.goto(office.url)
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()


def sign_in(page: Page, office: Office, *, password: str = PASSWORD) -> None:
    """Fill in the form, starting from an address that leads to it."""
    page.goto(office.url)
    page.get_by_label("E-mail").fill(office.owner)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
