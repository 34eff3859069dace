"""“Remove this photo of me”: asked in the gallery, answered in the dashboard."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from tests.dashboard.conftest import (
    Office,
    SignedIn,
    address,
    browser,
    context,
    office,
    office_folder,
    page,
    storage_url,
)
from tests.running import wait_until

__all__ = ["address", "browser", "context", "office", "office_folder", "page", "storage_url"]


@pytest.fixture
def photo(office: Office) -> uuid.UUID:
    """A photo that everybody sees, with a bib."""
    return office.add_photo("ready", "12")


@pytest.fixture
def participant(office: Office) -> Iterator[httpx.Client]:
    """Somebody without an account, whose browser sends what browsers send."""
    with httpx.Client(base_url=office.url, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        yield client


def slug(office: Office) -> str:
    ((found,),) = office.execute("select slug from event where id = %s", office.event_id)
    return str(found)


def ask(
    participant: httpx.Client, office: Office, photo: uuid.UUID, **fields: str
) -> httpx.Response:
    return participant.post(f"/e/{slug(office)}/photo/{photo}/remove", data=fields)


def answer(office: Office, owner: SignedIn, what: str) -> httpx.Response:
    ((number,),) = office.execute(
        "select min(id) from removal_request where event_id = %s and state = 'open'",
        office.event_id,
    )
    return owner.send(f"/events/{office.event_id}/removals", removal=number, do=what)


def test_a_request_reaches_the_dashboard_with_its_words(
    participant: httpx.Client, office: Office, photo: uuid.UUID
) -> None:
    asked = ask(participant, office, photo, message="I fell <b>here</b>", contact="me@example.org")
    assert asked.status_code == 303
    thanks = participant.get(asked.headers["location"])
    assert "The organiser has your request" in thanks.text
    owner = office.client(office.owner)
    assert "1 request to remove a photo" in owner.http.get(f"/events/{office.event_id}/photos").text
    listed = owner.http.get(f"/events/{office.event_id}/removals").text
    assert "I fell &lt;b&gt;here&lt;/b&gt;" in listed
    assert "me@example.org" in listed


def test_hiding_the_photo_takes_it_out_of_every_search(
    participant: httpx.Client, office: Office, photo: uuid.UUID
) -> None:
    for _ in range(2):
        ask(participant, office, photo)
    owner = office.client(office.owner)
    answer(office, owner, "hide")
    assert participant.get(f"/e/{slug(office)}/photo/{photo}").status_code == 404
    assert office.execute("select visible from bib_tag where photo_id = %s", photo) == [(False,)]
    assert "No requests" in owner.http.get(f"/events/{office.event_id}/removals").text
    assert ask(participant, office, photo).status_code == 404


def test_a_kept_photo_stays_and_its_requests_are_answered(
    participant: httpx.Client, office: Office, photo: uuid.UUID
) -> None:
    ask(participant, office, photo)
    owner = office.client(office.owner)
    answer(office, owner, "keep")
    assert participant.get(f"/e/{slug(office)}/photo/{photo}").status_code == 200
    assert "No requests" in owner.http.get(f"/events/{office.event_id}/removals").text


@pytest.mark.parametrize("what", ["hide", "keep"])
def test_an_answer_while_the_photo_is_deleted_is_late_and_stops_nothing(
    participant: httpx.Client, office: Office, photo: uuid.UUID, what: str
) -> None:
    ask(participant, office, photo)
    owner = office.client(office.owner)
    waits = """select count(*) from pg_stat_activity
               where datname = current_database() and wait_event_type = 'Lock'"""
    with (
        ThreadPoolExecutor(1) as executor,
        psycopg.connect(office.database.dsn) as deletion,
    ):
        deletion.execute("select 1 from photo where id = %s for update", [photo])
        answered = executor.submit(answer, office, owner, what)
        wait_until(lambda: office.execute(waits) != [(0,)], patience=20)
        deletion.execute("delete from photo where id = %s", [photo])
        deletion.commit()
    assert answered.result().status_code == 404


def test_a_flood_of_requests_is_held_back(
    participant: httpx.Client, office: Office, photo: uuid.UUID
) -> None:
    asked = []
    while not asked or asked[-1].status_code == 303:
        assert len(asked) < 60
        asked.append(ask(participant, office, photo))
    assert len(asked) > 15, "who asks for many photos of himself is no flood"
    assert asked[-1].status_code == 429
    assert "many requests" in asked[-1].text
    ((kept,),) = office.execute("select count(*) from removal_request where photo_id = %s", photo)
    assert 1 <= kept <= 5


def test_what_is_no_request_is_refused(
    participant: httpx.Client, office: Office, photo: uuid.UUID
) -> None:
    assert ask(participant, office, uuid.uuid4()).status_code == 404
    assert ask(participant, office, photo, message="x" * 1001).status_code == 422
    assert ask(participant, office, photo, message="x" * 20_000).status_code == 413
    participant.headers["Sec-Fetch-Site"] = "cross-site"
    assert ask(participant, office, photo).status_code == 403


def test_viewers_read_requests_and_do_not_answer(
    participant: httpx.Client, office: Office, photo: uuid.UUID
) -> None:
    ask(participant, office, photo)
    viewer = office.client(office.person("viewer"))
    assert viewer.http.get(f"/events/{office.event_id}/removals").status_code == 200
    assert answer(office, viewer, "hide").status_code == 403
    owner = office.client(office.owner)
    assert (
        owner.send(
            f"/events/{office.event_id}/removals", removal="999999999", do="hide"
        ).status_code
        == 404
    )
    assert answer(office, owner, "burn").status_code == 400


def test_a_request_for_a_photo_that_is_just_being_deleted_is_told_so(
    participant: httpx.Client, office: Office, photo: uuid.UUID
) -> None:
    with psycopg.connect(office.database.dsn) as connection, ThreadPoolExecutor(1) as executor:
        connection.execute("delete from photo where id = %s", [photo])
        asked = executor.submit(ask, participant, office, photo)
        time.sleep(0.5)
        connection.commit()
        assert asked.result().status_code == 404
