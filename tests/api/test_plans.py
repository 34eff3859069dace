"""Searches stay fast when an event grows: one index in its own order, no scan, no sort."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql

from benchmarks.race_data import BigRace, make_big_race
from fotofinish.database.connection import Database, open_connection
from fotofinish.database.migrate import migrate
from fotofinish.delivery.originals import BY_BIB, BY_SELFIE
from fotofinish.photos.gallery import (
    BEFORE,
    PAGE_OF_BIB,
    PAGE_OF_EVENT,
    PAGE_OF_SELFIE,
    images_of_event,
)
from tests.loops import run

PHOTOS = 200_000
BIG_TABLES = ("photo", "bib_tag", "selfie_match")
SELFIE = uuid.uuid4()
# a selfie with 300 matches among 5,000 with four each, and the buckets of another long event
OTHERS = """
with mine as (
  insert into selfie (event_id, id, model, threshold, expires_at)
  select %(event)s, id, 'sface', 0.4, now() + interval '1 day'
  from (select gen_random_uuid() as id from generate_series(1, 5000)
        union all select %(selfie)s) ids
  returning id
), other as (
  insert into event (org_id, slug, name, starts_at)
  select org_id, 'other', 'Other', starts_at from event where id = %(event)s returning id
), minutes as (
  insert into photo_bucket (event_id, minute, prefix, slot, photos)
  select id, '2026-01-01'::timestamptz + n * interval '1 minute', gen_random_uuid(), 0, 9
  from other, generate_series(1, 20000) n
)
insert into selfie_match (event_id, selfie_id, photo_id, score, captured_at, extension)
select %(event)s, mine.id, photo.id, 0.5, photo.captured_at, photo.extension
from mine, lateral (select * from photo where event_id = %(event)s
                    limit case when mine.id = %(selfie)s then 300 else 4 end) photo
"""


@pytest.fixture(scope="module")
def filled(postgres: str) -> Iterator[tuple[Database, BigRace]]:
    """A database of its own with one event of 200,000 photos, and one selfie that matches 300."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    database = Database(postgres.replace("dbname=fotofinish", f"dbname={name}"))
    migrate(database.dsn)
    race = make_big_race(database, PHOTOS)
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # as made with BigRace
        connection.execute(OTHERS, {"event": race.event_id, "selfie": SELFIE})
        connection.execute("vacuum (analyze)")
    yield database, race
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize(
    "query",
    [BY_BIB, BY_SELFIE, PAGE_OF_EVENT, PAGE_OF_BIB, PAGE_OF_SELFIE, BEFORE],
    ids=["BY_BIB", "BY_SELFIE", "PAGE_OF_EVENT", "PAGE_OF_BIB", "PAGE_OF_SELFIE", "BEFORE"],
)
def test_every_search_reads_an_index_in_its_own_order(
    filled: tuple[Database, BigRace], query: str, mode: str
) -> None:
    database, race = filled
    values = {
        "key": b"x", "org": race.org_id, "event": race.event_id, "bib": "77", "selfie": SELFIE,
        "offset": 30, "limit": 60, "rank": 100_000, "at": "2026-01-19 07:00Z",
    }  # fmt: skip
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("set plan_cache_mode = {}").format(sql.Literal(mode)))
        connection.prepare_threshold = 0
        row = connection.execute(f"explain (format json) {query}".encode(), values).fetchone()
    assert row is not None
    plan = cast(list[dict[str, Any]], row[0])[0]["Plan"]
    for node in nodes(plan):
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] in ("api_key", "event")
        if node["Node Type"] == "Sort":
            assert node["Plans"][0].get("Relation Name") not in BIG_TABLES


def test_the_last_page_of_200_000_photos_costs_no_more_than_three_times_the_first(
    filled: tuple[Database, BigRace],
) -> None:
    database, race = filled

    async def best(offset: int) -> float:
        times = []
        async with open_connection(database) as connection:
            for _ in range(40):
                begin = time.perf_counter()
                page = await images_of_event(connection, race.event_id, offset=offset, limit=32)
                times.append(time.perf_counter() - begin)
                assert (page.total, len(page.images)) == (PHOTOS, 32)
        return min(times)

    first, last = run(best(0)), run(best(PHOTOS - 32))
    assert last < 3 * first
