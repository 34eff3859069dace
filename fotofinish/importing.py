"""The importer: folders into an event, with progress; can be stopped and run again.

Knows the terminal; what an intake is stands in `photos/intake.py`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from procrastinate import App
from psycopg import OperationalError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from fotofinish.database.connection import Database, Pool, open_pool
from fotofinish.errors import FotofinishError, InvalidValue
from fotofinish.events.events import find_event
from fotofinish.events.openness import refuse_archived
from fotofinish.linking.links import links_are_due
from fotofinish.photos.failures import list_failed
from fotofinish.photos.intake import Incoming, Outcome, readable, take_in
from fotofinish.photos.photos import event_status
from fotofinish.queue import make_queue, workers_alive
from fotofinish.settings import Settings
from fotofinish.starting import refuse_mistakes
from fotofinish.storage.stores import Store, open_store
from fotofinish.workers import WorkerProcesses

BATCH, BATCHES_AT_ONCE = 16, 2
POLL_SECONDS = 0.5
DATABASE_PATIENCE = 60.0  # seconds that a database may be away while photos are waited for
NO_WORKER = (
    "Photos cannot be read: no worker starts; the messages above say why. What is stored stays."
)
LEADS_BACK = "This link leads to a folder around it and is not followed."
IGNORED_FILES = {".ds_store", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class Rejection:
    """A file that was not taken or could not be read, and why."""

    file: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """What became of the files found; `failed` (the latest first) is known once waited for."""

    found: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    failed: list[Rejection] | None = None

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count what became of some files."""
        for outcome in outcomes:
            if outcome.result == "stored":
                self.stored += 1
            elif outcome.result == "duplicate":
                self.duplicates += 1
            else:
                file = readable(str(outcome.path))
                self.rejected.append(Rejection(file, outcome.reason or ""))

    def as_json(self) -> dict[str, object]:
        """The report as `--json` prints it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Seen:
    """How far an event's photos are, and whether anybody reads them."""

    photos: int
    read: int
    links_due: bool
    workers_alive: bool


def find_files(paths: Iterable[Path]) -> Iterator[Incoming]:
    """Every file named or in a folder named, in order; hidden and system files are left out.

    A file's folder is told from the folder named on, that one included. Linked folders come after
    the others, each folder once. Folders that cannot be listed, and links to a folder around them,
    follow after the files, with the reason.

    Raises InvalidValue for a path that does not exist or cannot be looked at.
    """
    for path in paths:
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            raise InvalidValue(f"There is no file or folder {path}.") from None
        except OSError as error:
            raise InvalidValue(f"{path} cannot be read: {error.strerror}.") from None
        if S_ISREG(mode):
            yield Incoming(path)
        elif S_ISDIR(mode):
            top = path.resolve().name
            refused: list[Incoming] = []
            for folder, names in _walk(path, refused):
                within = Path(top) / folder.relative_to(path)
                for name in sorted(names):
                    if not name.startswith(".") and name.lower() not in IGNORED_FILES:
                        yield Incoming(folder / name, folder=within.as_posix())
            yield from refused
        else:
            raise InvalidValue(f"{path} is neither a file nor a folder.")


def _walk(top: Path, refused: list[Incoming]) -> Iterator[tuple[Path, list[str]]]:
    """Each folder from `top` on with the names of its files; adds what it does not walk to
    `refused`."""

    def refuse(error: OSError) -> None:
        reason = f"This folder cannot be listed: {error.strerror}."
        refused.append(Incoming(Path(error.filename), refusal=reason))

    seen: set[Path] = set()
    waiting = deque([top])
    while waiting:
        for folder, folders, names in os.walk(waiting.popleft(), onerror=refuse):
            place = Path(os.path.realpath(folder))
            if place in seen:
                folders.clear()
                continue
            seen.add(place)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield Path(folder), names
            for name in folders:
                target = Path(os.path.realpath(place / name))
                if place.is_relative_to(target):
                    refused.append(Incoming(Path(folder, name), refusal=LEADS_BACK))
                elif target != place / name:
                    waiting.append(Path(folder, name))


