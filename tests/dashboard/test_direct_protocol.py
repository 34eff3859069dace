"""Photos that browsers put into the bucket themselves: what is signed, believed and taken in."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import obstore
import pytest

from fotofinish.database.connection import open_connection
from fotofinish.errors import Conflict, ObjectMissing
from fotofinish.photos.direct_uploads import OTHER_SIZE, clear_left
from fotofinish.photos.keys import image_id, incoming_key, original_key
from fotofinish.settings import load_settings
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.direct import PART_BYTES, open_direct_bucket
from fotofinish.storage.stores import open_store
from fotofinish.web.dashboard.visitors import COOKIE
from tests.dashboard.conftest import Office
from tests.dashboard.test_upload_protocol import photo
from tests.loops import run
from tests.running import serving

LARGE = photo(1, 64) + bytes(2 * PART_BYTES)
"""A photo of three parts; what follows a JPEG's end is nobody's business."""


@pytest.fixture(scope="module")
def storage_url(bucket_url: str) -> str:
    return bucket_url


@pytest.fixture(scope="module")
def store(bucket_url: str) -> CloudStore:
    opened = open_store(load_settings(storage_url=bucket_url))
    assert isinstance(opened, CloudStore)
    return opened


@dataclass
class Sender:
    """Somebody signed in, and a browser's view of the bucket."""

    http: httpx.Client
    event_id: int
    bucket: httpx.Client

    def post(self, path: str = "", body: object = None) -> httpx.Response:
        return self.http.post(f"/events/{self.event_id}/direct{path}", json=body or {})

    def begin(self, size: int, name: str = "DSC_1.jpg") -> dict[str, object]:
        answer = self.post(body={"name": name, "path": f"card/{name}", "size": size})
        assert answer.status_code == 201, answer.text
        state: dict[str, object] = answer.json()
        return state

    def put(self, state: dict[str, object], data: bytes, *numbers: int) -> None:
        """Put these parts, or all that are missing."""
        missing = state["missing"]
        assert isinstance(missing, dict)
        for number, url in missing.items():
            at = (int(number) - 1) * PART_BYTES
            if not numbers or int(number) in numbers:
                assert self.bucket.put(url, content=data[at : at + PART_BYTES]).status_code == 200

    def send(self, data: bytes, name: str = "DSC_1.jpg") -> dict[str, object]:
        state = self.begin(len(data), name)
        self.put(state, data)
        answer = self.post(f"/{state['id']}/finish")
        assert answer.status_code == 200, answer.text
        result: dict[str, object] = answer.json()
        return result


@pytest.fixture
def sender(office: Office) -> Iterator[Sender]:
    with httpx.Client(trust_env=False, timeout=60) as bucket:
        yield sender_of(office, office.owner, bucket)


def sender_of(
    office: Office, email: str, bucket: httpx.Client, event_id: int | None = None
) -> Sender:
    signed_in = office.client(email)
    http = httpx.Client(
        base_url=office.url,
        headers={"Sec-Fetch-Site": "same-origin", "X-Form-Token": signed_in.form_token},
        cookies={COOKIE: signed_in.http.cookies[COOKIE]},
        timeout=60,
    )
    return Sender(http, event_id or office.event_id, bucket)


def photos(office: Office) -> list[tuple[bytes, str, str, str]]:
    return office.execute(
        "select sha256, name, folder, state from photo where event_id = %s", office.event_id
    )


def original(office: Office, data: bytes) -> str:
    digest = hashlib.sha256(data).digest()
    return original_key(office.event_id, image_id(office.event_id, digest), "jpg")


def lies(store: CloudStore, key: str) -> bool:
    """Whether the object is there."""
    (there,) = run(store.exists_many([key]))
    assert isinstance(there, bool)
    return there


