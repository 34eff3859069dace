"""Rate limits: each key has its own, and all server processes keep them together."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from fotofinish.database.connection import Database, open_pool
from fotofinish.errors import RateExceeded
from fotofinish.organisations import rates
from fotofinish.organisations.keys import list_keys
from fotofinish.organisations.rates import Rate, RateLimiter
from tests.api.conftest import Race
from tests.loops import run
from tests.photos.pictures import encoded, gradient
from tests.running import serving

BURST = 20
SEARCHES = 3
SLOWLY = Rate(1e-6, BURST)
BY_BIB = {"method": "bib", "identifier": "1"}
ANY_ID = "a4402318-0cf4-4e1e-b8e8-ac8e8f2fc244"  # the same in every process that runs tests
STORED = f"/faces/{ANY_ID}"
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    *(("GET", path, {}) for path in ("/ping", "/details", "/images", "/bibs/1", STORED)),
    ("GET", "/timeline/days", {}),
    ("GET", "/timeline/images?from=0&to=1", {}),
    ("DELETE", STORED, {}),
    ("POST", "/faces", {"files": {"file": encoded(gradient(), "JPEG")}}),
    ("POST", "/original-photos", {"json": BY_BIB}),
    ("POST", "/original-photos", {"json": {"method": "image_id", "identifier": ANY_ID}}),
]
SLOW = {
    "FOTOFINISH_REQUEST_RATE": "0.05",
    "FOTOFINISH_REQUEST_BURST": str(BURST),
    "FOTOFINISH_SEARCH_RATE": "0.02",
    "FOTOFINISH_SEARCH_BURST": str(SEARCHES),
}


@pytest.fixture(scope="module")
def two_servers(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Two server processes on one database, with low limits."""
    settings = {
        **SLOW,
        "FOTOFINISH_DATABASE_URL": database.dsn,
        "FOTOFINISH_DATA_DIR": str(tmp_path_factory.mktemp("rates")),
    }
    with serving(settings) as first, serving(settings) as second:
        yield first, second


def ping(race: Race, url: str) -> httpx.Response:
    return httpx.get(f"{url}{race.base}/ping", headers={"X-API-Key": race.key})


def test_two_servers_together_let_through_one_burst(
    race: Race, two_servers: tuple[str, str]
) -> None:
    with ThreadPoolExecutor(16) as executor:
        answers = list(executor.map(lambda n: ping(race, two_servers[n % 2]), range(60)))
    assert Counter(answer.status_code for answer in answers) == {200: BURST, 429: 60 - BURST}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.json()["responseType"] == "error"


def test_one_keys_haste_is_not_anothers(make_race, two_servers: tuple[str, str]) -> None:  # type: ignore[no-untyped-def]
    hasty, patient = make_race(), make_race()
    statuses = {ping(hasty, two_servers[0]).status_code for _ in range(BURST + 1)}
    assert statuses == {200, 429}
    assert ping(patient, two_servers[0]).status_code == 200


def ask(race: Race, url: str, method: str, path: str, **what: Any) -> int:
    """The status; `path` is below the event."""
    answer = httpx.request(
        method, f"{url}{race.base}{path}", headers={"X-API-Key": race.key}, **what
    )
    assert ("retry-after" in answer.headers) == (answer.status_code == 429)
    assert answer.json()["responseType"] == "error"
    return answer.status_code


@pytest.fixture
def hasty(race: Race, two_servers: tuple[str, str]) -> Race:
    """An event whose key has no request left."""
    while ping(race, two_servers[0]).status_code == 200:
        pass
    return race


@pytest.mark.parametrize(("method", "path", "what"), CALLS)
def test_a_key_over_its_rate_waits_at_every_endpoint_and_is_told_first_that_an_event_is_foreign(
    hasty: Race,
    make_race,  # type: ignore[no-untyped-def]
    two_servers: tuple[str, str],
    method: str,
    path: str,
    what: dict[str, Any],
) -> None:
    url = two_servers[0]
    assert ask(hasty, url, method, path, **what) == 429
    assert ask(hasty.of_event(make_race().event_id), url, method, path, **what) == 403


