"""Processing workers: processes of one job at a time each, and the supervisor that keeps them up.

A photo that crashes a native decoder takes its worker process with it, never the server: the
supervisor starts another one, and the job is taken back.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import time
from contextlib import AsyncExitStack
from multiprocessing.context import SpawnProcess

from fotofinish.database.connection import Database, open_pool
from fotofinish.errors import FotofinishError
from fotofinish.logs import log_as_json
from fotofinish.queue import HEARTBEAT, STALLED_AFTER, take_back_stalled
from fotofinish.settings import Settings
from fotofinish.storage.stores import open_store

logger = logging.getLogger(__name__)

RESTART_PAUSE = 1.0
STARTED_AFTER = 30.0  # seconds; who ends with an error before has not started
STARTS_TRIED = 3
STOP_PATIENCE = 30.0
CLOCK_SET_BY = 60.0  # seconds; less is how clocks are corrected
# glibc's mallopt: blocks from 16 MB on are mapped alone and go back when they are free, and so does
# what is free beyond 64 MB at the end of the rest. By itself it learns to keep them (mallopt(3))
TRIM_THRESHOLD, MMAP_THRESHOLD = (-1, 64 << 20), (-3, 16 << 20)


class WorkerProcesses:
    """A number of worker processes that is kept up by calling `keep_up` now and then."""

    def __init__(self, settings: Settings, database: Database, count: int) -> None:
        self._settings = settings
        self._database = database
        self._processes: list[SpawnProcess | None] = [None] * count
        self._started_at = [0.0] * count
        self._failed_starts = [0] * count

    @property
    def none_starts(self) -> bool:
        """Whether each has failed to start several times on end; the log says why."""
        return all(failed >= STARTS_TRIED for failed in self._failed_starts)

    def keep_up(self) -> None:
        """Start every process that is not there (any more), at most one a second each.

        What cannot be started now is tried again.
        """
        for slot, process in enumerate(self._processes):
            lived = time.monotonic() - self._started_at[slot]
            if lived >= STARTED_AFTER:
                self._failed_starts[slot] = 0
            if lived < RESTART_PAUSE or (process is not None and process.is_alive()):
                continue
            if process is not None:
                logger.warning(
                    "worker %s ended with %s; starting another", process.pid, process.exitcode
                )
                failed = process.exitcode == 1 and lived < STARTED_AFTER
                self._failed_starts[slot] = self._failed_starts[slot] + 1 if failed else 0
            self._started_at[slot] = time.monotonic()
            try:
                self._processes[slot] = self._start()
            except OSError as error:  # no memory, or too many processes
                logger.error("no worker can be started now: %s", error.strerror)
                self._processes[slot] = None
                self._failed_starts[slot] += 1

    def stop(self) -> None:
        """Let each process finish its photo, then end it; kills it after half a minute."""
        alive = [process for process in self._processes if process is not None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + STOP_PATIENCE
        for process in alive:
            process.join(max(0.1, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _start(self) -> SpawnProcess:
        # numpy reads it when it is loaded: threads that wait for each other on busy cores are slow
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        process = multiprocessing.get_context("spawn").Process(
            target=run_worker, args=(self._settings, self._database, os.getpid()), daemon=False
        )
        process.start()
        return process


def run_worker(settings: Settings, database: Database, parent: int) -> None:
    """The whole life of one worker process; ends when it is told to or its parent is gone."""
    log_as_json()
    give_memory_back()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which stops us
    try:
        asyncio.run(_work(settings, database, parent))
    except FotofinishError as error:
        logger.error("photos cannot be read: %s", error.message)
        raise SystemExit(1) from None
    except Exception:
        logger.exception("what gives a worker its photos failed")
        raise SystemExit(1) from None


async def _work(settings: Settings, database: Database, parent: int) -> None:
    # imported here: only worker processes need the models, and they are the slow part
    from fotofinish.jobs import make_worker_queue
    from fotofinish.photos.processing import Workshop
    from fotofinish.photos.redrawing import queue_old_previews
    from fotofinish.recognition import Recogniser

    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(database, size=2))
        workshop = Workshop(
            pool,
            open_store(settings),
            Recogniser(embedder_path=settings.face_embedder),
            settings.max_pixels,
        )
        queue = make_worker_queue(database.dsn)
        await stack.enter_async_context(queue.open_async())
        await take_back_stalled(queue)
        await queue_old_previews(pool, queue)
        worker = asyncio.create_task(
            queue.run_worker_async(
                concurrency=1,
                additional_context={"workshop": workshop},
                delete_jobs="successful",
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=STALLED_AFTER,
                install_signal_handlers=True,
            )
        )
        watch = asyncio.create_task(_until_it_has_to_end(parent))
        await asyncio.wait({worker, watch}, return_when=asyncio.FIRST_COMPLETED)
        watch.cancel()
        worker.cancel()
        await asyncio.gather(worker, watch, return_exceptions=True)
        if not worker.cancelled():
            worker.result()  # raises what ended it, unless it was told to end


def give_memory_back() -> None:
    """Keep the process below 1 GB: photos of all sizes leave holes of all sizes otherwise."""
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        library = ctypes.CDLL(None)
        for option, value in (MMAP_THRESHOLD, TRIM_THRESHOLD):
            library.mallopt(option, value)


async def _until_it_has_to_end(parent: int) -> None:
    """Return when the parent is gone, or the clock was set: what runs by the clock would rest until
    a clock that was set back is where it was, or would be made up for second by second."""
    offset = time.time() - time.monotonic()
    while os.getppid() == parent:
        if abs(time.time() - time.monotonic() - offset) > CLOCK_SET_BY:
            logger.warning("the clock was set; this worker ends and another one starts")
            return
        await asyncio.sleep(1.0)