@pytest.mark.parametrize("data", [photo(2), LARGE], ids=["in one piece", "in parts"])
def test_a_file_put_into_the_bucket_becomes_a_photo_with_its_own_bytes(
    office: Office, sender: Sender, store: CloudStore, data: bytes
) -> None:
    state = sender.begin(len(data), "Zieleinlauf 1.jpg")
    sender.put(state, data)
    assert photos(office) == []
    finish = f"/{state['id']}/finish"
    assert sender.post(finish).json() == {"result": "stored", "reason": ""}
    digest = hashlib.sha256(data).digest()
    assert photos(office) == [(digest, "Zieleinlauf 1.jpg", "card", "waiting")]
    assert store.get(original(office, data)) == data
    jobs = office.execute(
        "select count(*) from procrastinate_jobs where args->>'photo_id' = %s",
        str(image_id(office.event_id, digest)),
    )
    assert jobs == [(1,)]
    assert not lies(store, incoming_key(office.event_id, uuid.UUID(str(state["id"]))))
    assert sender.post(finish).json() == {"result": "stored", "reason": ""}
    assert sender.post(f"/{state['id']}").json() == {"result": "stored", "reason": ""}


def test_an_original_is_served_with_its_type_and_name(
    office: Office, sender: Sender, store: CloudStore
) -> None:
    data = photo(3)
    sender.send(data)
    assert store.place is not None
    told = run(_head(store, original(office, data)))
    assert told["Content-Type"] == "image/jpeg"
    name = original(office, data).rpartition("/")[2]
    assert told["Content-Disposition"] == f'attachment; filename="{name}"'


async def _head(store: CloudStore, key: str) -> dict[str, str]:
    result = await obstore.get_async(store.bucket, key)
    return {str(name): str(value) for name, value in result.attributes.items()}


def test_only_parts_that_are_missing_are_asked_for_again(office: Office, sender: Sender) -> None:
    state = sender.begin(len(LARGE))
    assert list(state["missing"]) == ["1", "2", "3"]  # type: ignore[call-overload]
    sender.put(state, LARGE, 1, 3)
    early = sender.post(f"/{state['id']}/finish")
    assert (early.status_code, "missing" in early.json()["message"]) == (409, True)
    later = sender.post(f"/{state['id']}").json()
    assert list(later["missing"]) == ["2"]
    sender.put(later, LARGE)
    assert sender.post(f"/{state['id']}").json()["missing"] == {}
    assert sender.post(f"/{state['id']}/finish").json()["result"] == "stored"
    assert photos(office)[0][0] == hashlib.sha256(LARGE).digest()


def test_a_link_takes_exactly_the_bytes_that_were_announced_under_its_own_key(
    sender: Sender,
) -> None:
    data = photo(4)
    url = sender.begin(len(data))["missing"]["1"]  # type: ignore[index]
    assert sender.bucket.put(url, content=data + b"x").status_code == 403
    assert sender.bucket.put(url.replace("incoming/", "imgs/"), content=data).status_code == 403
    assert sender.bucket.get(url).status_code == 403
    large = sender.begin(len(LARGE))["missing"]["3"]  # type: ignore[index]
    assert sender.bucket.put(large, content=bytes(PART_BYTES)).status_code == 403


def test_what_is_no_photo_is_rejected_by_its_bytes(
    office: Office, sender: Sender, store: CloudStore
) -> None:
    result = sender.send(b"GIF89a" + bytes(6000), "innocent.jpg")
    assert result["result"] == "rejected"
    assert "GIF" in str(result["reason"])
    assert photos(office) == []


def test_a_file_that_arrived_with_another_size_than_announced_is_rejected(
    office: Office, sender: Sender, store: CloudStore
) -> None:
    data = photo(10)
    state = sender.begin(len(data))
    key = incoming_key(office.event_id, uuid.UUID(str(state["id"])))
    store.put(key, data[:-1], content_type="image/jpeg", filename="cut.jpg")
    answer = sender.post(f"/{state['id']}/finish").json()
    assert answer == {"result": "rejected", "reason": OTHER_SIZE}
    assert photos(office) == []


def test_numbers_of_an_event_say_links_where_the_store_tells_nothing(
    office: Office, sender: Sender
) -> None:
    page = sender.http.get(f"/events/{office.event_id}/numbers").text
    assert "<b>0</b> links to originals" in page
    assert "Originals handed out" in page
    assert "which does not say how often" in page
    assert "Downloads" not in page


