"""Events, images, bibs and timeline: what is listed, in what order, and how many."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from fotofinish.photos import gallery
from tests.api.conftest import START, Race


def data(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["responseType"] == "success"
    return body["data"]


def ids(response: httpx.Response) -> list[str]:
    return [image["image_id"] for image in data(response)["images"]]


def total(response: httpx.Response) -> int:
    return data(response)["pagination"]["total"]


def test_ping_says_where_the_key_reaches(race: Race) -> None:
    assert race.get("/ping").json() == {
        "status": "ok",
        "org_id": race.org_id,
        "event_id": race.event_id,
    }


def test_details_show_the_event_and_its_switches(race: Race) -> None:
    race.set_event("selfie_search", False)
    race.set_event("event_enabled", False)
    details = race.get("/details").json()
    assert details.pop("event_slug").startswith("city-run")
    assert details == {
        "event_id": race.event_id,
        "event_name": "City Run",
        "event_date": "2026-01-19T06:00:00",
        "status": "active",
        "event_enabled": False,
        "bib_search": True,
        "selfie_search": False,
        "name_search": False,
    }


def test_events_of_the_organisation_alone_are_listed(race: Race, make_race: Any) -> None:
    second = make_race(race)
    make_race()
    race.add_photo()
    url = f"/api/v1/ext/{race.org_id}/events"
    answer = race.client.get(url, headers={"X-API-Key": race.key})
    assert answer.json()["message"] == "Records for events"
    listed = data(answer)["events"]
    assert [event["event_id"] for event in listed] == [second.event_id, race.event_id]
    assert listed[0].keys() == {
        "event_id", "event_name", "event_slug", "event_date", "status", "cover_image",
    }  # fmt: skip
    assert listed[0]["cover_image"] is None
    assert f"/imgs/{race.event_id}/medium/" in listed[1]["cover_image"]
    assert data(answer)["pagination"]["page_size"] == 10
    one = race.client.get(url, params={"page": 2, "page_size": 1}, headers={"X-API-Key": race.key})
    assert [event["event_id"] for event in data(one)["events"]] == [race.event_id]


def test_images_are_ordered_by_time_and_page_through_to_those_without(race: Race) -> None:
    timeless = sorted(race.add_photo(captured_at=None) for _ in range(7))
    timed = [race.add_photo(captured_at=START + timedelta(seconds=37 * n)) for n in range(9)]
    race.add_photo(hidden=True)
    race.add_photo(state="waiting")
    expected = timed + timeless
    for size in (1, 3, 5, 100):
        found = []
        for page in range(1, 18):
            answer = race.get("/images", page=page, page_size=size)
            assert total(answer) == 16
            found += ids(answer)
        assert found == expected
    assert race.get("/images").json()["message"] == "Records for all images"


def test_an_image_shows_size_and_links_to_previews_never_the_original(race: Race) -> None:
    photo = race.add_photo()
    (image,) = data(race.get("/images"))["images"]
    assert f"/imgs/{race.event_id}/medium/{photo}.webp?version=1&" in image.pop("img_url")
    assert f"/imgs/{race.event_id}/small/{photo}.webp?version=1&" in image.pop("thumbnail_url")
    assert image == {"height": 4000, "width": 6000, "image_id": photo, "original_url": None}


def test_links_to_previews_stay_the_same_so_that_they_can_be_cached(race: Race) -> None:
    race.add_photo()
    assert race.get("/images").json() == race.get("/images").json()


def test_an_empty_event_lists_nothing(race: Race) -> None:
    answer = race.get("/images", page=3)
    assert answer.json()["message"] == "No images found"
    assert data(answer) == {
        "images": [],
        "pagination": {
            "total": 0,
            "currentPage": 3,
            "totalPages": 0,
            "hasNextPage": False,
            "hasPreviousPage": False,
            "page_size": 32,
        },
    }
    assert race.get("/timeline/days").json()["message"] == "No timeline data"
    assert data(race.get("/timeline/days")) == {"days": []}


def test_totals_follow_every_change_of_photos(race: Race) -> None:
    first, second = race.add_photo(), race.add_photo(captured_at=None)
    race.add_photo()

    def change(what: str, photo: str) -> int:
        race.execute(what, [photo])  # type: ignore[arg-type]
        answer = race.get("/images", page_size=100)
        assert total(answer) == len(ids(answer))
        return total(answer)

    assert change("update photo set hidden = true where id = %s", first) == 2
    assert change("update photo set hidden = false where id = %s", first) == 3
    assert change("update photo set state = 'processing' where id = %s", second) == 3
    assert change("update photo set width = null, height = null where id = %s", second) == 2
    read = "update photo set state = 'ready', width = 6, height = 4, captured_at = now()"
    assert change(f"{read} where id = %s", second) == 3
    assert change("update photo set captured_at = null where id = %s", first) == 3
    assert change("delete from photo where id = %s", first) == 2
    race.execute("delete from event where id = %s", [race.event_id])


def test_photos_that_are_read_again_stay_in_every_list(race: Race) -> None:
    photos = [race.add_photo("7") for _ in range(2)]
    race.execute("update photo set state = 'waiting' where event_id = %s", [race.event_id])
    for answer in (
        race.get("/images"),
        race.get("/bibs/7"),
        race.get("/timeline/images", **{"from": 0, "to": 2**31}),
    ):
        assert ids(answer) == photos
    assert data(race.get("/timeline/days"))["days"][0]["total"] == 2


def test_totals_are_right_when_many_writers_meet_in_one_minute(race: Race) -> None:
    photos = [race.add_photo(captured_at=START, state="waiting") for _ in range(40)]

    def finish(mine: list[str]) -> None:
        with psycopg.connect(race.server.database.dsn, autocommit=True) as connection:
            for photo in mine:
                with connection.transaction():
                    connection.execute(
                        "update photo set state = 'ready', width = 6, height = 4 where id = %s",
                        [photo],
                    )

    writers = [threading.Thread(target=finish, args=(photos[n::8],)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert total(race.get("/images")) == 40


def test_images_of_a_bib(race: Race) -> None:
    first, second = race.add_photo("a7"), race.add_photo("A7", "8")
    race.execute("update bib_tag set bib = upper(bib) where photo_id = %s", [first])
    answer = race.get("/bibs/ a7")
    assert answer.json()["message"] == "Records for bib number  a7"
    assert ids(answer) == [first, second]
    assert ids(race.get("/bibs/A7", page=2, page_size=1)) == [second]
    nobody = race.get("/bibs/99")
    assert (nobody.json()["message"], ids(nobody)) == ("No images found", [])


def test_a_slash_of_a_bib_is_written_as_its_code_and_any_other_makes_another_address(
    race: Race,
) -> None:
    relay = race.add_photo("1234", "12/1", "1234/")
    for written in ("1234", "12%2F1", "12%2f1"):
        assert ids(race.get(f"/bibs/{written}")) == [relay]
    for path in ("/bibs/1234/", "/bibs/12/1", "/bibs//1234", "/bibs/1234//", "/bibs/1234/images"):
        answer = race.with_key(None).get(path)
        assert (answer.status_code, answer.json()["responseType"]) == (404, "error")


@pytest.mark.parametrize(
    "bib", ["%00", "%F0%9F%8F%83", "12%2F1", "%FF", "..%2F..", "%20", "%0A", "1%0A2"]
)
def test_odd_bibs_find_nothing_and_break_nothing(race: Race, bib: str) -> None:
    race.add_photo("1")
    assert total(race.get(f"/bibs/{bib}")) == 0


def test_a_bib_longer_than_any_is_refused(race: Race) -> None:
    answer = race.get(f"/bibs/{'1' * 65}")
    assert answer.status_code == 422
    assert answer.json()["message"] == "path.bib: String should have at most 64 characters"


def test_days_and_hours_are_counted_in_utc(race: Race) -> None:
    for at in (START, START + timedelta(minutes=59), START + timedelta(hours=3), None):
        race.add_photo(captured_at=at)
    race.add_photo(captured_at=START - timedelta(days=1, hours=6, seconds=1))
    answer = race.get("/timeline/days")
    assert answer.json()["message"] == "Timeline buckets"
    assert data(answer)["days"] == [
        {"date": "2026-01-17", "total": 1, "hours": [{"hour": 23, "count": 1}]},
        {
            "date": "2026-01-19",
            "total": 3,
            "hours": [{"hour": 6, "count": 2}, {"hour": 9, "count": 1}],
        },
    ]


def test_a_span_of_time_is_half_open_and_pages(race: Race) -> None:
    at = int(START.timestamp())
    photos = [race.add_photo(captured_at=START + timedelta(seconds=10 * n)) for n in range(30)]
    race.add_photo(captured_at=None)

    def between(start: int, end: int, **params: object) -> httpx.Response:
        return race.get("/timeline/images", **{"from": at + start, "to": at + end}, **params)

    assert ids(between(0, 20)) == photos[:2]
    assert ids(between(10, 21)) == photos[1:3]
    middle = between(50, 210, page=2, page_size=7)
    assert ids(middle) == photos[12:19]
    assert total(middle) == 16
    assert ids(between(50, 210, page=3, page_size=7)) == photos[19:21]
    assert ids(between(50, 210, page=4, page_size=7)) == []
    assert total(between(-1000, 10**9)) == 30
    for start, end in ((500, 600), (20, 10), (5, 5)):
        nothing = between(start, end)
        assert (total(nothing), nothing.json()["message"]) == (0, "No images found")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "query.from: Field required; query.to: Field required"),
        ("from=1&to=x", "query.to: Input should be a valid integer, unable to parse string as an "
         "integer"),
        ("from=-5&to=1", "query.from: Input should be greater than or equal to 0"),
        (f"from=0&to={10**40}", "query.to: Input should be less than or equal to 253402300799"),
        ("from=0&to=1&page=0", "query.page: Input should be greater than or equal to 1"),
    ],
)  # fmt: skip
def test_a_span_that_is_none_is_refused(race: Race, query: str, message: str) -> None:
    answer = race.client.get(
        f"{race.base}/timeline/images?{query}", headers={"X-API-Key": race.key}
    )
    assert (answer.status_code, answer.json()["message"]) == (422, message)


def test_photos_that_come_meanwhile_move_none_out_of_its_span(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [race.add_photo(captured_at=START + timedelta(minutes=n)) for n in range(8)]
    read_page = gallery._page

    async def read_late(*given: Any) -> gallery.ImagePage:
        race.add_photo(captured_at=START)
        return await read_page(*given)

    monkeypatch.setattr(gallery, "_page", read_late)
    at = int(START.timestamp())
    span = {"from": at + 5 * 60, "to": at + 8 * 60}
    assert ids(race.get("/timeline/images", **span)) == photos[5:]


def test_the_ends_of_the_calendar_are_no_crash(race: Race) -> None:
    assert total(race.get("/timeline/images", **{"from": 0, "to": 253402300799})) == 0


def test_switched_off_searches_are_refused_and_lists_are_not(race: Race) -> None:
    race.set_event("bib_search", False)
    assert race.get("/bibs/1").status_code == 403
    assert race.get("/timeline/days").status_code == 200
    race.set_event("bib_search", True)
    race.set_event("event_enabled", False)
    for path in ("/bibs/1", "/timeline/days", "/timeline/images"):
        assert race.get(path).status_code == 403
    assert race.get("/images").status_code == 200
    assert race.get("/ping").status_code == 200
