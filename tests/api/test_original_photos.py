"""`original-photos`: the right originals, in order, with links that hold."""

from __future__ import annotations

import hashlib
import re
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import httpx
import pytest

from fotofinish.bibs.listed import StartList
from fotofinish.bibs.numbers import normalise_bib
from fotofinish.web import bodies
from tests.api.conftest import START, Race


def filenames(answer: dict) -> list[str]:
    return [link["filename"] for link in answer["presigned_urls"]]


def test_the_answer_has_exactly_the_documented_form(race: Race) -> None:
    photo_id = race.add_photo("123")
    answer = race.by_bib("123")
    (link,) = answer.pop("presigned_urls")
    assert link.keys() == {"url", "filename"}
    assert link["filename"] == f"{photo_id}.jpg"
    assert answer == {
        "failed_urls": [],
        "total_images": 1,
        "successful_count": 1,
        "failed_count": 0,
        "identifier": "123",
        "message": None,
        "pagination": {
            "total": 1,
            "currentPage": 1,
            "totalPages": 1,
            "hasNextPage": False,
            "hasPreviousPage": False,
            "page_size": 30,
        },
    }


@pytest.mark.parametrize(
    ("listed", "worn", "typed", "found"),
    [
        (["7", "1234"], "7", "0007", True),
        (["7", "1234"], "7", "007", False),
        (["7", "0007", "1234"], "7", "0007", False),
        (["7", "1234", "01"], "7", "0007", False),
        (["A12", "B1"], "A12", " a-12", True),
        (["A-12", "B1"], "A-12", "A 12", True),
        (["A12", "A-12"], "A12", "A-12", False),
        (["A12", "A-12"], "A12", "A 12", False),
        ([], "7", "0007", False),
    ],
    ids=[
        "zeros", "too few zeros", "listed with zeros", "another has a zero", "hyphen more",
        "hyphen less", "listed with hyphen", "either of two", "no list",
    ],
)  # fmt: skip
def test_a_bib_is_found_as_it_is_printed_where_the_start_list_writes_it_otherwise(
    race: Race, listed: list[str], worn: str, typed: str, found: bool
) -> None:
    photo = race.add_photo(worn)
    race.execute(
        "insert into startlist_entry (event_id, bib) select %s, unnest(%s::text[])",
        [race.event_id, listed],
    )
    answer = race.by_bib(typed)
    assert filenames(answer) == ([f"{photo}.jpg"] if found else [])
    assert answer["identifier"] == typed
    assert race.get(f"/bibs/{typed}").json()["data"]["pagination"]["total"] == int(found)
    assert StartList(listed).written(normalise_bib(typed)) == (
        worn if found else typed if typed in listed else None
    )


def test_a_link_gives_the_original_bytes_to_anybody_and_says_how_to_save_them(race: Race) -> None:
    original = bytes(range(256)) * 40
    photo_id = race.add_photo("7", data=original)
    url = race.by_bib("7")["presigned_urls"][0]["url"]
    answer = httpx.get(url)
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(original).digest()
    assert answer.headers["content-type"] == "image/jpeg"
    assert f'filename="{photo_id}.jpg"' in answer.headers["content-disposition"]
    part = httpx.get(url, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, original[5:10])


def test_a_client_that_holds_the_original_does_not_get_it_again(race: Race) -> None:
    race.add_photo("8")
    url = race.by_bib("8")["presigned_urls"][0]["url"]
    etag = httpx.get(url).headers["etag"]
    for held in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        assert httpx.get(url, headers={"If-None-Match": held}).status_code == 304
    assert httpx.get(url, headers={"If-None-Match": '"another"'}).status_code == 200


def test_changing_any_character_of_a_link_makes_it_answer_403(race: Race) -> None:
    race.add_photo("7")
    url = race.by_bib("7")["presigned_urls"][0]["url"]
    target = url.removeprefix(race.server.url)
    for at in (*range(1, len("/files/")), *range(len("/files/"), len(target), 3)):
        other = "0" if target[at] != "0" else "1"
        answer = httpx.get(f"{race.server.url}{target[:at]}{other}{target[at + 1 :]}")
        assert answer.status_code == 403, other
        assert answer.json()["responseType"] == "error"


