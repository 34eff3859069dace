"""A real server on a real PostgreSQL and real files, and one fresh organisation a test."""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
from psycopg import sql

from fotofinish.app import create_app
from fotofinish.database.connection import Database, open_connection
from fotofinish.events.events import create_event
from fotofinish.organisations.keys import create_key
from fotofinish.organisations.organisations import create_organisation
from fotofinish.photos.keys import image_id, original_key
from fotofinish.settings import Settings
from fotofinish.storage.stores import open_store
from tests.loops import run
from tests.running import free_port, running

START = datetime(2026, 1, 19, 6, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Server:
    """A running server; `settings` are those it runs with."""

    url: str
    settings: Settings
    database: Database


@pytest.fixture(scope="module")
def server(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of the API, as `fotofinish serve` runs it, without workers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"), public_url=url, max_selfie_bytes=3_000_000
    )
    with running(create_app(settings, database), port):
        yield Server(url, settings, database)


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client without any key."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@dataclass
class Race:
    """One event of an organisation of its own, with photos put straight into the database."""

    server: Server
    org_id: int
    event_id: int
    key: str
    client: httpx.Client
    clock: Iterator[int] = field(default_factory=lambda: itertools.count())

    @property
    def base(self) -> str:
        return f"/api/v1/ext/{self.org_id}/event/{self.event_id}"

    def get(self, path: str, **params: object) -> httpx.Response:
        return self.client.get(f"{self.base}{path}", params=params, headers={"X-API-Key": self.key})

    def originals(self, body: object, **params: object) -> httpx.Response:
        return self.client.post(
            f"{self.base}/original-photos",
            content=json.dumps(body),
            params=params,
            headers={"X-API-Key": self.key},
        )

    def by_bib(self, bib: str, **params: object) -> dict[str, Any]:
        response = self.originals({"method": "bib", "identifier": bib}, **params)
        assert response.status_code == 200, response.text
        return response.json()

    def execute(
        self, statement: LiteralString, values: list[object] | dict[str, object] | None = None
    ) -> None:
        with psycopg.connect(self.server.database.dsn, autocommit=True) as connection:
            connection.execute(statement, values)

    def set_event(self, column: str, value: object) -> None:
        with psycopg.connect(self.server.database.dsn, autocommit=True) as connection:
            connection.execute(
                sql.SQL("update event set {} = %s where id = %s").format(sql.Identifier(column)),
                [value, self.event_id],
            )

    def add_photo(
        self,
        *bibs: str,
        captured_at: datetime | str | None = "next",
        data: bytes | None = None,
        hidden: bool = False,
        extension: str = "jpg",
        state: str = "ready",
    ) -> str:
        """A photo, its tags and its original; the capture times follow one another."""
        if data is None:
            data = uuid.uuid4().bytes
        sha256 = hashlib.sha256(data).digest()
        photo_id = image_id(self.event_id, sha256)
        width, height = (6000, 4000) if state == "ready" else (None, None)
        if captured_at == "next":
            captured_at = START + timedelta(seconds=next(self.clock))
        with psycopg.connect(self.server.database.dsn) as connection:
            connection.execute(
                """insert into photo (id, event_id, sha256, size, content_type, extension, name,
                                      width, height, captured_at, state, hidden,
                                      drawn)
                   values (%s, %s, %s, %s, 'image/jpeg', %s, 'a.jpg', %s, %s, %s, %s, %s, 1)""",
                [photo_id, self.event_id, sha256, len(data),
                 extension, width, height, captured_at, state, hidden],
            )  # fmt: skip
            for bib in bibs:
                connection.execute(
                    """insert into bib_tag (photo_id, bib, event_id, confidence, captured_at,
                                            extension, visible)
                       values (%s, %s, %s, 0.9, %s, %s, %s)""",
                    [photo_id, bib, self.event_id, captured_at, extension, not hidden],
                )
        self.store_original(str(photo_id), data, extension)
        return str(photo_id)

    def store_original(self, photo_id: str, data: bytes, extension: str = "jpg") -> None:
        store = open_store(self.server.settings)
        key = original_key(self.event_id, uuid.UUID(photo_id), extension)
        store.put(key, data, content_type="image/jpeg", filename=f"{photo_id}.{extension}")

    def lose_original(self, photo_id: str) -> None:
        key = original_key(self.event_id, uuid.UUID(photo_id), "jpg")
        (Path(self.server.settings.data_dir) / "storage" / key).unlink()

    def with_key(self, key: str | None) -> Race:
        return Race(self.server, self.org_id, self.event_id, key or "", self.client, self.clock)

    def of_event(self, event_id: int | str) -> Race:
        return Race(self.server, self.org_id, event_id, self.key, self.client, self.clock)  # type: ignore[arg-type]

    def of_org(self, org_id: int | str) -> Race:
        return Race(self.server, org_id, self.event_id, self.key, self.client, self.clock)  # type: ignore[arg-type]


async def _make_race(server: Server, client: httpx.Client, org: Race | None) -> Race:
    async with open_connection(server.database) as connection:
        if org is None:
            org_id = (await create_organisation(connection, "Club")).id
            key, _ = await create_key(connection, org_id)
        else:
            org_id, key = org.org_id, org.key
        event = await create_event(connection, org_id, "City Run", starts_at=START)
    return Race(server, org_id, event.id, key, client)


@pytest.fixture
def make_race(server: Server, client: httpx.Client) -> Any:
    """A function that makes an event; in an organisation of its own unless one is given."""
    return lambda org=None: run(_make_race(server, client, org))


@pytest.fixture(scope="module")
def module_race(server: Server) -> Iterator[Race]:
    """An event for all tests of a module."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield run(_make_race(server, client, None))


@pytest.fixture
def race(make_race: Any) -> Race:
    """A fresh event."""
    race: Race = make_race()
    return race
