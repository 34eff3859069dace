"""The queue after workers died: what they held is taken back, and nothing waits for the dead."""

from __future__ import annotations

import procrastinate
import pytest

from fotofinish import jobs
from fotofinish.database.connection import Database, open_connection, open_pool
from fotofinish.errors import StorageError
from fotofinish.jobs import MAX_ATTEMPTS, defer_previews, make_queue, take_back_stalled
from fotofinish.photos.processing import Workshop
from fotofinish.settings import load_settings
from fotofinish.storage.stores import open_store
from fotofinish.vision.faces import Pixels
from tests.loops import run
from tests.processing.conftest import Bench


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


def test_photos_wait_for_a_store_that_is_away(
    bench: Bench, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "OUTAGE_PAUSES", (0,))
    (photo,) = bench.take_in(bench.write("a.jpg", portrait))
    queue = make_queue(bench.database.dsn)
    store = open_store(load_settings(data_dir=bench.folder))
    failures, states = [StorageError("The store is away.")] * 3 * MAX_ATTEMPTS, []
    get = store.get

    def get_at_last(key: str) -> bytes:
        states.extend(bench.query("select state from photo where id = %s", photo))
        if failures:
            raise failures.pop()
        return get(key)

    async def work() -> None:
        async with open_pool(bench.database, size=2) as pool, queue.open_async():
            workshop = Workshop(pool, store, bench.recogniser, max_pixels=100_000_000)
            await queue.run_worker_async(
                wait=False, concurrency=1, additional_context={"workshop": workshop}
            )

    monkeypatch.setattr(store, "get", get_at_last)
    run(work())
    assert len(states) == 3 * MAX_ATTEMPTS + 1
    assert bench.query("select state from photo where id = %s", photo) == [("ready",)]