def test_a_key_over_its_rate_is_told_first_what_is_wrong_with_its_request(
    hasty: Race, two_servers: tuple[str, str]
) -> None:
    url = two_servers[0]
    for path in ("/images", "/bibs/1", STORED, "/timeline/images", "/../../events"):
        assert ask(hasty, url, "GET", path, params={"page": 0}) == 422
    originals, faces = "/original-photos", "/faces"
    assert ask(hasty, url, "POST", originals, json=BY_BIB, params={"page": 0}) == 422
    assert ask(hasty, url, "POST", originals, json={"method": "bib"}) == 422
    for content in (b"{", b" " * 9000):
        assert ask(hasty, url, "POST", originals, content=content) == 400
    assert ask(hasty, url, "POST", faces, files={"other": b"x"}) == 422
    for selfie in (b"", b"no picture"):
        assert ask(hasty, url, "POST", faces, files={"file": selfie}) == 400
    for method in ("GET", "DELETE"):
        assert ask(hasty, url, method, "/faces/no-uuid") == 400


def test_a_key_over_its_rate_is_told_first_that_a_search_is_switched_off(
    hasty: Race, two_servers: tuple[str, str]
) -> None:
    hasty.set_event("bib_search", False)
    assert ask(hasty, two_servers[0], "GET", "/bibs/1") == 403
    assert ask(hasty, two_servers[0], "POST", "/original-photos", json=BY_BIB) == 403


def test_searching_by_selfie_has_a_stricter_limit(race: Race, two_servers: tuple[str, str]) -> None:
    def search(url: str) -> int:
        return httpx.post(
            f"{url}{race.base}/faces",
            headers={"X-API-Key": race.key},
            files={"file": encoded(gradient(), "JPEG")},
            timeout=60,
        ).status_code

    statuses = [search(two_servers[n % 2]) for n in range(SEARCHES + 2)]
    assert statuses == [200] * SEARCHES + [429] * 2
    assert ping(race, two_servers[1]).status_code == 200


def test_what_is_answered_from_what_is_stored_is_no_search(
    race: Race, two_servers: tuple[str, str]
) -> None:
    nobody = encoded(gradient(), "JPEG")

    def search(request_id: uuid.UUID) -> int:
        return httpx.post(
            f"{two_servers[0]}{race.base}/faces",
            headers={"X-API-Key": race.key},
            data={"request_id": str(request_id)},
            files={"file": nobody},
            timeout=60,
        ).status_code

    stored = uuid.uuid4()
    assert [search(stored) for _ in range(SEARCHES + 2)] == [200] * (SEARCHES + 2)
    statuses = [search(uuid.uuid4()) for _ in range(SEARCHES)]
    assert statuses == [200] * (SEARCHES - 1) + [429]


def test_a_key_over_its_rate_is_still_refused_when_switched_off(
    race: Race, two_servers: tuple[str, str]
) -> None:
    while ping(race, two_servers[0]).status_code == 200:
        pass
    race.execute("update api_key set active = false where org_id = %s", [race.org_id])
    assert ping(race, two_servers[0]).status_code == 403
    assert ping(race, two_servers[1]).status_code == 403


def test_tokens_come_back_with_time(race: Race, two_servers: tuple[str, str]) -> None:
    assert ping(race, two_servers[0]).status_code == 200
    race.execute(
        """update rate_bucket set tokens = 0.5, filled_at = now() - interval '15 seconds'
           where key_id = (select id from api_key where org_id = %s)""",
        [race.org_id],
    )
    assert ping(race, two_servers[0]).status_code == 200  # 0.5 + 15 s * 0.05
    assert ping(race, two_servers[1]).status_code == 429


def test_tokens_that_a_server_drew_ahead_go_back_and_never_let_through_more_than_a_burst(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(rates, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(rates, "AHEAD", 10 / SLOWLY.per_second)  # ten tokens

    async def act() -> None:
        nonlocal now
        async with open_pool(race.server.database, size=1) as pool:
            async with pool.connection() as connection:
                (key,) = await list_keys(connection, race.org_id)
            first, second = (RateLimiter(pool, {"request": SLOWLY}) for _ in range(2))
            for _ in range(BURST - 1):
                await first.spend(key.id, "request")
                now += 1  # what it holds is too old by now
            race.execute("update rate_bucket set tokens = %s where key_id = %s", [BURST, key.id])
            assert await _let_through(first, key.id) + await _let_through(second, key.id) == BURST

    run(act())


async def _let_through(server: RateLimiter, key_id: int) -> int:
    """How many requests at once, until one is refused."""
    for count in itertools.count():
        try:
            await server.spend(key_id, "request")
        except RateExceeded:
            return count
    raise AssertionError
