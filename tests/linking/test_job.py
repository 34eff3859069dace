"""The job that links, beside photos that wait."""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass
from types import SimpleNamespace

import psycopg
import pytest
from procrastinate import JobContext
from procrastinate.jobs import Job

from fotofinish import jobs
from fotofinish.database.connection import open_pool
from fotofinish.linking.links import link_due_photos
from fotofinish.queue import defer_processing, make_queue
from tests.linking.conftest import Race
from tests.loops import run


@dataclass
class Linker:
    """The job that links, as one worker runs it."""

    race: Race
    workshop: SimpleNamespace

    def due_after_a_run(self) -> int:
        async def link() -> None:
            async with open_pool(self.race.database, size=1) as self.workshop.pool:
                context = JobContext(
                    app=jobs.make_worker_queue(self.race.database.dsn),
                    job=Job(id=1, queue="", lock=None, queueing_lock=None, task_name="link"),
                    start_timestamp=0.0,
                    additional_context={"workshop": self.workshop},
                    abort_reason=lambda: None,
                )
                await jobs.link_photos(context, 0)

        run(link())
        ((count,),) = self.race.execute("select count(*)::int from link_due")
        assert isinstance(count, int)
        return count


@pytest.fixture
def linker(race: Race) -> Linker:
    """With 4,500 photos due and nothing else, and no job that waits."""
    race.execute("delete from procrastinate_jobs where status = 'todo'")
    race.execute(
        """insert into link_due (event_id, photo_id)
           select %s, gen_random_uuid() from generate_series(1, 4500)""",
        race.event_id,
    )
    return Linker(race, SimpleNamespace(pool=None, linking_rests_until=0.0))


def test_linking_rests_for_photos_that_wait_as_long_as_it_ran(
    race: Race, linker: Linker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LONGEST_LINKING", 0.0)  # one batch a run
    queue = make_queue(race.database.dsn)

    async def wait(connection: psycopg.AsyncConnection) -> None:
        async with queue.open_async():
            await defer_processing(queue, connection, [uuid.uuid4()])

    before = time.monotonic()
    assert linker.due_after_a_run() == 4400
    assert linker.workshop.linking_rests_until > before
    linker.workshop.linking_rests_until = math.inf
    assert linker.due_after_a_run() == 4300  # no photo waits
    race.run(wait)
    linker.workshop.linking_rests_until = math.inf
    assert linker.due_after_a_run() == 4300
    linker.workshop.linking_rests_until = 0.0
    assert linker.due_after_a_run() == 4200


@pytest.mark.parametrize(
    ("brief", "first"),
    [(math.inf, [100, 200, 400, 800, 1600, 1600]), (0.0, [100, 50, 25, 12, 6, 3, 1, 1])],
)
def test_so_many_photos_are_linked_at_once_as_take_little_time(
    linker: Linker, monkeypatch: pytest.MonkeyPatch, brief: float, first: list[int]
) -> None:
    limits = []

    async def watched(connection: psycopg.AsyncConnection, limit: int) -> int:
        limits.append(limit)
        return await link_due_photos(connection, limit)

    if not brief:  # one at a time takes long
        linker.race.execute("delete from link_due where id in (select id from link_due offset 220)")
    monkeypatch.setattr(jobs, "link_due_photos", watched)
    monkeypatch.setattr(jobs, "BRIEF", brief)
    monkeypatch.setattr(jobs, "LONGEST_LINKING", 600.0)
    assert linker.due_after_a_run() == 0
    assert limits[: len(first)] == first