def test_photos_come_by_capture_time_then_id_and_those_without_time_last(race: Race) -> None:
    late = race.add_photo("5", captured_at=START + timedelta(hours=1))
    timeless = sorted(race.add_photo("5", captured_at=None) for _ in range(3))
    same = sorted(race.add_photo("5", captured_at=START) for _ in range(4))
    expected = [f"{id}.jpg" for id in [*same, late, *timeless]]
    assert filenames(race.by_bib("5")) == expected
    pages = [filenames(race.by_bib("5", page=page, page_size=3)) for page in (1, 2, 3)]
    assert pages == [expected[:3], expected[3:6], expected[6:]]


def test_pages_say_where_they_stand(race: Race) -> None:
    for _ in range(5):
        race.add_photo("9")
    middle = race.by_bib("9", page=2, page_size=2)
    assert middle["total_images"] == 2
    assert middle["pagination"] == {
        "total": 5,
        "currentPage": 2,
        "totalPages": 3,
        "hasNextPage": True,
        "hasPreviousPage": True,
        "page_size": 2,
    }
    beyond = race.by_bib("9", page=9_007_199_254_740_991, page_size=60)
    assert (beyond["presigned_urls"], beyond["total_images"], beyond["message"]) == ([], 0, None)
    assert beyond["pagination"]["total"] == 5
    assert beyond["pagination"]["hasNextPage"] is False


@pytest.mark.parametrize("bib", ["nobody", "0123", "123\0", "'; drop table photo; --", "  "])
def test_a_bib_nobody_wears_finds_nothing_and_says_so(race: Race, bib: str) -> None:
    race.add_photo("123")
    answer = race.by_bib(bib)
    assert answer["presigned_urls"] == answer["failed_urls"] == []
    assert answer["total_images"] == answer["successful_count"] == answer["failed_count"] == 0
    assert answer["pagination"]["total"] == answer["pagination"]["totalPages"] == 0
    assert answer["message"] == f"No images found for bib {bib}"
    assert answer["identifier"] == bib


@pytest.mark.parametrize("written", ["a12", " A12", "A12\t", "\n a12 ", "Ａ１２", "\u3000a１2"])
def test_bibs_match_without_regard_to_case_width_and_surrounding_space(
    race: Race, written: str
) -> None:
    race.add_photo("A12")
    answer = race.by_bib(written)
    assert answer["total_images"] == 1
    assert answer["identifier"] == written
    listed = race.get(f"/bibs/{quote(written)}").json()
    assert listed["data"]["pagination"]["total"] == 1
    assert listed["message"] == f"Records for bib number {written}"


def test_leading_zeros_make_another_bib(race: Race) -> None:
    one, other = race.add_photo("7"), race.add_photo("007")
    assert filenames(race.by_bib("7")) == [f"{one}.jpg"]
    assert filenames(race.by_bib("007")) == [f"{other}.jpg"]


def test_hidden_photos_are_not_given_out(race: Race) -> None:
    hidden = race.add_photo("3", hidden=True)
    assert race.by_bib("3")["pagination"]["total"] == 0
    answer = race.originals({"method": "image_id", "identifier": hidden})
    assert answer.status_code == 400


def test_a_lost_original_fails_alone(race: Race) -> None:
    kept, lost = race.add_photo("4"), race.add_photo("4")
    race.lose_original(lost)
    answer = race.by_bib("4")
    assert filenames(answer) == [f"{kept}.jpg"]
    assert answer["failed_urls"] == [
        {
            "image_id": lost,
            "error": "original is missing from storage",
            "path": f"imgs/{race.event_id}/large/{lost}.jpg",
        }
    ]
    assert (answer["total_images"], answer["successful_count"], answer["failed_count"]) == (2, 1, 1)
    assert answer["pagination"]["total"] == 2
    assert answer["message"] is None