async def import_photos(
    settings: Settings,
    database: Database,
    event_id: int,
    paths: Iterable[Path],
    *,
    wait: bool,
    console: Console,
) -> ImportReport:
    """Take files into an event and, with `wait`, stay until all its photos are processed.

    Of the photos that could not be read then, the report names the event's, earlier ones too.
    While nobody else's worker runs, waiting starts workers of its own.

    Raises NotFound, InvalidValue, NotAllowed for an archived event, SettingsError as
    `refuse_mistakes` does, and FotofinishError when none of its own workers starts.
    """
    refuse_mistakes(settings)
    files = list(find_files(paths))
    store = open_store(settings)
    queue = make_queue(database.dsn)
    async with open_pool(database, size=1) as pool, queue.open_async():
        async with pool.connection() as connection:
            refuse_archived(await find_event(connection, event_id))
        with _progress(console) as progress:
            task = progress.add_task("Storing", total=len(files))
            report = await _store_all(pool, store, queue, settings, event_id, files, progress, task)
            if wait:
                await _wait(pool, settings, database, event_id, progress)
                async with pool.connection() as connection:
                    report.failed = [
                        Rejection(photo.name, photo.reason)
                        for photo in await list_failed(connection, event_id)
                    ]
    return report


async def _store_all(
    pool: Pool,
    store: Store,
    queue: App,
    settings: Settings,
    event_id: int,
    files: list[Incoming],
    progress: Progress,
    task: TaskID,
) -> ImportReport:
    """Take the files in, a batch being hashed while the one before it is stored."""
    report = ImportReport(found=len(files))
    remaining = iter(files)
    under_way: deque[asyncio.Task[list[Outcome]]] = deque()

    async def finish_first() -> None:
        outcomes = await under_way[0]
        under_way.popleft()
        report.add(outcomes)
        progress.advance(task, len(outcomes))

    try:
        while batch := list(islice(remaining, BATCH)):
            taking = take_in(
                pool, store, queue, event_id, batch, max_bytes=settings.max_upload_bytes
            )
            under_way.append(asyncio.create_task(taking))
            if len(under_way) == BATCHES_AT_ONCE:
                await finish_first()
        while under_way:
            await finish_first()
    finally:
        for taken in under_way:
            taken.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
    return report


async def _wait(
    pool: Pool, settings: Settings, database: Database, event_id: int, progress: Progress
) -> None:
    """Show how far the photos are until all are read; a database that is away is waited for."""
    task = progress.add_task("Reading bibs and faces", total=None)
    own: WorkerProcesses | None = None
    answered = time.monotonic()
    try:
        while True:
            try:
                seen = await _look(pool, event_id)
            except OperationalError:
                if time.monotonic() - answered > DATABASE_PATIENCE:
                    raise
                await asyncio.sleep(POLL_SECONDS)
                continue
            answered = time.monotonic()
            progress.update(task, total=seen.photos, completed=seen.read)
            if seen.read >= seen.photos and not seen.links_due:
                return
            if own is None and not seen.workers_alive:
                own = WorkerProcesses(settings, database, default_workers())
            if own is not None:
                own.keep_up()
                if own.none_starts:
                    raise FotofinishError(NO_WORKER)
            await asyncio.sleep(POLL_SECONDS)
    finally:
        if own is not None:
            own.stop()


async def _look(pool: Pool, event_id: int) -> _Seen:
    async with pool.connection() as connection:
        status = await event_status(connection, event_id)
        return _Seen(
            photos=status.photos,
            read=status.ready + status.failed,
            links_due=await links_are_due(connection, event_id),
            workers_alive=await workers_alive(connection),
        )


def default_workers() -> int:
    """One worker process a core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("photos, left:"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
