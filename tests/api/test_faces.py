"""Face Search: what a selfie finds, that it is searched once, and that it can be forgotten."""

from __future__ import annotations

import io
import threading
import uuid
from asyncio.subprocess import Process
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, LiteralString

import httpx
import numpy as np
import numpy.typing as npt
import psutil
import psycopg
import pytest
from PIL import Image
from skimage.data import astronaut

from fotofinish.app import create_app
from fotofinish.arrays import Floats
from fotofinish.database.connection import open_connection, open_pool
from fotofinish.errors import NotAllowed, NotFound
from fotofinish.faces import reader
from fotofinish.faces.matching import LOCK_CLASS, lock_for_photo, match_photo
from fotofinish.faces.selfies import forget_expired, store_search
from fotofinish.faces.templates import as_halfvec
from fotofinish.organisations.rates import Rate, RateLimiter
from fotofinish.vision.faces import DEFAULT_MATCH_THRESHOLD, FaceFinder
from fotofinish.web import body_room
from tests.api.conftest import Race, Server
from tests.loops import run
from tests.running import free_port, running, wait_until

BOUNDARY = "between-parts"


def jpeg(pixels: npt.NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture(scope="session")
def selfie() -> bytes:
    return jpeg(astronaut())


@pytest.fixture(scope="session")
def template() -> Floats:
    (face, *_) = FaceFinder().find(np.ascontiguousarray(astronaut()[:, :, ::-1]))
    assert face.embedding is not None
    return face.embedding


def similar(template: Floats, cosine: float) -> Floats:
    """A vector of length 1 at this cosine similarity to the template."""
    other = np.roll(template, 1)
    other = other - (other @ template) * template
    other /= np.linalg.norm(other)
    return (cosine * template + np.sqrt(1 - cosine**2) * other).astype(np.float32)


def add_face(race: Race, photo: str, embedding: Floats, model: str = "sface") -> None:
    race.execute(
        """insert into face (photo_id, event_id, box, score, quality, model, embedding)
           values (%s, %s, '{0,0,9,9}', 0.9, 0.9, %s, %s::halfvec)""",
        [photo, race.event_id, model, as_halfvec(embedding)],
    )


def post(
    race: Race, picture: bytes | None, request_id: object = None, field: str = "file", **params: Any
) -> httpx.Response:
    files: Any = {} if picture is None else {field: ("me.jpg", picture, "image/jpeg")}
    if request_id is not None:
        files["request_id"] = (None, str(request_id))
    return race.client.post(
        f"{race.base}/faces",
        files=files or {"nothing": (None, "")},
        params=params,
        headers={"X-API-Key": race.key},
    )


def delete(race: Race, request_id: object) -> httpx.Response:
    return race.client.delete(f"{race.base}/faces/{request_id}", headers={"X-API-Key": race.key})


def found(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [image["image_id"] for image in response.json()["data"]["images"]]


def count(race: Race, table: str) -> int:
    with psycopg.connect(race.server.database.dsn) as connection:
        row = connection.execute(
            f"select count(*) from {table} where event_id = %s",  # type: ignore[arg-type] # noqa: S608
            [race.event_id],
        ).fetchone()
    return int(row[0]) if row else 0


def originals_of(race: Race, request_id: str) -> list[str]:
    answer = race.originals({"method": "selfie", "identifier": request_id}).json()
    return [link["filename"].removesuffix(".jpg") for link in answer["presigned_urls"]]


def test_a_selfie_finds_its_person_and_nobody_else(
    race: Race, selfie: bytes, template: Floats, make_race: Any
) -> None:
    first, second, stranger = race.add_photo(), race.add_photo(), race.add_photo()
    add_face(race, second, similar(template, 0.8))
    add_face(race, second, similar(template, 0.6))
    add_face(race, first, similar(template, DEFAULT_MATCH_THRESHOLD + 0.05))
    add_face(race, stranger, similar(template, DEFAULT_MATCH_THRESHOLD - 0.05))
    add_face(race, race.add_photo(), template, model="another")
    add_face(race, race.add_photo(hidden=True), template)
    elsewhere = make_race()
    add_face(elsewhere, elsewhere.add_photo(), template)

    answer = post(race, selfie)
    assert found(answer) == [first, second]
    data = answer.json()["data"]
    assert data.keys() == {"request_id", "confidence_percentage", "images", "pagination"}
    assert data["confidence_percentage"] == round(DEFAULT_MATCH_THRESHOLD * 100, 1)
    assert data["pagination"]["total"] == 2
    assert uuid.UUID(data["request_id"]).version == 4
    assert originals_of(race, data["request_id"]) == [first, second]


def test_the_stored_search_answers_the_same(race: Race, selfie: bytes, template: Floats) -> None:
    photos = [race.add_photo() for _ in range(3)]
    for photo in photos:
        add_face(race, photo, template)
    request_id = str(uuid.uuid4())
    posted = post(race, selfie, request_id)
    assert posted.json()["data"]["request_id"] == request_id
    assert race.get(f"/faces/{request_id.upper()}").json() == posted.json()
    assert found(race.get(f"/faces/{request_id}", page=2, page_size=2)) == photos[2:]
    assert race.get(f"/faces/{uuid.uuid4()}").status_code == 404


def test_the_same_request_id_is_answered_from_what_is_stored_whatever_comes_with_it(
    race: Race, selfie: bytes, template: Floats
) -> None:
    add_face(race, race.add_photo(), template)
    request_id = uuid.uuid4()
    first = post(race, selfie, request_id).json()
    for picture in (b"no picture at all", b"", None):
        assert post(race, picture, request_id).json() == first


def test_twenty_posts_at_once_end_in_one_search(
    race: Race, selfie: bytes, template: Floats
) -> None:
    add_face(race, race.add_photo(), template)
    request_id = uuid.uuid4()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(race, selfie, request_id), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert (count(race, "selfie"), count(race, "selfie_match")) == (1, 1)


def test_one_request_id_in_two_events_is_two_searches(
    race: Race, make_race: Any, selfie: bytes, template: Floats
) -> None:
    other, request_id = make_race(race), str(uuid.uuid4())
    mine, theirs = race.add_photo(), other.add_photo()
    add_face(race, mine, template)
    add_face(other, theirs, template)
    assert found(post(race, selfie, request_id)) == [mine]
    assert other.get(f"/faces/{request_id}").status_code == 404
    assert found(post(other, selfie, request_id)) == [theirs]
    assert delete(other, request_id).status_code == 200
    assert originals_of(race, request_id) == [mine]


def test_a_deleted_selfie_leaves_nothing(race: Race, selfie: bytes, template: Floats) -> None:
    add_face(race, race.add_photo(), template)
    request_id = post(race, selfie).json()["data"]["request_id"]
    race.set_event("selfie_search", False)  # whoever wants to be forgotten is, always
    assert delete(race, request_id).status_code == 200
    race.set_event("selfie_search", True)
    assert (count(race, "selfie"), count(race, "selfie_match")) == (0, 0)
    assert delete(race, request_id).status_code == 404
    assert race.get(f"/faces/{request_id}").status_code == 404
    assert originals_of(race, request_id) == []


def test_an_expired_selfie_is_unknown_and_its_id_can_be_used_again(
    race: Race, selfie: bytes, template: Floats
) -> None:
    add_face(race, race.add_photo(), template)
    request_id = post(race, selfie).json()["data"]["request_id"]
    expire = "update selfie set expires_at = now() - interval '1 s' where id = %s"
    race.execute(expire, [request_id])
    assert race.get(f"/faces/{request_id}").status_code == 404
    assert originals_of(race, request_id) == []
    assert len(found(post(race, selfie, request_id))) == 1
    race.execute(expire, [request_id])
    assert delete(race, request_id).status_code == 404
    assert count(race, "selfie") == 0


def test_expired_selfies_are_swept(race: Race, selfie: bytes) -> None:
    request_id = post(race, selfie).json()["data"]["request_id"]
    race.execute("update selfie set expires_at = now() where id = %s", [request_id])

    async def sweep() -> int:
        async with open_connection(race.server.database) as connection:
            return await forget_expired(connection)

    assert run(sweep()) >= 1
    assert count(race, "selfie") == 0


def test_a_selfie_without_a_face_finds_nothing_and_says_why(race: Race) -> None:
    blank = jpeg(np.full((300, 300, 3), 128, np.uint8))
    answer = post(race, blank)
    assert found(answer) == []
    assert answer.json()["message"] == "No face was found in the selfie"
    again = race.get(f"/faces/{answer.json()['data']['request_id']}")
    assert again.json() == answer.json()


def test_of_several_faces_the_largest_counts(race: Race, selfie: bytes, template: Floats) -> None:
    small = np.asarray(Image.fromarray(astronaut()).resize((200, 200)))
    pixels = np.zeros((512, 712, 3), np.uint8)
    pixels[:, :512] = astronaut()
    pixels[:200, 512:] = small[:, ::-1]
    photo = race.add_photo()
    add_face(race, photo, template)
    assert found(post(race, jpeg(pixels))) == [photo]


def test_the_events_own_threshold_is_in_force(race: Race, selfie: bytes, template: Floats) -> None:
    race.set_event("match_threshold", 0.9)
    add_face(race, race.add_photo(), similar(template, 0.8))
    answer = post(race, selfie)
    assert found(answer) == []
    assert answer.json()["message"] == "No images found"
    assert answer.json()["data"]["confidence_percentage"] == 90


def test_new_photos_join_earlier_selfies(race: Race, selfie: bytes, template: Floats) -> None:
    request_id = post(race, selfie).json()["data"]["request_id"]
    photo, stranger = race.add_photo(), race.add_photo()
    add_face(race, photo, template)
    add_face(race, stranger, similar(template, 0.1))

    async def process() -> None:
        async with open_connection(race.server.database) as connection:
            for id in (photo, stranger):
                async with connection.transaction():
                    await lock_for_photo(connection, race.event_id)
                    await match_photo(connection, race.event_id, uuid.UUID(id))

    run(process())
    run(process())
    assert originals_of(race, request_id) == [photo]


def test_a_selfie_waits_for_photos_that_are_being_written(
    race: Race, selfie: bytes, template: Floats
) -> None:
    photo = race.add_photo()
    answers: list[httpx.Response] = []
    poster = threading.Thread(target=lambda: answers.append(post(race, selfie)))
    with psycopg.connect(race.server.database.dsn) as worker:
        worker.execute(
            "select pg_advisory_xact_lock_shared(%s, hashint8(%s))", [0x66616365, race.event_id]
        )
        poster.start()
        poster.join(2)
        assert poster.is_alive()
        worker.execute(
            """insert into face (photo_id, event_id, box, score, quality, model, embedding)
               values (%s, %s, '{0,0,9,9}', 0.9, 0.9, 'sface', %s::halfvec)""",
            [photo, race.event_id, as_halfvec(template)],
        )
    poster.join()
    assert found(answers[0]) == [photo]


@pytest.mark.parametrize("field", ["file", "selfie", "image"])
def test_the_upload_may_have_any_of_three_names(race: Race, selfie: bytes, field: str) -> None:
    assert post(race, selfie, field=field).status_code == 200


def test_of_several_uploads_the_first_that_is_not_empty_counts(race: Race, selfie: bytes) -> None:
    def send(*parts: tuple[str, bytes]) -> int:
        # as browsers send forms: the part of an untouched field has neither file name nor bytes
        body = b"".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="'.encode()
            + (b"me.jpg" if data else b"")
            + b'"\r\nContent-Type: application/octet-stream\r\n\r\n'
            + data
            + b"\r\n"
            for name, data in parts
        )
        headers = {"X-API-Key": race.key, "Content-Type": "multipart/form-data; boundary=x"}
        answer = race.client.post(
            f"{race.base}/faces", content=body + b"--x--\r\n", headers=headers
        )
        return answer.status_code

    assert send(("file", b""), ("selfie", selfie)) == 200
    assert send(("image", selfie), ("selfie", b""), ("file", b"")) == 200
    assert send(("file", selfie), ("file", b"")) == 200
    assert send(("selfie", b"no picture"), ("file", selfie)) == 200
    assert send(("file", b"no picture"), ("selfie", selfie)) == 400
    assert send(("file", b""), ("selfie", b"")) == 400


def test_the_upload_needs_no_file_name(race: Race, selfie: bytes) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + selfie + b"\r\n"

    def send(body: bytes) -> httpx.Response:
        kind = "multipart/form-data; boundary=x"
        headers = {"X-API-Key": race.key, "Content-Type": kind}
        return race.client.post(f"{race.base}/faces", content=body, headers=headers)

    assert send(part + b"--x--\r\n").status_code == 200
    for cut in (part, part[:1000]):
        short = send(cut)
        assert short.status_code == 400
        assert "cut short" in short.json()["message"]


def test_uploads_that_do_not_do_are_refused(race: Race, selfie: bytes) -> None:
    assert post(race, b"").status_code == 400
    assert post(race, b"GIF89a" + bytes(100)).status_code == 400
    assert post(race, selfie[:3000]).status_code in (200, 400)
    assert post(race, b"\xff\xd8\xff" + bytes(3000)).status_code == 400
    assert post(race, selfie, "no-uuid").status_code == 400
    assert post(race, selfie, "").status_code == 400
    missing = post(race, None)
    assert (missing.status_code, missing.json()["message"]) == (422, "body.file: Field required")
    for size in (3_000_001, 9_000_000):
        assert post(race, selfie + bytes(size - len(selfie))).status_code == 413
    assert post(race, selfie, page=0).status_code == 422
    assert race.get("/faces/no-uuid").status_code == 400
    assert delete(race, "no-uuid").status_code == 400
    assert count(race, "selfie") <= 1


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"no boundary here"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nnameless\r\n--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 500, b"--x"),
        ("", b""),
    ],
)
def test_what_is_no_form_is_refused(race: Race, content_type: str, body: bytes) -> None:
    answer = race.client.post(
        f"{race.base}/faces",
        content=body,
        headers={"X-API-Key": race.key, "Content-Type": content_type},
    )
    assert answer.status_code in (400, 422)
    assert answer.json()["responseType"] == "error"


