"""The server's side of tus: offsets, tampering, two senders, strangers, and what survives."""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from fotofinish.photos import uploads
from fotofinish.photos.keys import image_id
from fotofinish.web.dashboard.visitors import COOKIE
from tests.dashboard.conftest import Office
from tests.running import serving, wait_until

CONNECTIONS = 10  # to the database, of one server
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def photo(seed: int, side: int = 64) -> bytes:
    """A JPEG of noise; each seed another."""
    noise = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", quality=95)
    return file.getvalue()


@dataclass
class Sender:
    """Somebody signed in who sends to an event."""

    http: httpx.Client
    event_id: int

    @property
    def address(self) -> str:
        return f"/events/{self.event_id}/uploads"

    def begin(self, size: int, name: str = "DSC_1.jpg", **headers: str) -> httpx.Response:
        metadata = f"filename {base64.b64encode(name.encode()).decode()},path eA=="
        return self.http.post(
            self.address,
            headers={**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata, **headers},
        )

    def location(self, size: int, name: str = "DSC_1.jpg") -> str:
        answer = self.begin(size, name)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    def patch(self, location: str, offset: int, data: bytes) -> httpx.Response:
        return self.http.patch(
            location, headers={**PIECE, "Upload-Offset": str(offset)}, content=data
        )

    def offset(self, location: str) -> int:
        answer = self.http.head(location, headers=TUS)
        assert answer.status_code == 200
        return int(answer.headers["upload-offset"])


@pytest.fixture
def sender(office: Office) -> Sender:
    return _sender(office, office.owner)


def _sender(office: Office, email: str, event_id: int | None = None, url: str = "") -> Sender:
    signed_in = office.client(email)
    http = httpx.Client(
        base_url=url or office.url,
        headers={"Sec-Fetch-Site": "same-origin", "X-Form-Token": signed_in.form_token},
        cookies={COOKIE: signed_in.http.cookies[COOKIE]},
        timeout=60,
    )
    return Sender(http, event_id or office.event_id)


def photos(office: Office) -> list[tuple[bytes, str, str]]:
    return office.execute(
        "select sha256, name, state from photo where event_id = %s", office.event_id
    )


def test_a_file_sent_in_pieces_becomes_a_photo_with_its_own_bytes(
    office: Office, sender: Sender
) -> None:
    data = photo(1)
    location = sender.location(len(data), "Zieleinlauf 1.jpg")
    assert sender.patch(location, 0, data[:1000]).headers["upload-offset"] == "1000"
    assert photos(office) == []
    assert sender.offset(location) == 1000
    last = sender.patch(location, 1000, data[1000:])
    assert (last.status_code, last.headers["upload-result"]) == (204, "stored")
    digest = hashlib.sha256(data).digest()
    assert photos(office) == [(digest, "Zieleinlauf 1.jpg", "waiting")]
    stored = office.data_dir / "storage" / "imgs" / str(office.event_id) / "large"
    assert (stored / f"{image_id(office.event_id, digest)}.jpg").read_bytes() == data
    jobs = office.execute(
        "select count(*) from procrastinate_jobs where args->>'photo_id' = %s",
        str(image_id(office.event_id, digest)),
    )
    assert jobs == [(1,)]


def test_the_result_can_be_asked_for_again(sender: Sender) -> None:
    data = photo(2)
    location = sender.location(len(data))
    sender.patch(location, 0, data)
    again = sender.http.head(location, headers=TUS)
    assert again.headers["upload-result"] == "stored"
    assert sender.patch(location, len(data), b"").headers["upload-result"] == "stored"


