"""The queue after workers died: what they held is taken back, and nothing waits for the dead."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import procrastinate
import pytest

from fotofinish import jobs
from fotofinish.arrays import Pixels
from fotofinish.database.connection import Database, open_connection, open_pool
from fotofinish.errors import ObjectMissing, StorageError
from fotofinish.jobs import MAX_ATTEMPTS, make_worker_queue
from fotofinish.photos import redrawing
from fotofinish.photos.processing import Workshop
from fotofinish.queue import defer_previews, make_queue, take_back_stalled
from fotofinish.recognition import Recogniser
from fotofinish.settings import load_settings
from fotofinish.storage.folder import FolderStore
from fotofinish.storage.stores import Store, open_store
from tests.loops import run
from tests.processing.conftest import Bench

TALL = 400


async def _die_with_a_job(queue: procrastinate.App) -> None:
    """Take the job that is next, as a worker that is killed then."""
    manager = queue.job_manager
    worker = await manager.register_worker()
    assert await manager.fetch_job(None, worker) is not None
    await queue.connector.execute_query_async(
        """update procrastinate_workers set last_heartbeat = now() - interval '1 hour'
           where id = %(id)s""",
        id=worker,
    )


async def _work_off(database: Database, store: Store, recogniser: Recogniser) -> None:
    """Do what is queued, as a worker does."""
    queue = make_worker_queue(database.dsn)
    async with open_pool(database, size=2) as pool, queue.open_async():
        workshop = Workshop(pool, store, recogniser, max_pixels=100_000_000)
        await queue.run_worker_async(
            wait=False,
            concurrency=1,
            install_signal_handlers=False,
            additional_context={"workshop": workshop},
        )


async def _next_job(queue: procrastinate.App) -> str | None:
    manager = queue.job_manager
    job = await manager.fetch_job(None, await manager.register_worker())
    return job and job.task_name


def test_a_job_of_a_dead_worker_is_taken_back(database: Database) -> None:
    queue = make_queue(database.dsn)

    async def act() -> None:
        async with queue.open_async(), open_connection(database) as connection:
            await defer_previews(queue, connection, 1)
            await _die_with_a_job(queue)
            assert await _next_job(queue) is None
            assert await take_back_stalled(queue) == 1
            assert await _next_job(queue) == "fotofinish:redraw_previews"

    run(act())


@pytest.mark.parametrize("task", ["link_photos", "redraw_previews"])
def test_a_dead_workers_lock_does_not_keep_the_next_job_waiting(
    database: Database, task: str
) -> None:
    queue = make_queue(database.dsn)
    name = f"fotofinish:{task}"

    async def act() -> None:
        async with queue.open_async():
            deferrer = queue.configure_task(name, lock=task, queueing_lock=task)
            await deferrer.defer_async()
            await _die_with_a_job(queue)
            await deferrer.defer_async()  # as it comes again by the clock
            assert await _next_job(queue) is None
            await take_back_stalled(queue)
            assert await _next_job(queue) == name
            assert await _next_job(queue) is None

    run(act())


@pytest.mark.parametrize(
    ("failure", "drawn"),
    [(StorageError("The store is away."), 0), (ObjectMissing("There is no such object."), -1)],
)
def test_previews_wait_for_a_store_that_is_away_and_for_no_original_that_is_gone(
    bench: Bench,
    portrait: Pixels,
    monkeypatch: pytest.MonkeyPatch,
    failure: StorageError,
    drawn: int,
) -> None:
    (photo,) = bench.import_and_process(bench.write("a.jpg", portrait))
    bench.make_previews_old(photo)

    def fail(store: FolderStore, key: str) -> bytes:
        raise failure

    monkeypatch.setattr(FolderStore, "get", fail)
    with suppress(StorageError):
        bench.redraw()
    assert bench.query("select drawn from photo where id = %s", photo) == [(drawn,)]


def test_photos_wait_for_a_store_that_is_away(
    bench: Bench, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "OUTAGE_PAUSES", (0,))
    (photo,) = bench.take_in(bench.write("a.jpg", portrait))
    store = open_store(load_settings(data_dir=bench.folder))
    failures, states = [StorageError("The store is away.")] * 3 * MAX_ATTEMPTS, []
    get = store.get

    def get_at_last(key: str) -> bytes:
        if str(photo) not in key:  # one that another test left in the queue
            return get(key)
        states.extend(bench.query("select state from photo where id = %s", photo))
        if failures:
            raise failures.pop()
        return get(key)

    monkeypatch.setattr(store, "get", get_at_last)
    run(_work_off(bench.database, store, bench.recogniser))
    assert len(states) == 3 * MAX_ATTEMPTS + 1
    assert bench.query("select state from photo where id = %s", photo) == [("ready",)]


def _work_until_a_tall_photo_is_drawn(database: Database, folder: Path) -> None:
    decode = redrawing.decode

    def decode_or_die(*args: Any, **more: Any) -> Any:
        decoded = decode(*args, **more)
        if decoded.pixels.shape[0] == TALL:
            os._exit(9)
        return decoded

    redrawing.decode = decode_or_die
    no_models = cast(Recogniser, None)  # nothing is read here
    run(_work_off(database, open_store(load_settings(data_dir=folder)), no_models))


def test_a_photo_whose_drawing_stops_the_program_keeps_no_other_from_being_drawn(
    bench: Bench, portrait: Pixels
) -> None:
    bad, good = bench.import_and_process(
        bench.write("a.jpg", portrait[:TALL]), bench.write("b.jpg", portrait)
    )
    bench.make_previews_old(bad, good)
    queue = make_queue(bench.database.dsn)

    async def ready_again() -> None:
        async with queue.open_async(), open_connection(bench.database) as connection:
            await connection.execute(
                "update procrastinate_workers set last_heartbeat = '-infinity'"
            )
            await take_back_stalled(queue)

    async def begin() -> None:
        async with queue.open_async(), open_connection(bench.database) as connection:
            await connection.execute("delete from procrastinate_jobs")  # reading them draws as well
            await defer_previews(queue, connection, bench.event_id)
            await connection.execute(
                "update procrastinate_jobs set attempts = %s", [MAX_ATTEMPTS - 1]
            )

    run(begin())
    ends = []
    for _ in range(3):
        worker = multiprocessing.get_context("spawn").Process(
            target=_work_until_a_tall_photo_is_drawn, args=(bench.database, bench.folder)
        )
        worker.start()
        worker.join(60)
        ends.append(worker.exitcode)
        run(ready_again())
    assert ends == [9, 9, 0]
    drawn = "select drawn > 0 from photo where id = %s"
    assert bench.query(drawn, good) == [(True,)]
    assert bench.query(drawn, bad) == [(False,)]
    assert bench.redraw() is False  # and the bad one is not tried again
    assert bench.query(drawn, bad) == [(False,)]