def test_fields_nobody_asked_for_are_passed_over(race: Race, selfie: bytes) -> None:
    answer = race.client.post(
        f"{race.base}/faces",
        files={"file": ("me.jpg", selfie)},
        data={f"extra {number}": "x" for number in range(50)},
        headers={"X-API-Key": race.key},
    )
    assert answer.status_code == 200, answer.text


def test_a_decompression_bomb_is_refused(race: Race) -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(file, "PNG")
    assert post(race, file.getvalue()).status_code == 400


def test_large_uploads_wait_while_too_much_is_being_sent(
    race: Race, selfie: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_room, "MOST_HELD", 100_000)
    for _ in range(3):
        refused = post(race, selfie + bytes(300_000))
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) >= 1
    assert race.originals({"method": "bib", "identifier": "1"}).status_code == 200
    monkeypatch.undo()
    assert post(race, selfie + bytes(300_000)).status_code == 200


def test_strangers_are_turned_away_before_the_upload_is_read(race: Race, selfie: bytes) -> None:
    race.set_event("selfie_search", False)
    assert post(race, selfie, "no-uuid", page=0).status_code == 403
    assert race.get(f"/faces/{uuid.uuid4()}").status_code == 403
    assert post(race.with_key("wrong"), selfie).status_code == 403
    assert post(race.with_key(None), selfie).status_code == 401


