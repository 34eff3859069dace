"""What is configured, what answers and what does not, and how to mend it (`fotofinish doctor`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import psycopg

from fotofinish.database.connection import Database, open_connection, open_database, place_of
from fotofinish.errors import FotofinishError
from fotofinish.photos.keys import CHECK_KEY
from fotofinish.queue import workers_alive
from fotofinish.settings import Settings
from fotofinish.storage.direct import open_direct_bucket
from fotofinish.storage.stores import Store, open_store
from fotofinish.vision.registry import MODELS, model_path

NO_STORAGE = (
    "check FOTOFINISH_STORAGE_URL, and the cloud's keys in the environment ('the storage' in "
    "docs/production.md)"
)
BUCKET_IS_AWAY = (
    "open that address where participants are: if it answers there, nothing is wrong; else correct "
    "public_endpoint in FOTOFINISH_STORAGE_URL, as links of photos lead there too"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried; `mend` says what to do when it did not work."""

    subject: str
    ok: bool
    detail: str
    mend: str | None = None

    def as_json(self) -> dict[str, object]:
        """The check as `--json` prints it."""
        return asdict(self)

    def as_line(self) -> str:
        """The check as people read it."""
        mend = f"\n       to mend it: {self.mend}" if self.mend and not self.ok else ""
        return f"{'ok  ' if self.ok else 'FAIL'} {self.subject}: {self.detail}{mend}"


def examine(settings: Settings) -> list[Check]:
    """Try everything an installation needs; never raises for what is broken."""
    return [
        *_database(settings),
        *_stored(settings),
        *(_model(name) for name in MODELS),
        *_embedder(settings),
        Check("links", True, f"valid {settings.link_ttl} s, under {settings.public_url}"),
    ]


def _stored(settings: Settings) -> list[Check]:
    """The storage, and which way uploads take to it, which nobody can tell without it."""
    uploads = "uploads from browsers"
    storage = _tried("storage", lambda: _storage(settings), NO_STORAGE)
    if not storage.ok:
        return [storage, Check(uploads, False, "not tried", "mend the storage first")]
    own_address = "public_endpoint=" in (settings.storage_url or "")
    mend = BUCKET_IS_AWAY if own_address else NO_STORAGE
    return [storage, _tried(uploads, lambda: _direct(settings), mend)]


def _model(name: str) -> Check:
    return _tried(f"model {name}", lambda: model_path(name).name, "run make install")


def _embedder(settings: Settings) -> list[Check]:
    """Whether an embedder of the operator's own can be loaded; nothing without one."""
    path = settings.face_embedder
    if path is None:
        return []
    # imported here: what loads networks is slow to import, and few have one of their own
    from fotofinish.vision.faces import FaceFinder

    mend = "name another file in FOTOFINISH_FACE_EMBEDDER, or nothing for the packaged model"
    return [_tried("face embedder", lambda: FaceFinder(embedder_path=path).model, mend)]


def _tried(subject: str, attempt: Callable[[], str], mend: str) -> Check:
    try:
        return Check(subject, True, attempt())
    except FotofinishError as error:
        return Check(subject, False, error.message, mend)


def _database(settings: Settings) -> list[Check]:
    where, mend = "FOTOFINISH_DATABASE_URL", "see 'the database' in docs/production.md"
    if settings.embedded_database:
        where, mend = "embedded", f"read {settings.data_dir / 'postgres' / 'log'}, if it is there"
    try:
        with open_database(settings) as database:
            return asyncio.run(_ask(database, place_of(settings, database)))
    except (FotofinishError, psycopg.Error) as error:
        detail = error.message if isinstance(error, FotofinishError) else type(error).__name__
        return [Check("database", False, f"{where}: {detail}", mend)]


async def _ask(database: Database, place: str) -> list[Check]:
    async with open_connection(database) as connection:
        cursor = await connection.execute(
            """select current_setting('server_version'),
                      current_setting('server_version_num')::int,
                      (select extversion from pg_extension where extname = 'vector')"""
        )
        row = await cursor.fetchone()
        assert row is not None
        alive = await workers_alive(connection)
    return [
        Check("database", row[1] >= 150000, f"{place}: PostgreSQL {row[0]}", "use PostgreSQL 15+"),
        Check("pgvector", row[2] is not None, f"version {row[2]}", "create extension vector"),
        Check(
            "workers",
            True,
            "at work" if alive else "none now: 'fotofinish serve' or 'fotofinish worker' runs them",
        ),
    ]


def _direct(settings: Settings) -> str:
    return asyncio.run(_ask_direct(open_store(settings), settings.public_url))


async def _ask_direct(store: Store, public_url: str) -> str:
    """Which way photos of the dashboard take; through this server is slower, but no fault."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(public_url))
    async with open_direct_bucket(store) as bucket:
        if bucket is None:
            return "through this server"
        if await bucket.lets_browsers_send(CHECK_KEY, origin):
            return f"straight to {bucket.origin}, from pages of {origin}"
        return (
            f"through this server: the bucket's CORS rules do not let pages of {origin} put "
            "objects into it (the rules to set are in docs/production.md)"
        )


def _storage(settings: Settings) -> str:
    open_store(settings).check()
    return "writes, reads and deletes"