def test_unknown_and_expired_selfies_answer_alike(race: Race) -> None:
    photo, expired, live = race.add_photo(), uuid.uuid4(), uuid.uuid4()
    for selfie, days in ((expired, -1), (live, 1)):
        race.execute(
            """insert into selfie (event_id, id, model, threshold, expires_at)
               values (%s, %s, 'sface', 0.4, now() + make_interval(days => %s))""",
            [race.event_id, selfie, days],
        )
        race.execute(
            """insert into selfie_match (event_id, selfie_id, photo_id, score, extension)
               values (%s, %s, %s, 0.9, 'jpg')""",
            [race.event_id, selfie, photo],
        )
    for selfie in (live, str(live).upper()):
        found = race.originals({"method": "selfie", "identifier": str(selfie)}).json()
        assert filenames(found) == [f"{photo}.jpg"]
        assert found["identifier"] == str(selfie)
    for selfie in (expired, uuid.uuid4()):
        response = race.originals({"method": "selfie", "identifier": str(selfie)})
        assert response.status_code == 200
        assert response.json()["pagination"]["total"] == 0
        assert response.json()["message"] == f"No images found for selfie {selfie}"


def test_a_selfie_identifier_that_is_no_uuid_is_refused(race: Race) -> None:
    for written in ("me", "1", str(uuid.uuid4()).replace("-", "")):
        answer = race.originals({"method": "selfie", "identifier": written})
        assert answer.status_code == 400


def test_image_ids_come_in_the_order_asked_for_without_duplicates(race: Race) -> None:
    ids = [race.add_photo() for _ in range(5)]
    asked = [ids[3], ids[0], ids[3].upper(), ids[4], ids[1]]
    answer = race.originals({"method": "image_ids", "identifier": asked}, page_size=3).json()
    assert filenames(answer) == [f"{id}.jpg" for id in (ids[3], ids[0], ids[4])]
    assert answer["identifier"] is None
    assert answer["pagination"]["total"] == 4
    rest = race.originals({"method": "image_ids", "identifier": asked}, page_size=3, page=2).json()
    assert filenames(rest) == [f"{ids[1]}.jpg"]


def test_foreign_and_unknown_image_ids_fail_alike(race: Race, make_race) -> None:  # type: ignore[no-untyped-def]
    own, foreign, unknown = race.add_photo(), make_race().add_photo(), str(uuid.uuid4())
    asked = [foreign, own, unknown]
    answer = race.originals({"method": "image_ids", "identifier": asked}).json()
    assert filenames(answer) == [f"{own}.jpg"]
    assert answer["failed_urls"] == [
        {"image_id": id, "error": "no such photo in this event", "path": None}
        for id in (foreign, unknown)
    ]
    assert answer["total_images"] == 3
    refused = [
        race.originals({"method": "image_id", "identifier": id}) for id in (foreign, unknown)
    ]
    assert [r.status_code for r in refused] == [400, 400]
    assert refused[0].text == refused[1].text


def test_image_ids_follow_no_search_switch(race: Race) -> None:
    photo = race.add_photo("1")
    for switch in ("bib_search", "selfie_search"):
        race.set_event(switch, False)
    answer = race.originals({"method": "image_id", "identifier": photo}).json()
    assert filenames(answer) == [f"{photo}.jpg"]
    assert answer["identifier"] == photo