@dataclass
class Readings:
    """How many selfies the reader was given, and how many it has answered."""

    begun: int = 0
    answered: int = 0


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    counted, ask = Readings(), reader._ask

    async def count_and_ask(process: Process, picture: bytes) -> dict[str, str | None]:
        counted.begun += 1
        answer = await ask(process, picture)
        counted.answered += 1
        return answer

    monkeypatch.setattr(reader, "_ask", count_and_ask)
    return counted


def readers() -> list[psutil.Process]:
    """The processes of this one's servers that read selfies."""
    return [
        child
        for child in psutil.Process().children()
        if "fotofinish.faces.reading" in child.cmdline()
    ]


def test_models_are_loaded_before_the_first_selfie_comes(server: Server) -> None:
    before, port = readers(), free_port()
    with running(create_app(server.settings, server.database), port, warm=True):
        wait_until(lambda: len(readers()) > len(before))
    assert readers() == before


@pytest.fixture
def stopped_reader(race: Race, selfie: bytes) -> Iterator[psutil.Process]:
    """The process that reads selfies, which takes nothing until it is resumed."""
    assert post(race, selfie).status_code == 200  # there is a reader now
    (process,) = readers()
    process.suspend()
    yield process
    with suppress(psutil.NoSuchProcess):
        process.resume()


