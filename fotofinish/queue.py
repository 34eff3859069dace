"""The queue of jobs in the database (procrastinate): what puts jobs in, and takes back those whose
worker died; how full it is, who works.

A job is put in by the transaction of what it is for, so none is lost and none is for nothing. What
the jobs do is said in `jobs.py`, which worker processes alone need.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.types import JSONDict
from psycopg import AsyncConnection
from psycopg.rows import class_row

# servers know tasks by these names alone: what a job is to have (a lock, a priority) is given here
PROCESS_PHOTO = "fotofinish:process_photo"
CLEAR_GONE_PHOTOS = "fotofinish:clear_gone_photos"
REDRAW_PREVIEWS = "fotofinish:redraw_previews"

HEARTBEAT = 5.0
# four missed heartbeats: a worker that computes still sends them, from its event loop
STALLED_AFTER = 20.0
URGENT = 10  # before any number of waiting photos
PATIENT = -10  # after all of them


def make_queue(dsn: str) -> App:
    """The queue of this database; open it with `async with queue.open_async()` to use it."""
    return App(connector=PsycopgConnector(conninfo=dsn, min_size=1, max_size=3))


async def defer_processing(
    queue: App, connection: AsyncConnection, photo_ids: Sequence[UUID]
) -> None:
    """Queue photos for processing, in the transaction that `connection` is in."""
    if photo_ids:
        deferrer = queue.configure_task(PROCESS_PHOTO, connection=connection)
        arguments: list[JSONDict] = [{"photo_id": str(photo_id)} for photo_id in photo_ids]
        await deferrer.batch_defer_async(*arguments)


async def defer_processing_again(
    queue: App, connection: AsyncConnection, photo_id: UUID, *, outages: int, pause: int
) -> None:
    """Queue a photo for when its store may be back, in so many seconds."""
    deferrer = queue.configure_task(
        PROCESS_PHOTO, connection=connection, schedule_in={"seconds": pause}
    )
    await deferrer.defer_async(photo_id=str(photo_id), outages=outages)


async def defer_clearing(queue: App, connection: AsyncConnection) -> None:
    """Queue the deletion of deleted photos' objects, in the transaction of `connection`."""
    deferrer = queue.configure_task(CLEAR_GONE_PHOTOS, connection=connection, priority=URGENT)
    await deferrer.defer_async()


async def defer_previews(queue: App, connection: AsyncConnection, event_id: int) -> None:
    """Queue an event's previews to be drawn again, after everything else that waits."""
    deferrer = queue.configure_task(
        REDRAW_PREVIEWS, connection=connection, priority=PATIENT, lock=_lock_of_redrawing(event_id)
    )
    await deferrer.defer_async(event_id=event_id)


async def defer_old_previews(queue: App, event_ids: Sequence[int]) -> None:
    """Queue what an older version drew in these events to be drawn again; once, whoever calls."""
    for event_id in event_ids:
        deferrer = queue.configure_task(
            REDRAW_PREVIEWS,
            priority=PATIENT,
            lock=_lock_of_redrawing(event_id),
            queueing_lock=f"old previews {event_id}",
        )
        with suppress(AlreadyEnqueued):
            await deferrer.defer_async(event_id=event_id)


def _lock_of_redrawing(event_id: int) -> str:
    return f"redraw {event_id}"  # two of them would draw the same photos


@dataclass(frozen=True, slots=True)
class QueueState:
    """How full the queue is; `oldest_seconds` is 0 when nothing waits."""

    waiting: int
    running: int
    oldest_seconds: float
    workers: int


async def queue_state(connection: AsyncConnection) -> QueueState:
    """Look at the queue of all machines; jobs that are to run later do not wait yet."""
    async with connection.cursor(row_factory=class_row(QueueState)) as cursor:
        await cursor.execute(
            """select count(*) filter (where status = 'todo') as waiting,
                      count(*) filter (where status = 'doing') as running,
                      coalesce((
                        select extract(epoch from now() - min(at)) from procrastinate_events
                        where type = 'deferred' and job_id = min(jobs.id)
                            filter (where status = 'todo')
                      ), 0)::float8 as oldest_seconds,
                      (select count(*) from procrastinate_workers
                       where last_heartbeat > now() - make_interval(secs => %s)) as workers
               from procrastinate_jobs jobs
               where status in ('todo', 'doing')
                 and (status = 'doing' or scheduled_at is null or scheduled_at <= now())""",
            [STALLED_AFTER],
        )
        state = await cursor.fetchone()
    assert state is not None
    return state


async def photos_wait(connection: AsyncConnection) -> bool:
    """Whether any photo is to be read that no worker has begun with."""
    cursor = await connection.execute(
        """select exists (select 1 from procrastinate_jobs
                          where status = 'todo' and task_name = %s
                            and (scheduled_at is null or scheduled_at <= now()))""",
        [PROCESS_PHOTO],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def workers_alive(connection: AsyncConnection) -> bool:
    """Whether any worker, on any machine, has sent a heartbeat lately."""
    cursor = await connection.execute(
        """select exists (select 1 from procrastinate_workers
                          where last_heartbeat > now() - make_interval(secs => %s))""",
        [STALLED_AFTER],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def take_back_stalled(queue: App) -> int:
    """Queue again every job whose worker sends no heartbeat any more; says how many.

    One whose queueing lock another has by now, which will do its work, is ended: its lock would
    keep that one waiting for ever.
    """
    manager = queue.job_manager
    await manager.prune_stalled_workers(STALLED_AFTER)
    taken = 0
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER):
        with suppress(ConnectorException):  # another worker was faster
            try:
                await manager.retry_job(job)
                taken += 1
            except UniqueViolation:
                await manager.finish_job(job, Status.ABORTED, delete_job=True)
    return taken
