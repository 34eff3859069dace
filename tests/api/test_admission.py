"""Who may call: the checks, their order, and that a stranger learns nothing."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
import psycopg
import pytest

from fotofinish.database.connection import open_connection
from fotofinish.organisations.keys import delete_key, list_keys, set_key_active
from tests.api.conftest import Race
from tests.loops import run

BAD_BODY = {"method": "nonsense"}


def call(race: Race, key: str | bytes | None, body: object = BAD_BODY) -> httpx.Response:
    headers: Any = [] if key is None else [("X-API-Key", key)]
    return race.client.post(
        f"{race.base}/original-photos", params={"page": 0}, json=body, headers=headers
    )


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_nobody_gets_in(race: Race, key: str | None) -> None:
    answer = call(race, key)
    assert answer.status_code == 401
    assert answer.json() == {
        "responseType": "error",
        "message": "Send your API key in the header X-API-Key.",
        "data": None,
    }


@pytest.mark.parametrize("key", ["wrong", b"\xff\xfe\x80", "é".encode(), "x" * 5000, "' or 1=1 --"])
def test_an_unknown_key_is_refused_whatever_it_looks_like(race: Race, key: str | bytes) -> None:
    assert call(race, key).status_code == 403


def test_a_key_that_is_switched_off_or_deleted_is_refused_at_once(race: Race) -> None:
    async def change(kind: str) -> None:
        async with open_connection(race.server.database) as connection:
            (key,) = await list_keys(connection, race.org_id)
            if kind == "delete":
                await delete_key(connection, race.org_id, key.id)
            else:
                await set_key_active(connection, race.org_id, key.id, active=kind == "on")

    good = {"method": "bib", "identifier": "1"}
    assert race.originals(good).status_code == 200
    for kind, status in (("off", 403), ("on", 200), ("delete", 403)):
        run(change(kind))
        assert race.originals(good).status_code == status, kind


def test_another_organisation_is_refused_whether_it_exists_or_not(
    race: Race, make_race: Any
) -> None:
    other = make_race()
    answers = [
        call(race.of_org(org), race.key)
        for org in (other.org_id, 10**15, 0, -1, "abc", 2**63, 10**30, "%00", "１")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1


def test_foreign_and_unknown_events_answer_with_the_same_body(race: Race, make_race: Any) -> None:
    other = make_race()
    answers = [
        call(race.of_event(event), race.key)
        for event in (other.event_id, 10**15, 0, -1, 2**63, 10**30)
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize("event", ["abc", "1.5", "%00", "１", "%FF"])
def test_an_event_id_that_is_no_number_is_422_for_the_owner_and_403_for_strangers(
    race: Race, event: str
) -> None:
    owner = call(race.of_event(event), race.key)
    assert owner.status_code == 422
    assert owner.json()["message"] == "path.event_id: Input should be a positive integer"
    assert call(race.of_event(event), "wrong").status_code == 403
    assert call(race.of_event(event), None).status_code == 401


def test_a_key_reaches_every_event_of_its_organisation(race: Race, make_race: Any) -> None:
    second = make_race(race)
    assert second.originals({"method": "bib", "identifier": "1"}).status_code == 200


def test_the_same_number_on_two_events_stays_apart(race: Race, make_race: Any) -> None:
    other = make_race()
    mine, theirs = race.add_photo("1"), other.add_photo("1")
    assert [link["filename"] for link in race.by_bib("1")["presigned_urls"]] == [f"{mine}.jpg"]
    assert [link["filename"] for link in other.by_bib("1")["presigned_urls"]] == [f"{theirs}.jpg"]


def test_the_last_use_of_a_key_is_noted_at_most_once_a_minute(race: Race) -> None:
    def last_used() -> Any:
        with psycopg.connect(race.server.database.dsn) as connection:
            row = connection.execute(
                "select last_used_at from api_key where org_id = %s", [race.org_id]
            ).fetchone()
            return row[0] if row else None

    assert last_used() is None
    race.by_bib("1")
    deadline = time.monotonic() + 5
    while (first := last_used()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert first is not None
    race.by_bib("1")
    time.sleep(0.2)
    assert last_used() == first


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/ext/1/event/1/nothing", 404),
        ("GET", "/api/v1/ext/1/event/1/original-photos", 405),
        ("DELETE", "/api/v1/ext/1/event/1/original-photos", 405),
        ("POST", "/api/v1/ext/1/event/1/original-photos/", 404),
        ("POST", "/api/v1/ext/1/event//original-photos", 404),
        ("GET", f"/files/imgs/1/large/{uuid.UUID(int=1)}.jpg", 403),
    ],
)
def test_errors_of_the_routing_have_the_one_body_too(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json().keys() == {"responseType", "message", "data"}
    assert answer.json()["responseType"] == "error"
    assert answer.headers["content-type"] == "application/json"
