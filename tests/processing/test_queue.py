"""The queue after workers died: what they held is taken back, and nothing waits for the dead."""

from __future__ import annotations

import procrastinate
import pytest

from fotofinish.database.connection import Database, open_connection
from fotofinish.jobs import defer_previews, make_queue, take_back_stalled
from tests.loops import run


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
