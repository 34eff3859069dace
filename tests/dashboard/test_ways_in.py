"""The first owner's page, and what holds guessers back: over processes, restarts and proxies."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from fotofinish.database.connection import Database
from fotofinish.web.dashboard.entering import DEVICE_COOKIE
from tests.dashboard.conftest import PASSWORD, Office
from tests.running import serving

OUR_PAGE = {"Sec-Fetch-Site": "same-origin"}
PROXIED = {"FOTOFINISH_TRUSTED_PROXIES": "127.0.0.1"}


def _settings(database: Database, folder: Path) -> dict[str, str]:
    return {
        "FOTOFINISH_DATABASE_URL": database.dsn,
        "FOTOFINISH_DATA_DIR": str(folder),
        "FOTOFINISH_SECRET_KEY": "one and the same secret on all of them",
    }


@pytest.fixture(scope="module")
def servers(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Two server processes on one database; the second stands behind a proxy."""
    settings = _settings(database, tmp_path_factory.mktemp("ways-in"))
    with serving(settings) as first, serving(settings | PROXIED) as second:
        yield first, second


def _attempt(
    url: str, email: str, password: str = "wrong password", *, of: str = "", device: str = ""
) -> httpx.Response:
    """A sign-in, by a proxy in the name of the address `of`, from a browser with this token."""
    headers = OUR_PAGE | ({"X-Forwarded-For": of} if of else {})
    cookies = {DEVICE_COOKIE: device} if device else {}
    form = {"email": email, "password": password}
    return httpx.post(f"{url}/sign-in", data=form, headers=headers, cookies=cookies, timeout=60)


def test_the_first_owner_settles_in_once_and_the_page_is_gone(
    empty_database: Database, tmp_path: Path
) -> None:
    settings, log = _settings(empty_database, tmp_path), tmp_path / "log"
    with serving(settings, log) as first, serving(settings) as second:
        found = re.search(r"/set-up\?secret=(\w+)", log.read_text())
        assert found
        secret = found[1]
        assert httpx.get(f"{second}/set-up?secret={secret}").status_code == 200
        assert httpx.get(f"{second}/set-up?secret={secret[:-1]}").status_code == 404
        assert "prints the address" in httpx.get(f"{first}/sign-in").text

        def settle(number: int) -> httpx.Response:
            form = {
                "secret": secret,
                "name": f"Club {number}",
                "email": f"owner{number}@example.org",
                "password": PASSWORD,
            }
            url = (first, second)[number % 2]
            return httpx.post(f"{url}/set-up", data=form, headers=OUR_PAGE)

        with ThreadPoolExecutor(6) as executor:
            answers = list(executor.map(settle, range(6)))
        assert sorted(answer.status_code for answer in answers) == [303] + [404] * 5
        (entered,) = (answer for answer in answers if answer.status_code == 303)
        events = httpx.get(f"{second}/", cookies=dict(entered.cookies))
        assert "Make the first event" in events.text
        assert settle(7).status_code == 404
        assert httpx.get(f"{first}/set-up?secret={secret}").status_code == 404
    with serving(settings, log):
        assert "set-up" not in log.read_text()


def test_a_set_up_that_does_not_do_says_why_and_keeps_the_page(
    empty_database: Database, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with serving(_settings(empty_database, tmp_path), log) as url:
        found = re.search(r"secret=(\w+)", log.read_text())
        assert found
        form = {"secret": found[1], "name": "Club", "email": "me@example.org", "password": "short"}
        refused = httpx.post(f"{url}/set-up", data=form, headers=OUR_PAGE)
        assert refused.status_code == 422
        assert "at least 10 characters" in refused.text
        assert 'value="me@example.org"' in refused.text
        form["password"] = PASSWORD
        for name in ("C" * 201, "Club\nRoom"):
            refused = httpx.post(f"{url}/set-up", data=form | {"name": name}, headers=OUR_PAGE)
            assert refused.status_code == 422
            assert "at most 200 characters, all on one line" in refused.text
        assert httpx.post(f"{url}/set-up", data=form, headers=OUR_PAGE).status_code == 303


def test_guesses_count_together_in_all_servers_and_through_a_restart(
    office: Office, database: Database, tmp_path: Path
) -> None:
    settings = _settings(database, tmp_path)
    with serving(settings) as first, serving(settings) as second:
        statuses = [_attempt(url, office.owner).status_code for url in (first, second, first)]
    assert statuses == [403] * 3
    with serving(settings) as again:
        statuses = [_attempt(again, office.owner).status_code for _ in range(3)]
        assert statuses == [403, 403, 429]
        assert _attempt(again, office.owner, PASSWORD).status_code == 429
        office.execute("update sign_in_attempt set ends_at = now()")  # a quarter of an hour later
        assert _attempt(again, office.owner, PASSWORD).status_code == 303


def test_behind_a_trusted_proxy_each_address_has_its_own_count(
    servers: tuple[str, str], office: Office
) -> None:
    _, proxied = servers
    guesses = [_attempt(proxied, office.owner, of="203.0.113.7").status_code for _ in range(6)]
    assert guesses == [403] * 5 + [429]
    assert _attempt(proxied, office.owner, PASSWORD, of="203.0.113.8").status_code == 303
    same_network = [
        _attempt(proxied, f"{uuid.uuid4()}@x.org", of=f"2001:db8::{n}").status_code
        for n in range(2)
    ]
    assert same_network == [403, 403]


def test_without_a_trusted_proxy_an_address_that_somebody_claims_does_not_count(
    servers: tuple[str, str], office: Office
) -> None:
    direct, _ = servers
    guesses = [_attempt(direct, office.owner, of=f"203.0.113.{n}").status_code for n in range(6)]
    assert guesses == [403] * 5 + [429]


def test_an_attack_from_everywhere_is_stopped_and_the_owners_browser_still_gets_in(
    servers: tuple[str, str], office: Office
) -> None:
    _, url = servers
    before = _attempt(url, office.owner, PASSWORD, of="198.51.100.1")
    device = before.cookies[DEVICE_COOKIE]
    with ThreadPoolExecutor(8) as executor:
        guesses = list(
            executor.map(
                lambda n: _attempt(url, office.owner, of=f"203.0.113.{n}").status_code, range(60)
            )
        )
    assert sorted(guesses) == [403] * 50 + [429] * 10
    assert _attempt(url, office.owner, PASSWORD, of="198.51.100.9").status_code == 429
    assert _attempt(url, office.owner, PASSWORD, of="203.0.113.1", device=device).is_redirect
    # the token is worth nothing for another account, and does not allow guessing without end
    other = office.person("owner")
    foreign = [_attempt(url, other, of="203.0.113.9", device=device).status_code for _ in range(6)]
    assert foreign == [403] * 5 + [429]
    own = [_attempt(url, office.owner, device=device).status_code for _ in range(11)]
    assert own == [403] * 10 + [429]


def test_no_address_of_anybody_is_kept(servers: tuple[str, str], office: Office) -> None:
    _attempt(servers[1], "kim@example.org", of="203.0.113.77")
    rows = office.execute("select name from sign_in_attempt")
    assert rows
    assert all(len(name) == 32 and b"kim" not in name and b"203" not in name for (name,) in rows)