def test_files_that_are_refused_are_not_unfinished(
    office: Office, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_UNFINISHED", 2)
    for number in range(3):
        location = sender.location(10_000, f"{number}.CR3")
        assert sender.patch(location, 0, b"no photo" * 625).status_code == 400
        assert sender.http.head(location, headers=TUS).headers["upload-result"] == "rejected"
        received = office.data_dir / "uploads" / uuid.UUID(location.rpartition("/")[2]).hex
        assert not received.exists()
    data = photo(9)
    assert sender.patch(sender.location(len(data)), 0, data).headers["upload-result"] == "stored"


def test_the_same_bytes_are_one_photo(office: Office, sender: Sender) -> None:
    data = photo(3)
    for name, result in (("a.jpg", "stored"), ("b.jpg", "duplicate")):
        answer = sender.patch(sender.location(len(data), name), 0, data)
        assert answer.headers["upload-result"] == result
    assert len(photos(office)) == 1
    known = sender.http.post(
        f"{sender.address}/known",
        json={"sha256": [hashlib.sha256(data).hexdigest(), "00" * 32]},
    )
    assert known.json() == {"known": [hashlib.sha256(data).hexdigest()]}


@pytest.mark.parametrize("offset", [0, 999, 1001, 10**9])
def test_a_wrong_offset_changes_nothing(sender: Sender, offset: int) -> None:
    data = photo(4)
    location = sender.location(len(data))
    sender.patch(location, 0, data[:1000])
    answer = sender.patch(location, offset, data[1000:])
    assert answer.status_code == 409
    assert sender.offset(location) == 1000


def test_more_bytes_than_announced_are_refused(office: Office, sender: Sender) -> None:
    data = photo(5)
    location = sender.location(len(data) - 10)
    assert sender.patch(location, 0, data).status_code == 413
    assert photos(office) == []


def test_what_is_no_photo_is_refused_at_its_first_bytes(office: Office, sender: Sender) -> None:
    location = sender.location(10_000_000, "film.mp4")
    answer = sender.patch(location, 0, b"\0\0\0\x18ftypisom" + bytes(5000))
    assert answer.status_code == 400
    assert "Fotofinish takes JPEG" in answer.json()["message"]
    tiny = sender.patch(sender.location(5, "x.jpg"), 0, b"hello")
    assert tiny.status_code == 400
    assert photos(office) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "0"}, 422),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "many"}, 400),
        ({"Upload-Length": str(10**12)}, 413),
        ({"Upload-Metadata": ""}, 400),
        ({"Upload-Metadata": "filename ###"}, 400),
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"X-Form-Token": "guessed"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_bad_beginning_is_refused(sender: Sender, headers: dict[str, str], status: int) -> None:
    answer = sender.begin(1000, **headers)
    assert answer.status_code == status
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("a\0b\n.jpg", "ab.jpg"),
        ("..", "photo"),
        ("x" * 300, "x" * 255),
        ("<b>ü</b>.jpg", "b>.jpg"),
    ],
)
def test_only_the_name_itself_is_kept(office: Office, sender: Sender, name: str, kept: str) -> None:
    sender.location(1000, name)
    assert office.execute("select name from upload where event_id = %s", office.event_id) == [
        (kept,)
    ]


def test_a_sender_who_disappears_goes_on_where_he_was(office: Office, sender: Sender) -> None:
    data = photo(6, 300)
    location = sender.location(len(data))

    def half():  # type: ignore[no-untyped-def]
        yield data[:20_000]
        time.sleep(1)
        raise ConnectionError("the laptop was closed")

    with pytest.raises(ConnectionError):
        sender.http.patch(
            location,
            headers={**PIECE, "Upload-Offset": "0", "Content-Length": str(len(data))},
            content=half(),
        )
    wait_until(lambda: sender.offset(location) == 20_000, patience=10)
    assert sender.patch(location, 20_000, data[20_000:]).headers["upload-result"] == "stored"
    assert photos(office)[0][0] == hashlib.sha256(data).digest()


def test_two_senders_at_once_do_not_mix(office: Office, sender: Sender) -> None:
    data = photo(7, 300)
    location = sender.location(len(data))
    gate = threading.Event()

    def slowly():  # type: ignore[no-untyped-def]
        yield data[:5000]
        gate.wait(20)
        yield data[5000:]

    answers: list[httpx.Response] = []
    first = threading.Thread(
        target=lambda: answers.append(
            sender.http.patch(location, headers={**PIECE, "Upload-Offset": "0"}, content=slowly())
        )
    )
    first.start()
    second = httpx.Client(
        base_url=office.url,
        headers=sender.http.headers,
        cookies=sender.http.cookies,
        timeout=60,
    )
    deadline = time.monotonic() + 10
    while True:  # until the first one has begun
        refused = second.patch(location, headers={**PIECE, "Upload-Offset": "1"}, content=data[1:])
        if refused.status_code == 423:
            break
        assert refused.status_code == 409
        assert time.monotonic() < deadline
    gate.set()
    first.join()
    assert answers[0].headers["upload-result"] == "stored"
    assert photos(office)[0][0] == hashlib.sha256(data).digest()


def test_copies_that_come_at_the_same_moment_are_one_new_photo(
    office: Office, sender: Sender
) -> None:
    data = photo(8, 1200)  # large enough to be hashed and stored while the others are
    locations = [sender.location(len(data), f"copy {number}.jpg") for number in range(4)]
    for location in locations:
        assert sender.patch(location, 0, data[:-1]).status_code == 204
    with ThreadPoolExecutor(len(locations)) as executor:
        answers = executor.map(
            lambda location: sender.patch(location, len(data) - 1, data[-1:]), locations
        )
        results = sorted(answer.headers["upload-result"] for answer in answers)
    assert results == ["duplicate"] * 3 + ["stored"]
    assert len(photos(office)) == 1


