"""Archives of originals, from a folder and from a bucket: whole, in ranges, and resumed."""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime

import httpx
import pytest

from fotofinish.app import create_app
from fotofinish.database.connection import Database
from fotofinish.photos.keys import original_key
from fotofinish.settings import Settings
from fotofinish.storage.stores import open_store
from tests.gallery.conftest import Gallery
from tests.running import free_port, running
from tests.s3_server import S3Server


@pytest.fixture(scope="module", params=["folder", "bucket"])
def site(
    request: pytest.FixtureRequest,
    database: Database,
    s3_server: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Settings]]:
    """The server with its originals in a folder, and with them on S3."""
    port, folder = free_port(), tmp_path_factory.mktemp("site")
    url = f"http://127.0.0.1:{port}"
    storage = s3_server.storage_url if request.param == "bucket" else None
    with pytest.MonkeyPatch.context() as patch:
        for name, value in s3_server.environment.items():
            patch.setenv(name, value)
        settings = Settings(data_dir=folder, public_url=url, storage_url=storage)
        with running(create_app(settings, database), port):
            yield url, settings


@pytest.fixture
def client(gallery: Gallery) -> Iterator[httpx.Client]:
    with gallery.client() as client:
        yield client


def test_every_range_of_an_archive_is_a_piece_of_it(gallery: Gallery, client: httpx.Client) -> None:
    ids = [gallery.add("1") for _ in range(3)]
    address = f"{gallery.address}/photos.zip?bib=1"
    whole = client.get(address)
    assert int(whole.headers["content-length"]) == len(whole.content)
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist()] == [
            gallery.original(photo) for photo in ids
        ]
    head = client.head(address)
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert head.headers["etag"] == whole.headers["etag"]
    size = len(whole.content)
    for start, stop in ((0, 10), (25, 60), (size // 2, size), (size - 9, size), (1, size)):
        part = client.get(address, headers={"Range": f"bytes={start}-{stop - 1}"})
        assert part.status_code == 206
        assert part.content == whole.content[start:stop]
    assert client.get(address, headers={"Range": f"bytes={size}-"}).status_code == 416


@pytest.mark.parametrize("change", ["one photo more", "other names"])
def test_an_archive_that_changed_is_sent_from_the_start(
    gallery: Gallery, client: httpx.Client, change: str
) -> None:
    gallery.add("1")
    address = f"{gallery.address}/photos.zip?bib=1"
    before = client.get(address).headers["etag"]
    if change == "one photo more":
        gallery.add("1")
    else:
        gallery.execute("update event set time_zone = 'Asia/Tokyo' where id = %s", gallery.event.id)
    answer = client.get(address, headers={"Range": "bytes=100-", "If-Range": before})
    assert answer.status_code == 200


@pytest.mark.parametrize(("year", "told"), [(1950, 1980), (2150, 2107)])
def test_a_date_that_archives_cannot_have_is_told_as_the_nearest_they_can(
    gallery: Gallery, client: httpx.Client, year: int, told: int
) -> None:
    gallery.add("1")
    gallery.execute("update photo set captured_at = null where event_id = %s", gallery.event.id)
    gallery.execute(
        "update event set starts_at = %s where id = %s",
        datetime(year, 5, 9, 8, 30), gallery.event.id,
    )  # fmt: skip
    whole = client.get(f"{gallery.address}/photos.zip?bib=1")
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert archive.testzip() is None
        assert [entry.date_time for entry in archive.infolist()] == [(told, 5, 9, 8, 30, 0)]


def test_a_checksum_is_computed_once_and_kept(gallery: Gallery, client: httpx.Client) -> None:
    photo = gallery.add("1")
    client.get(f"{gallery.address}/photos.zip?bib=1")
    ((kept,),) = gallery.execute("select crc32 from photo where id = %s", photo)
    assert kept == zlib.crc32(gallery.original(photo))


def test_photos_of_a_bib_are_the_same_in_the_archive_as_on_the_page(
    gallery: Gallery, client: httpx.Client
) -> None:
    photo = gallery.add("7")
    gallery.execute(
        "insert into startlist_entry (event_id, bib) values (%s, '7'), (%s, '123')",
        gallery.event.id, gallery.event.id,
    )  # fmt: skip
    page = client.get(f"{gallery.address}/find?bib=007").text
    assert "1 photo" in page
    (live,) = re.findall(r'data-live="([^"]+)"', page)
    assert client.get(gallery.url + html.unescape(live)).json()["total"] == 1
    answer = client.get(f"{gallery.address}/photos.zip?bib=007")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert [archive.read(name) for name in archive.namelist()] == [gallery.original(photo)]


def test_photos_that_are_read_again_stay_in_the_archive(
    gallery: Gallery, client: httpx.Client
) -> None:
    photo = gallery.add("1")
    gallery.execute("update photo set state = 'waiting' where id = %s", photo)
    answer = client.get(f"{gallery.address}/photos.zip?bib=1")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        assert archive.read(name) == gallery.original(photo)


def test_an_original_that_is_gone_is_said_inside_the_gallery(
    gallery: Gallery, client: httpx.Client
) -> None:
    photo = gallery.add("1")
    open_store(gallery.settings).delete_many([original_key(gallery.event.id, photo, "jpg")])
    answer = client.get(f"{gallery.address}/photo/{photo}/download")
    assert answer.status_code == 404
    assert f'href="/e/{gallery.event.slug}"' in answer.text


@pytest.mark.parametrize(
    ("language", "said"), [("en", "1 photo is missing"), ("de", "1 Foto fehlt")]
)
def test_an_original_that_is_gone_is_left_out_and_named_in_a_note(
    gallery: Gallery, client: httpx.Client, language: str, said: str
) -> None:
    gone, there = gallery.add("1"), gallery.add("1")
    address = f"{gallery.address}/photos.zip?bib=1"
    client.headers["Accept-Language"] = language
    before = client.get(address).headers["etag"]
    open_store(gallery.settings).delete_many([original_key(gallery.event.id, gone, "jpg")])
    answer = client.get(address)
    assert answer.headers["etag"] != before
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        photo, note = archive.namelist()
        assert archive.read(photo) == gallery.original(there)
        text = archive.read(note).decode()
        noted = answer.content.index(archive.read(note))
    assert said in text
    assert str(gone)[:8] in text
    assert str(there)[:8] not in text
    for start in (noted - 10, noted + 20, len(answer.content) - 9):
        part = client.get(address, headers={"Range": f"bytes={start}-"})
        assert part.content == answer.content[start:]
