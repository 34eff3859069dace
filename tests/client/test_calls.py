"""The client's calls: pages, values, refusals, and trying again."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fotofinish.client import (
    Client,
    ConnectionFailed,
    Forbidden,
    InvalidCall,
    NotFound,
    RateLimited,
    ServerFailed,
    Unauthenticated,
)
from fotofinish.demo.portrait import portrait_path
from tests.api.conftest import START, Race
from tests.client.conftest import Fault, Proxy


@pytest.fixture(scope="session")
def selfie() -> Path:
    """Eileen Collins, NASA (public domain), as scikit-image ships her."""
    return portrait_path()


def test_lists_follow_their_pages(race: Race, connect: Any) -> None:
    ids = [race.add_photo("7") for _ in range(130)]
    api = connect(race)
    assert [str(image.image_id) for image in api.images(race.event_id)] == ids
    assert [str(image.image_id) for image in api.images_with_bib(race.event_id, "7")] == ids
    assert [o.filename for o in api.originals(race.event_id, bib="7")] == [
        f"{id}.jpg" for id in ids
    ]
    assert list(api.images_with_bib(race.event_id, "nobody/wears it")) == []


def test_answers_are_values_with_types(race: Race, connect: Any) -> None:
    race.add_photo("7", captured_at=START)
    api = connect(race)
    assert api.ping(race.event_id) is None
    (event,) = list(api.events())
    assert (event.event_id, event.name, event.status) == (race.event_id, "City Run", "active")
    assert event.starts_at == START.replace(tzinfo=None)
    assert api.details(race.event_id).selfie_search is True
    (day,) = api.timeline_days(race.event_id)
    assert (day.date, day.total) == (START.date(), 1)
    assert [(hour.hour, hour.count) for hour in day.hours] == [(START.hour, 1)]
    (image,) = list(api.timeline_images(race.event_id, START, START + timedelta(seconds=1)))
    assert (image.width, image.height) == (6000, 4000)
    assert image.thumbnail_url.startswith("http")


def test_originals_by_id_and_those_that_are_gone(race: Race, connect: Any) -> None:
    there, gone = race.add_photo(), race.add_photo()
    race.lose_original(gone)
    first, second = connect(race).originals(race.event_id, image_ids=[gone, there])
    assert (first.filename, first.error) == (f"{there}.jpg", None)
    assert (second.filename, second.url) == (f"{gone}.jpg", None)
    assert second.error
    assert "http" not in repr(first)


def test_refusals_are_exceptions_with_the_servers_words(race: Race, connect: Any) -> None:
    with pytest.raises(Forbidden, match="not valid"):
        connect(race, key="wrong-key").ping(race.event_id)
    with pytest.raises(Unauthenticated):
        connect(race, key="").ping(race.event_id)
    with pytest.raises(Forbidden, match="no such event"):
        connect(race).details(10**9)
    with pytest.raises(NotFound) as caught:
        connect(race).forget(race.event_id, uuid.uuid4())
    assert caught.value.status == 404
    with pytest.raises(InvalidCall, match="at most 64"):
        list(connect(race).originals(race.event_id, bib="x" * 65))


def test_a_key_as_it_stands_in_a_file_is_taken(race: Race, proxy: Proxy) -> None:
    with Client(proxy.url, key=f"{race.key}\n", org_id=race.org_id) as api:
        assert api.details(race.event_id).name == "City Run"
    for wrong in ("kéy", "two\nlines"):
        with pytest.raises(ValueError, match="no key has"):
            Client(proxy.url, key=wrong, org_id=race.org_id)


def test_the_key_is_nowhere_to_be_seen(race: Race, proxy: Proxy) -> None:
    with Client(proxy.url, key=race.key, org_id=race.org_id) as api:
        assert race.key not in repr(api)
        with pytest.raises(Forbidden) as caught:
            api.details(10**9)
    assert race.key not in repr(caught.value) + str(caught.value)


@pytest.mark.parametrize("status", [503, 429])
def test_what_fails_for_a_moment_is_tried_again(
    race: Race, connect: Any, proxy: Proxy, status: int
) -> None:
    proxy.faults += [Fault("/ping", status)] * 2
    connect(race).ping(race.event_id)
    assert len(proxy.asked("/ping")) == 3


def test_a_lost_connection_is_tried_again(race: Race, connect: Any, proxy: Proxy) -> None:
    proxy.faults.append(Fault("/details", cut_at=5))
    assert connect(race).details(race.event_id).name == "City Run"


def test_what_is_refused_is_not_tried_again(race: Race, connect: Any, proxy: Proxy) -> None:
    with pytest.raises(Forbidden):
        connect(race, key="wrong").ping(race.event_id)
    assert len(proxy.asked("/ping")) == 1


@pytest.mark.parametrize(("status", "kind"), [(503, ServerFailed), (429, RateLimited)])
def test_trying_comes_to_an_end(
    race: Race, connect: Any, proxy: Proxy, status: int, kind: type[Exception]
) -> None:
    proxy.faults += [Fault("/ping", status)] * 9
    with pytest.raises(kind):
        connect(race, attempts=3).ping(race.event_id)
    assert len(proxy.asked("/ping")) == 3


def test_the_servers_wish_for_a_pause_is_obeyed(
    race: Race, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    proxy.faults += [
        Fault("/ping", 429, {"Retry-After": "7"}),
        Fault("/ping", 503, {"Retry-After": "1000"}),
        Fault("/ping", 503),
    ]
    with Client(proxy.url, key=race.key, org_id=race.org_id) as api:
        api.ping(race.event_id)
    ours = [pause for pause in pauses if pause > 0.1]
    assert ours[:2] == [7, 60]
    assert 1 <= ours[2] <= 2


def test_nobody_there_is_said_in_plain_words(race: Race) -> None:
    with (
        Client("http://me:hunter2@127.0.0.1:9", key="k", org_id=1, attempts=1) as api,
        pytest.raises(ConnectionFailed) as caught,
    ):
        api.ping(1)
    assert str(caught.value) == "No answer from http://127.0.0.1:9 (ConnectError)."


def test_a_search_that_is_sent_twice_is_one_search(
    race: Race, connect: Any, proxy: Proxy, selfie: Path
) -> None:
    api = connect(race)
    proxy.faults.append(Fault("/faces", 503, forwarded=True))
    found = api.search(race.event_id, selfie)
    assert len(proxy.asked("/faces")) == 2
    assert found.total == 0
    assert found.threshold_percent > 0
    assert list(api.images_of_search(race.event_id, found.request_id)) == []
    assert list(api.originals(race.event_id, selfie=found.request_id)) == []
    api.forget(race.event_id, found.request_id)
    with pytest.raises(NotFound):  # one row: forgotten once, it is gone
        api.forget(race.event_id, found.request_id)


def test_forgetting_a_search_succeeds_though_the_answer_was_lost(
    race: Race, connect: Any, proxy: Proxy, selfie: Path
) -> None:
    api = connect(race)
    found = api.search(race.event_id, selfie)
    proxy.faults.append(Fault("/faces/", 503, forwarded=True))
    api.forget(race.event_id, found.request_id)
    with pytest.raises(NotFound):
        api.forget(race.event_id, found.request_id)


def test_a_search_keeps_the_id_it_was_given(race: Race, connect: Any, selfie: Path) -> None:
    mine = uuid.uuid4()
    api = connect(race)
    assert api.search(race.event_id, selfie.read_bytes(), request_id=mine).request_id == mine
    assert api.search(race.event_id, b"not read", request_id=mine).request_id == mine


def test_wrong_use_is_said_at_once(race: Race, connect: Any) -> None:
    with pytest.raises(ValueError, match="http"):
        Client("photos.example.org", key="k", org_id=1)
    with pytest.raises(ValueError, match="one of bib"):
        list(connect(race).originals(race.event_id))
    with pytest.raises(ValueError, match="one of bib"):
        list(connect(race).originals(race.event_id, bib="1", selfie=uuid.uuid4()))
    naive = datetime(2026, 1, 1)
    with pytest.raises(ValueError, match="time zone"):
        list(connect(race).timeline_images(race.event_id, naive, datetime.now(UTC)))
