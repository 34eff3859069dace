"""What runs in the background, and how it is retried (procrastinate, in the same PostgreSQL).

A job that raises is retried with growing pauses; a job whose worker died is taken back by
`rescue_stalled`, which every worker runs. What a job does is the features' business.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from procrastinate import App, Blueprint, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.types import JSONDict
from psycopg import AsyncConnection
from psycopg.rows import class_row

from fotofinish.database.connection import Pool
from fotofinish.errors import FotofinishError, StorageError
from fotofinish.events.gone import erase_gone_event
from fotofinish.events.guesses import forget_full_buckets
from fotofinish.faces.selfies import forget_expired
from fotofinish.linking.links import BATCH, link_due_photos
from fotofinish.photos.photos import put_back
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.direct import open_direct_bucket

if TYPE_CHECKING:  # the models behind it are loaded in worker processes alone
    from fotofinish.photos.processing import Workshop

logger = logging.getLogger(__name__)

UNEXPECTED = "Something went wrong inside while this photo was read. Try it again."
CRASHED = "Reading this photo stopped the program several times; the file may be damaged."
MAX_ATTEMPTS = 5
# seconds until the store is tried again, and how often: for a day
OUTAGE_PAUSES, MOST_OUTAGES = (5, 10, 20, 40, 60), 24 * 60
HEARTBEAT = 5.0
# four missed heartbeats: a worker that computes still sends them, from its event loop
STALLED_AFTER = 20.0

# then photos that wait have their turn, for as long
LONGEST_LINKING = 10.0
# all faces of the event are read for each batch: large ones cost less, in as long as this
FEWEST_LINKED, BRIEF = 100, 2.5
URGENT = 10  # before any number of waiting photos
PATIENT = -10  # after all of them
# for a day: pauses that grow would go on for as long as a store was away, after it is back
EACH_MINUTE = RetryStrategy(max_attempts=MOST_OUTAGES, wait=OUTAGE_PAUSES[-1])

blueprint = Blueprint()


def make_queue(dsn: str) -> App:
    """The queue of this database; open it with `async with queue.open_async()` to run it."""
    queue = App(connector=PsycopgConnector(conninfo=dsn, min_size=1, max_size=3))
    queue.add_tasks_from(blueprint, namespace="")  # a name would be put before it each time
    return queue


async def defer_processing(
    queue: App, connection: AsyncConnection, photo_ids: Sequence[UUID]
) -> None:
    """Queue photos for processing, in the transaction that `connection` is in."""
    if photo_ids:
        deferrer = queue.configure_task("fotofinish:process_photo", connection=connection)
        arguments: list[JSONDict] = [{"photo_id": str(photo_id)} for photo_id in photo_ids]
        await deferrer.batch_defer_async(*arguments)


async def defer_clearing(queue: App, connection: AsyncConnection) -> None:
    """Queue the deletion of deleted photos' objects, in the transaction of `connection`."""
    deferrer = queue.configure_task(
        "fotofinish:clear_gone_photos", connection=connection, priority=URGENT
    )
    await deferrer.defer_async()


@blueprint.task(
    name="fotofinish:clear_gone_photos",
    pass_context=True,
    retry=EACH_MINUTE,
)
async def clear_gone_photos(context: JobContext) -> None:
    """Delete the objects of photos that were deleted."""
    from fotofinish.photos.deleting import clear_gone  # it defers this job

    workshop: Workshop = context.additional_context["workshop"]
    async with workshop.pool.connection() as connection:
        while await clear_gone(connection, workshop.store):
            pass


async def defer_previews(queue: App, connection: AsyncConnection, event_id: int) -> None:
    """Queue an event's previews to be drawn again, after everything else that waits."""
    deferrer = queue.configure_task(
        "fotofinish:redraw_previews",
        connection=connection,
        priority=PATIENT,
        lock=f"redraw {event_id}",  # two of them would draw the same photos
    )
    await deferrer.defer_async(event_id=event_id)


@blueprint.task(
    name="fotofinish:redraw_previews",
    pass_context=True,
    retry=EACH_MINUTE,
)
async def redraw_previews(context: JobContext, event_id: int) -> None:
    """Draw some previews again, and queue the rest behind whatever came meanwhile."""
    from fotofinish.photos.redrawing import redraw_some  # it needs the decoders

    workshop: Workshop = context.additional_context["workshop"]
    left = await redraw_some(
        workshop.pool,
        workshop.store,
        event_id,
        max_pixels=workshop.max_pixels,
        wary=context.job.attempts >= MAX_ATTEMPTS,
    )
    if left:
        async with workshop.pool.connection() as connection:
            await defer_previews(context.app, connection, event_id)


async def defer_old_previews(queue: App, pool: Pool) -> None:
    """Queue what an older version drew to be drawn again; once, whoever calls."""
    from fotofinish.photos.redrawing import events_with_old_previews

    async with pool.connection() as connection:
        for event_id in await events_with_old_previews(connection):
            deferrer = queue.configure_task(
                "fotofinish:redraw_previews",
                priority=PATIENT,
                lock=f"redraw {event_id}",
                queueing_lock=f"old previews {event_id}",
            )
            with suppress(AlreadyEnqueued):
                await deferrer.defer_async(event_id=event_id)