def test_the_same_bytes_are_one_photo_and_the_original_stays(
    office: Office, sender: Sender, store: CloudStore
) -> None:
    data = photo(5)
    assert sender.send(data)["result"] == "stored"
    assert sender.send(data, "copy.jpg")["result"] == "duplicate"
    assert [row[1] for row in photos(office)] == ["DSC_1.jpg"]
    assert store.get(original(office, data)) == data


def test_two_calls_at_once_make_one_photo(office: Office, sender: Sender) -> None:
    state = sender.begin(len(LARGE))
    sender.put(state, LARGE)
    with ThreadPoolExecutor(4) as executor:
        answers = list(executor.map(lambda _: sender.post(f"/{state['id']}/finish"), range(4)))
    # one that came in between may be told to ask again, and is then told the result
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert sender.post(f"/{state['id']}").json()["result"] in ("stored", "duplicate")
    assert len(photos(office)) == 1


def test_copies_that_come_at_the_same_moment_are_one_new_photo(
    office: Office, sender: Sender
) -> None:
    states = [sender.begin(len(LARGE)) for _ in range(4)]
    for state in states:
        sender.put(state, LARGE)
    with ThreadPoolExecutor(4) as executor:
        answers = executor.map(lambda state: sender.post(f"/{state['id']}/finish").json(), states)
        results = sorted(answer["result"] for answer in answers)
    assert results == ["duplicate"] * 3 + ["stored"]
    assert len(photos(office)) == 1


def test_a_file_that_changes_after_it_was_read_is_not_copied(
    office: Office, store: CloudStore
) -> None:
    async def swap() -> None:
        async with open_direct_bucket(store) as bucket:
            assert bucket is not None
            key, target = f"incoming/{office.event_id}/x", f"imgs/{office.event_id}/large/x.jpg"
            await store.put_async(key, b"first", content_type="image/jpeg", filename="x.jpg")
            async with store.opened(key) as opened:
                etag = opened.etag
            await store.put_async(key, b"other", content_type="image/jpeg", filename="x.jpg")
            with pytest.raises(Conflict):
                await bucket.copy(key, etag, target, content_type="image/jpeg", filename="x.jpg")
            assert await store.exists_many([target]) == [False]

    run(swap())


def test_an_original_that_was_copied_before_a_crash_gets_its_row_when_asked_again(
    office: Office, sender: Sender, store: CloudStore
) -> None:
    data = photo(6)
    state = sender.begin(len(data))
    sender.put(state, data)
    # as it stands when the server is killed between the copy and the commit
    store.put(original(office, data), data, content_type="image/jpeg", filename="x.jpg")
    assert sender.post(f"/{state['id']}").json()["missing"] == {}
    assert sender.post(f"/{state['id']}/finish").json()["result"] == "stored"
    assert len(photos(office)) == 1


def test_any_server_goes_on_where_another_was_killed(
    office: Office, sender: Sender, bucket_url: str, tmp_path: Path
) -> None:
    state = sender.begin(len(LARGE))
    sender.put(state, LARGE, 1, 2)
    settings = {
        "FOTOFINISH_DATABASE_URL": office.database.dsn,
        "FOTOFINISH_DATA_DIR": str(tmp_path),
        "FOTOFINISH_STORAGE_URL": bucket_url,
    }
    with serving(settings) as other:
        sender.http.base_url = other
        later = sender.post(f"/{state['id']}").json()
        assert list(later["missing"]) == ["3"]
        sender.put(later, LARGE)
        assert sender.post(f"/{state['id']}/finish").json()["result"] == "stored"
    assert photos(office)[0][0] == hashlib.sha256(LARGE).digest()


def test_an_upload_that_the_store_forgot_begins_anew(
    office: Office, sender: Sender, store: CloudStore
) -> None:
    state = sender.begin(len(LARGE))
    sender.put(state, LARGE, 1)
    ((multipart,),) = office.execute(
        "select multipart from direct_upload where id = %s", str(state["id"])
    )

    async def forget() -> None:
        async with open_direct_bucket(store) as bucket:
            assert bucket is not None
            key = incoming_key(office.event_id, uuid.UUID(str(state["id"])))
            await bucket.abort(key, multipart)
            with pytest.raises(ObjectMissing):
                await bucket.parts(key, multipart)

    run(forget())
    again = sender.post(f"/{state['id']}").json()
    assert list(again["missing"]) == ["1", "2", "3"]
    sender.put(again, LARGE)
    assert sender.post(f"/{state['id']}/finish").json()["result"] == "stored"