def test_a_switched_off_search_is_refused_before_the_rest_of_the_body_is_looked_at(
    race: Race,
) -> None:
    race.set_event("bib_search", False)
    assert race.originals({"method": "bib", "identifier": "1"}).status_code == 403
    assert race.originals({"method": "bib"}, page=0).status_code == 403
    assert race.originals({"method": "selfie", "identifier": str(uuid.uuid4())}).status_code == 200
    race.set_event("event_enabled", False)
    assert race.originals({"method": "selfie", "identifier": str(uuid.uuid4())}).status_code == 403


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"method": "face", "identifier": "1"}, "body.method: Input should be 'bib' or 'selfie'"),
        ({}, "body.method: Field required; body.identifier: Field required"),
        ({"method": "bib"}, "body.identifier: Field required"),
        ({"method": "bib", "identifier": 7}, "body.identifier: Input should be a valid string"),
        (
            {"method": "bib", "identifier": ""},
            "body.identifier: String should have at least 1 character",
        ),
        (
            {"method": "bib", "identifier": "x" * 65},
            "body.identifier: String should have at most 64 characters",
        ),
        (
            {"method": "image_id", "identifier": "7"},
            "body.identifier: Input should be a valid UUID",
        ),
        (
            {"method": "image_ids", "identifier": ["7"]},
            "body.identifier.0: Input should be a valid UUID",
        ),
        (
            {"method": "image_ids", "identifier": []},
            "body.identifier: List should have at least 1 item after validation, not 0",
        ),
        ({"method": ["bib"], "identifier": "1"}, "body.method: Input should be 'bib' or 'selfie'"),
        ([], "body: Input should be an object"),
        (None, "body: Input should be an object"),
    ],
)
def test_a_body_of_the_wrong_shape_is_told_field_by_field(
    race: Race, body: object, message: str
) -> None:
    response = race.originals(body)
    assert response.status_code == 422
    assert response.json() == {"responseType": "error", "message": message, "data": None}


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=1.0", "page=%2B1", "page=+1", "page=1%20", "page=%EF%BC%91",
     "page=", "page=a", "page=1&page=2", "page_size=0", "page_size=61", "page=1_0",
     f"page={10**30}", f"page={'9' * 5000}"],
)  # fmt: skip
def test_pages_out_of_range_are_refused(race: Race, query: str) -> None:
    response = race.client.post(
        f"{race.base}/original-photos?{query}",
        json={"method": "bib", "identifier": "1"},
        headers={"X-API-Key": race.key},
    )
    assert response.status_code == 422
    assert response.json()["message"].startswith(f"query.{query.partition('=')[0]}: Input should")


def test_faults_of_query_and_body_are_told_together(race: Race) -> None:
    response = race.originals({"method": "bib"}, page=0)
    assert response.json()["message"] == (
        "query.page: Input should be greater than or equal to 1; body.identifier: Field required"
    )


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"method=bib", b'{"method": "bib", "identifier": "\\ud800"}', b"\xff\xfe", b"NaN",
     b"[" * 5000],
)  # fmt: skip
def test_what_is_no_json_is_400(race: Race, body: bytes) -> None:
    response = race.client.post(
        f"{race.base}/original-photos", content=body, headers={"X-API-Key": race.key}
    )
    assert response.status_code == 400
    assert response.json()["responseType"] == "error"


def test_a_body_beyond_the_limit_is_413(race: Race) -> None:
    headers = {"X-API-Key": race.key}
    for content in (b" " * 200_000, iter([b" " * 100_000] * 2)):
        response = race.client.post(
            f"{race.base}/original-photos", content=content, headers=headers
        )
        assert response.status_code == 413


@pytest.mark.parametrize("limit", ["PATIENCE", "LONGEST"])
def test_a_body_that_takes_too_long_is_408(
    race: Race, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    def dribble() -> Iterator[bytes]:
        for _ in range(12):
            yield b" "
            time.sleep(0.1)
        if limit == "PATIENCE":
            time.sleep(1.2)
        yield b"{}"

    monkeypatch.setattr(bodies, limit, 1.0)
    response = race.client.post(
        f"{race.base}/original-photos", content=dribble(), headers={"X-API-Key": race.key}
    )
    assert response.status_code == 408
    assert "took too long to arrive" in response.json()["message"]


def test_a_thousand_ids_fit(race: Race) -> None:
    ids = [race.add_photo(), *(str(uuid.uuid4()) for _ in range(999))]
    answer = race.originals({"method": "image_ids", "identifier": ids}, page_size=60).json()
    assert (answer["successful_count"], answer["failed_count"]) == (1, 59)
    assert answer["pagination"]["total"] == 1000
    again = race.originals({"method": "image_ids", "identifier": [*ids, *ids[:500]]}).json()
    assert again["pagination"]["total"] == 1000
    too_many = race.originals({"method": "image_ids", "identifier": [*ids, str(uuid.uuid4())]})
    assert too_many.status_code == 422


def test_links_expire(race: Race) -> None:
    race.add_photo("8")
    url = race.by_bib("8")["presigned_urls"][0]["url"]
    expires = int(re.search(r"expires=(\d+)", url)[1])  # type: ignore[index]
    assert abs(expires - time.time() - race.server.settings.link_ttl) < 5