@blueprint.task(
    name="fotofinish:process_photo",
    pass_context=True,
    retry=RetryStrategy(max_attempts=MAX_ATTEMPTS, exponential_wait=3),
)
async def process_photo(context: JobContext, photo_id: str, outages: int = 0) -> None:
    """Process one photo; after the last attempt it ends as "failed" with a reason.

    A store that is away is no fault of the photo's: it waits for a day at most, `outages` times.
    """
    workshop: Workshop = context.additional_context["workshop"]
    attempts = context.job.attempts
    if attempts > MAX_ATTEMPTS:
        await workshop.give_up(UUID(photo_id), CRASHED)
        return
    try:
        outdated = await workshop.process(UUID(photo_id))
    except Exception as error:
        if isinstance(error, StorageError) and outages < MOST_OUTAGES:
            logger.warning("photo %s waits: %s", photo_id, error.message)
            await _put_off(context.app, workshop, photo_id, outages)
            return
        if attempts >= MAX_ATTEMPTS:
            reason = error.message if isinstance(error, FotofinishError) else UNEXPECTED
            await workshop.give_up(UUID(photo_id), reason)
            logger.exception("photo %s failed for good", photo_id)
            return
        raise
    if outdated is not None:
        async with workshop.pool.connection() as connection:
            await defer_previews(context.app, connection, outdated)


async def _put_off(queue: App, workshop: Workshop, photo_id: str, outages: int) -> None:
    """Queue the photo again, for when the store may be back."""
    pause = OUTAGE_PAUSES[min(outages, len(OUTAGE_PAUSES) - 1)]
    async with workshop.pool.connection() as connection, connection.transaction():
        await put_back(connection, UUID(photo_id))
        deferrer = queue.configure_task(
            "fotofinish:process_photo", connection=connection, schedule_in={"seconds": pause}
        )
        await deferrer.defer_async(photo_id=photo_id, outages=outages + 1)


@blueprint.periodic(cron="* * * * * */10")
@blueprint.task(
    name="fotofinish:rescue_stalled",
    queueing_lock="rescue_stalled",
    priority=URGENT,
    pass_context=True,
)
async def rescue_stalled(context: JobContext, timestamp: int) -> None:
    """Take back the jobs of workers that died (kill -9, power cut)."""
    await take_back_stalled(context.app)


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


@blueprint.periodic(cron="* * * * * */3")
@blueprint.task(
    name="fotofinish:link_photos",
    lock="link_photos",  # of several workers one links, the others go on with photos
    queueing_lock="link_photos",
    priority=URGENT,
    pass_context=True,
)
async def link_photos(context: JobContext, timestamp: int) -> None:
    """Look at the links of faces and bibs for every photo that is due, for a while."""
    workshop: Workshop = context.additional_context["workshop"]
    start = time.monotonic()
    async with workshop.pool.connection() as connection:
        if start < workshop.linking_rests_until and await _photos_wait(connection):
            return
        limit, begun = FEWEST_LINKED, start
        while await link_due_photos(connection, limit):
            end = time.monotonic()
            if end - start >= LONGEST_LINKING:
                break
            limit = min(2 * limit, BATCH) if end - begun < BRIEF else max(1, limit // 2)
            begun = end
    end = time.monotonic()
    workshop.linking_rests_until = end + (end - start)


async def _photos_wait(connection: AsyncConnection) -> bool:
    cursor = await connection.execute(
        """select exists (select 1 from procrastinate_jobs
                          where status = 'todo' and task_name = 'fotofinish:process_photo'
                            and (scheduled_at is null or scheduled_at <= now()))"""
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


@blueprint.periodic(cron="* * * * * */10")
@blueprint.task(
    name="fotofinish:erase_events",
    lock="erase_events",  # of several workers one erases, the others go on with photos
    queueing_lock="erase_events",
    priority=URGENT,
    pass_context=True,
)
async def erase_events(context: JobContext, timestamp: int) -> None:
    """Delete what is stored of deleted events; what fails is tried again in a minute."""
    workshop: Workshop = context.additional_context["workshop"]
    async with workshop.pool.connection() as connection:
        while await erase_gone_event(connection, workshop.store):
            pass


@blueprint.periodic(cron="* * * * *")
@blueprint.task(
    name="fotofinish:clear_direct_uploads", queueing_lock="clear_direct_uploads", pass_context=True
)
async def clear_direct_uploads(context: JobContext, timestamp: int) -> None:
    """Clear away what browsers began to put into the bucket and nobody went on with."""
    from fotofinish.photos.direct_uploads import clear_left  # it defers jobs

    workshop: Workshop = context.additional_context["workshop"]
    async with open_direct_bucket(workshop.store) as bucket:
        if bucket is None or not isinstance(workshop.store, CloudStore):
            return
        async with workshop.pool.connection() as connection:
            while await clear_left(connection, workshop.store, bucket):
                pass


@blueprint.periodic(cron="17 * * * *")
@blueprint.task(
    name="fotofinish:forget_selfies",
    queueing_lock="forget_selfies",
    priority=URGENT,
    pass_context=True,
)
async def forget_selfies(context: JobContext, timestamp: int) -> None:
    """Delete selfies past their expiry, with templates and matches; and who searched how often."""
    workshop: Workshop = context.additional_context["workshop"]
    async with workshop.pool.connection() as connection:
        await forget_expired(connection)
        await forget_full_buckets(connection)