def test_others_get_no_links_and_finish_nothing(office: Office, sender: Sender) -> None:
    data = photo(7)
    state = sender.begin(len(data))
    paths = ("", "/check", f"/{state['id']}", f"/{state['id']}/finish")
    body = {"name": "a.jpg", "path": "", "size": 9}
    viewer = sender_of(office, office.person("viewer"), sender.bucket)
    assert [viewer.post(path, body).status_code for path in paths] == [403] * 4
    editor = sender_of(office, office.person("editor"), sender.bucket)
    assert [editor.post(path).status_code for path in paths[2:]] == [404] * 2
    foreign = sender_of(office, office.owner, sender.bucket, office.foreign_event_id)
    assert [foreign.post(path, body).status_code for path in paths] == [404] * 4
    office.execute("update event set status = 'archived' where id = %s", office.event_id)
    assert [sender.post(path, body).status_code for path in paths] == [403] * 4
    sender.http.headers["X-Form-Token"] = "0" * 64
    assert [sender.post(path, body).status_code for path in paths] == [403] * 4
    sender.http.cookies.clear()
    assert [sender.post(path, body).status_code for path in paths] == [401] * 4


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({"name": "a.jpg"}, 400),
        ({"name": "a.jpg", "size": "9"}, 400),
        ({"name": "a.jpg", "size": 0}, 422),
        ({"name": "a.jpg", "size": 10**12}, 413),
        ({"name": "a" * 20_000, "size": 9}, 413),
    ],
)
def test_what_cannot_be_begun_is_refused(sender: Sender, body: object, status: int) -> None:
    answer = sender.http.post(f"/events/{sender.event_id}/direct", json=body)
    assert answer.status_code == status


def test_what_nobody_goes_on_with_is_cleared_away(
    office: Office, sender: Sender, store: CloudStore
) -> None:
    small, large, lost = sender.begin(len(photo(8))), sender.begin(len(LARGE)), sender.begin(9)
    sender.put(small, photo(8))
    sender.put(large, LARGE, 1)
    kept = sender.begin(9)
    _clear(office, store)
    assert _rows(office) == {str(state["id"]) for state in (small, large, lost, kept)}
    office.execute(
        "update direct_upload set expires_at = now() - interval '1 s' where id = any(%s)",
        [uuid.UUID(str(state["id"])) for state in (small, large, lost)],
    )
    assert sender.post(f"/{small['id']}/finish").status_code == 404
    _clear(office, store)
    assert _rows(office) == {str(kept["id"])}
    assert not lies(store, incoming_key(office.event_id, uuid.UUID(str(small["id"]))))
    part = large["missing"]["2"]  # type: ignore[index]
    assert sender.bucket.put(part, content=bytes(PART_BYTES)).status_code == 404


def test_uploads_of_a_deleted_event_are_cleared_when_their_links_are_dead(
    office: Office, sender: Sender, store: CloudStore
) -> None:
    state = sender.begin(len(photo(9)))
    sender.put(state, photo(9))
    key = incoming_key(office.event_id, uuid.UUID(str(state["id"])))
    office.execute("delete from event where id = %s", office.event_id)
    _clear(office, store)
    assert lies(store, key)
    office.execute(
        "update direct_upload set expires_at = expires_at - interval '3 hours' where id = %s",
        str(state["id"]),
    )
    _clear(office, store)
    assert not lies(store, key)


def _clear(office: Office, store: CloudStore) -> None:
    async def clear() -> None:
        async with open_direct_bucket(store) as bucket, open_connection(office.database) as one:
            assert bucket is not None
            while await clear_left(one, store, bucket):
                pass

    run(clear())


def _rows(office: Office) -> set[str]:
    rows = office.execute("select id from direct_upload where event_id = %s", office.event_id)
    return {str(row[0]) for row in rows}