def test_a_cancelled_upload_is_gone(office: Office, sender: Sender) -> None:
    location = sender.location(1000)
    sender.patch(location, 0, photo(8)[:500])
    assert sender.http.delete(location, headers=TUS).status_code == 204
    assert sender.http.head(location, headers=TUS).status_code == 404
    assert not (office.data_dir / "uploads" / uuid.UUID(location.rpartition("/")[2]).hex).exists()


def test_only_the_sender_reaches_an_upload(office: Office, sender: Sender) -> None:
    location = sender.location(1000)
    colleague = _sender(office, office.person("editor"))
    assert colleague.patch(location, 0, b"x").status_code == 404
    assert sender.patch(f"{sender.address}/{uuid.uuid4()}", 0, b"x").status_code == 404
    viewer = _sender(office, office.person("viewer"))
    assert viewer.begin(1000).status_code == 403
    stranger = _sender(office, office.owner, office.foreign_event_id)
    assert stranger.begin(1000).status_code == 404
    sender.http.cookies.clear()
    assert sender.begin(1000).status_code == 401


def test_an_archived_event_takes_nothing(office: Office, sender: Sender) -> None:
    office.execute("update event set status = 'archived' where id = %s", office.event_id)
    answer = sender.begin(1000)
    assert answer.status_code == 403
    assert "archived" in answer.json()["message"]
    page = office.client(office.owner).http.get(f"/events/{office.event_id}/upload")
    assert "archived" in page.text
    assert "Choose a folder" not in page.text


def test_unfinished_uploads_have_a_limit(office: Office, sender: Sender) -> None:
    sender.location(1000)
    office.execute(
        """insert into upload (id, event_id, account_id, name, size, expires_at)
           select gen_random_uuid(), event_id, account_id, name, size, expires_at
           from upload, generate_series(1, 499) where event_id = %s""",
        office.event_id,
    )
    refused = sender.begin(1000)
    assert refused.status_code == 409
    assert "choose the same folder again" in refused.json()["message"]
    office.execute(
        "update upload set expires_at = now() - interval '1 s' where event_id = %s",
        office.event_id,
    )
    assert sender.begin(1000).status_code == 201  # the old ones are forgotten


def test_senders_who_send_nothing_keep_nobody_waiting(office: Office, sender: Sender) -> None:
    address = urlsplit(office.url)
    head = sender.http.build_request(
        "POST", f"/events/{office.event_id}/uploads/known", headers={"Content-Length": "100"}
    )
    lines = [f"POST {head.url.path} HTTP/1.1", *(f"{k}: {v}" for k, v in head.headers.items())]
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            silent = socket.create_connection((str(address.hostname), int(address.port or 80)))
            stack.enter_context(silent).sendall("\r\n".join([*lines, "", ""]).encode())
        for _ in range(2 * CONNECTIONS):
            assert sender.http.get("/").status_code == 200


def test_a_killed_server_keeps_what_it_acknowledged(office: Office, tmp_path: Path) -> None:
    data = photo(9, 200)
    settings = {
        "FOTOFINISH_DATABASE_URL": office.database.dsn,
        "FOTOFINISH_DATA_DIR": str(tmp_path),
    }
    with serving(settings) as url:
        sender = _sender(office, office.owner, url=url)
        location = sender.location(len(data))
        assert sender.patch(location, 0, data[:7000]).status_code == 204
    (part,) = (tmp_path / "uploads").iterdir()
    with part.open("ab") as file:  # what a crash may leave: bytes that were never acknowledged
        file.write(b"garbage")
    with serving(settings) as url:
        sender = _sender(office, office.owner, url=url)
        assert sender.offset(location) == 7000
        assert sender.patch(location, 7000, data[7000:]).headers["upload-result"] == "stored"
    assert photos(office)[0][0] == hashlib.sha256(data).digest()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_whole_file_whose_last_step_failed_is_taken_in_when_asked_for(
    office: Office, sender: Sender
) -> None:
    data = photo(10)
    location = sender.location(len(data))
    sender.patch(location, 0, data[:500])
    upload_id = uuid.UUID(location.rpartition("/")[2])
    # as it stands when the server is killed between the last byte and the commit
    with (office.data_dir / "uploads" / upload_id.hex).open("ab") as file:
        file.write(data[500:])
    office.execute("update upload set received = size where id = %s", upload_id)
    answer = sender.http.head(location, headers=TUS)
    assert answer.headers["upload-result"] == "stored"
    assert photos(office)[0][0] == hashlib.sha256(data).digest()
