"""Originals from a real S3 server that checks signatures, from import to download."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from fotofinish.app import create_app
from fotofinish.database.connection import Database, open_connection, open_pool
from fotofinish.events.events import create_event
from fotofinish.organisations.keys import create_key
from fotofinish.organisations.organisations import create_organisation
from fotofinish.photos.intake import Incoming, take_in
from fotofinish.queue import make_queue
from fotofinish.settings import Settings
from fotofinish.storage.stores import open_store
from tests.loops import run
from tests.photos.pictures import encoded, gradient
from tests.running import free_port, running
from tests.s3_server import S3Server


@dataclass(frozen=True, slots=True)
class Shop:
    """A server whose originals lie on S3, with two photos of bib 77."""

    url: str
    key: str
    settings: Settings
    originals: dict[str, bytes]


@pytest.fixture
def shop(
    database: Database, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Shop]:
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings(storage_url=s3_server.storage_url, data_dir=tmp_path)
    event_url, key, originals = run(_stock(database, settings, tmp_path))
    port = free_port()
    with running(create_app(settings, database), port):
        yield Shop(f"http://127.0.0.1:{port}{event_url}", key, settings, originals)


async def _stock(
    database: Database, settings: Settings, folder: Path
) -> tuple[str, str, dict[str, bytes]]:
    files = []
    for number in range(2):
        path = folder / f"{number}.jpg"
        path.write_bytes(encoded(gradient(160 + number, 120), "JPEG"))
        files.append(path)
    queue = make_queue(database.dsn)
    async with open_connection(database) as connection, queue.open_async():
        org = await create_organisation(connection, "On S3")
        event = await create_event(connection, org.id, "A race on S3")
        key, _ = await create_key(connection, org.id)
        incoming = [Incoming(path) for path in files]
        async with open_pool(database, size=1) as pool:
            await take_in(
                pool, open_store(settings), queue, event.id, incoming, max_bytes=1_000_000
            )
        cursor = await connection.execute(
            """insert into bib_tag (photo_id, bib, event_id, confidence, extension)
               select id, '77', event_id, 1, extension from photo where event_id = %s
               returning photo_id""",
            [event.id],
        )
        ids = [str(row[0]) for row in await cursor.fetchall()]
        cursor = await connection.execute(
            "select id, sha256 from photo where event_id = %s", [event.id]
        )
        digests = {str(row[0]): bytes(row[1]) for row in await cursor.fetchall()}
    assert sorted(ids) == sorted(digests)
    return f"/api/v1/ext/{org.id}/event/{event.id}", key, digests


def _ask(shop: Shop) -> dict[str, list[dict[str, str]]]:
    answer = httpx.post(
        f"{shop.url}/original-photos",
        headers={"X-API-Key": shop.key},
        json={"method": "bib", "identifier": "77"},
    )
    assert answer.status_code == 200
    return answer.json()


def test_links_of_s3_download_the_original_bytes(shop: Shop) -> None:
    answer = _ask(shop)
    assert len(answer["presigned_urls"]) == 2
    for link in answer["presigned_urls"]:
        assert "X-Amz-Signature=" in link["url"]
        got = httpx.get(link["url"])
        image_id = link["filename"].removesuffix(".jpg")
        assert hashlib.sha256(got.content).digest() == shop.originals[image_id]
        assert link["filename"] in got.headers["content-disposition"]
        assert got.headers["content-type"] == "image/jpeg"
        longer = link["url"].replace("X-Amz-Expires=3600", "X-Amz-Expires=3601")
        assert httpx.get(longer).status_code == 403


def test_an_original_that_is_gone_from_s3_fails_alone(shop: Shop) -> None:
    gone = sorted(shop.originals)[0]
    event = shop.url.rsplit("/", 1)[1]
    open_store(shop.settings).delete_many([f"imgs/{event}/large/{gone}.jpg"])
    answer = _ask(shop)
    assert [failed["image_id"] for failed in answer["failed_urls"]] == [gone]
    assert len(answer["presigned_urls"]) == 1
