"""What runs in the background, and how it is retried; in worker processes alone.

A job that raises is retried with growing pauses; a job whose worker died is taken back by
`rescue_stalled`, which every worker runs. What a job does is the features' business, and
`queue.py` puts jobs in.
"""

from __future__ import annotations

import logging
import time
from uuid import UUID

from procrastinate import App, Blueprint, JobContext, RetryStrategy

from fotofinish.errors import FotofinishError, StorageError
from fotofinish.events.gone import erase_gone_event
from fotofinish.events.guesses import forget_full_buckets
from fotofinish.faces.selfies import forget_expired
from fotofinish.linking.links import BATCH, link_due_photos
from fotofinish.photos.deleting import clear_gone
from fotofinish.photos.direct_uploads import clear_left
from fotofinish.photos.photos import put_back
from fotofinish.photos.processing import Workshop
from fotofinish.photos.redrawing import redraw_some
from fotofinish.queue import (
    CLEAR_GONE_PHOTOS,
    PROCESS_PHOTO,
    REDRAW_PREVIEWS,
    URGENT,
    defer_previews,
    defer_processing_again,
    make_queue,
    photos_wait,
    take_back_stalled,
)
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.direct import open_direct_bucket

logger = logging.getLogger(__name__)

UNEXPECTED = "Something went wrong inside while this photo was read. Try it again."
CRASHED = "Reading this photo stopped the program several times; the file may be damaged."
MAX_ATTEMPTS = 5
# seconds until the store is tried again, and how often: for a day
OUTAGE_PAUSES, MOST_OUTAGES = (5, 10, 20, 40, 60), 24 * 60
# then photos that wait have their turn, for as long
LONGEST_LINKING = 10.0
# all faces of the event are read for each batch: large ones cost less, in as long as this
FEWEST_LINKED, BRIEF = 100, 2.5
# for a day: pauses that grow would go on for as long as a store was away, after it is back
EACH_MINUTE = RetryStrategy(max_attempts=MOST_OUTAGES, wait=OUTAGE_PAUSES[-1])

blueprint = Blueprint()


def make_worker_queue(dsn: str) -> App:
    """The queue of this database with what its jobs do, for who runs them."""
    queue = make_queue(dsn)
    queue.add_tasks_from(blueprint, namespace="")  # a name would be put before it each time
    return queue


@blueprint.task(name=CLEAR_GONE_PHOTOS, pass_context=True, retry=EACH_MINUTE)
async def clear_gone_photos(context: JobContext) -> None:
    """Delete the objects of photos that were deleted."""
    workshop: Workshop = context.additional_context["workshop"]
    async with workshop.pool.connection() as connection:
        while await clear_gone(connection, workshop.store):
            pass


@blueprint.task(name=REDRAW_PREVIEWS, pass_context=True, retry=EACH_MINUTE)
async def redraw_previews(context: JobContext, event_id: int) -> None:
    """Draw some previews again, and queue the rest behind whatever came meanwhile."""
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


@blueprint.task(
    name=PROCESS_PHOTO,
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
        await defer_processing_again(
            queue, connection, UUID(photo_id), outages=outages + 1, pause=pause
        )


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
        if start < workshop.linking_rests_until and await photos_wait(connection):
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