def test_a_picture_that_kills_its_reader_is_refused_and_the_next_one_is_read(
    race: Race, selfie: bytes, stopped_reader: psutil.Process, readings: Readings
) -> None:
    with ThreadPoolExecutor(1) as executor:
        doomed = executor.submit(post, race, selfie)
        wait_until(lambda: readings.begun)
        stopped_reader.kill()
        assert doomed.result().status_code == 400
    assert post(race, selfie).status_code == 200
    assert readers() != [stopped_reader]


def test_a_picture_that_takes_too_long_is_never_the_answer_to_the_next_one(
    race: Race,
    selfie: bytes,
    template: Floats,
    stopped_reader: psutil.Process,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_face(race, race.add_photo(), template)
    with monkeypatch.context() as hurried:
        hurried.setattr(reader, "READ_SECONDS", 0.2)
        assert post(race, selfie).status_code == 400
    with suppress(psutil.NoSuchProcess):
        stopped_reader.resume()  # were it kept, it would now say whose face it was
    of_nobody = post(race, jpeg(np.zeros((300, 200, 3), np.uint8)))
    assert of_nobody.json()["message"] == "No face was found in the selfie"
    assert found(of_nobody) == []
    assert len(found(post(race, selfie))) == 1


def test_more_selfies_than_will_be_read_soon_are_put_off(
    race: Race,
    selfie: bytes,
    stopped_reader: psutil.Process,
    readings: Readings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "MOST_WAITING", 1)
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(post, race, selfie)
        wait_until(lambda: readings.begun)
        put_off = post(race, selfie)
        assert (put_off.status_code, put_off.headers["retry-after"]) == (429, "5")
        stopped_reader.resume()
        assert waiting.result().status_code == 200
    assert post(race, selfie).status_code == 200


def key_was_used(race: Race) -> bool:
    with psycopg.connect(race.server.database.dsn) as connection:
        used = connection.execute(
            "select last_used_at from api_key where org_id = %s", [race.org_id]
        ).fetchone()
    return used != (None,)


def post_slowly(race: Race, picture: bytes, meanwhile: Callable[[], None]) -> httpx.Response:
    """A form of which the most comes after something else has happened."""
    body = encoded_form(picture)

    def pieces() -> Iterator[bytes]:
        yield body[:10]
        wait_until(lambda: key_was_used(race))  # the server has looked at who asks
        meanwhile()
        yield body[10:]

    return race.client.post(
        f"{race.base}/faces",
        content=pieces(),
        headers={
            "X-API-Key": race.key,
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        },
    )


def encoded_form(picture: bytes, disposition: str = 'name="file"; filename="me.jpg"') -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize(
    "change",
    [
        "delete from api_key where org_id = %(org)s",
        "update api_key set active = false where org_id = %(org)s",
        "delete from event where id = %(event)s",
        "update event set selfie_search = false where id = %(event)s",
    ],
)
def test_what_is_no_longer_allowed_when_the_form_has_come_is_refused(
    race: Race, selfie: bytes, change: LiteralString
) -> None:
    values: dict[str, object] = {"org": race.org_id, "event": race.event_id}
    answer = post_slowly(race, selfie, lambda: race.execute(change, values))
    assert answer.status_code == 403
    assert count(race, "selfie") == 0


def test_an_event_or_a_key_that_goes_while_a_selfie_is_read_is_refused(
    race: Race,
) -> None:
    async def act() -> None:
        async with open_pool(race.server.database, size=1) as pool:
            async with pool.connection() as connection:
                with pytest.raises(NotFound):
                    await store_search(
                        connection, 10**9, uuid.uuid4(),
                        embedding=None, model="sface", threshold=0.4, keep_days=1,
                    )  # fmt: skip
            with pytest.raises(NotAllowed):
                await RateLimiter(pool, {"request": Rate(1, 1)}).spend(10**9, "request")

    run(act())


@pytest.mark.parametrize(
    ("charset", "status"),
    [("ISO-8859-1", 200), ("hex", 200), ("no-such", 200), ("undefined", 400)],
)
def test_a_charset_of_the_form_spoils_no_selfie(
    race: Race, selfie: bytes, charset: str, status: int
) -> None:
    answer = race.client.post(
        f"{race.base}/faces",
        content=encoded_form(selfie, 'name="file"'),
        headers={
            "X-API-Key": race.key,
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}; charset={charset}",
        },
    )
    assert answer.status_code == status, answer.text


def test_selfies_that_wait_for_their_event_leave_connections_for_others(
    race: Race, make_race: Any, selfie: bytes, readings: Readings
) -> None:
    other = make_race()
    with (
        psycopg.connect(race.server.database.dsn, autocommit=True) as holder,
        ThreadPoolExecutor(12) as executor,
    ):
        with holder.transaction():
            holder.execute(
                "select pg_advisory_xact_lock(%s, hashint8(%s))", [LOCK_CLASS, race.event_id]
            )
            answers = [executor.submit(post, race, selfie) for _ in range(12)]
            wait_until(lambda: readings.answered == 12)
            assert not any(answer.done() for answer in answers)
            assert other.get("/ping").status_code == 200
        assert {answer.result().status_code for answer in answers} == {200}
