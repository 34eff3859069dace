"""How an event's photos lie in time on the day of the race, from the counts by minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

AROUND = (timedelta(hours=6), timedelta(hours=30))  # before and after the start: the race itself
FINE, COARSE = timedelta(minutes=15), timedelta(hours=1)
MOST_FINE = 64


@dataclass(frozen=True, slots=True)
class CaptureTimes:
    """Photos by place on the event's wall clock, from first to last, empty places among them.

    `elsewhen` photos were captured at other times, `timeless` ones carry none.
    """

    places: list[tuple[datetime, int]]
    elsewhen: int
    timeless: int


async def capture_times(
    connection: AsyncConnection, event_id: int, starts_at: datetime, time_zone: str
) -> CaptureTimes:
    """Count the photos that everybody sees, in quarters of an hour or, where they are many, hours.

    `starts_at` is the event's wall clock.
    """
    zone = ZoneInfo(time_zone)
    start = starts_at.replace(tzinfo=zone).astimezone(UTC)
    cursor = await connection.execute(
        """select case when minute >= %(begin)s and minute < %(end)s then minute end,
                  sum(photos) filter (where minute <> 'infinity')::bigint,
                  sum(photos) filter (where minute = 'infinity')::bigint
           from photo_bucket where event_id = %(event)s
           group by 1 having sum(photos) > 0 order by 1 nulls last""",
        {"event": event_id, "begin": start - AROUND[0], "end": start + AROUND[1]},
    )
    minutes = await cursor.fetchall()
    elsewhen = timeless = 0
    if minutes and minutes[-1][0] is None:
        elsewhen, timeless = (photos or 0 for photos in minutes.pop()[1:])
    if not minutes:
        return CaptureTimes([], elsewhen, timeless)
    span = minutes[-1][0] - minutes[0][0]
    step = FINE if span <= FINE * MOST_FINE else COARSE
    first = _rounded(minutes[0][0], step)
    counts = [0] * ((minutes[-1][0] - first) // step + 1)
    for minute, photos, _ in minutes:
        counts[(minute - first) // step] += photos
    return CaptureTimes(
        [((first + step * place).astimezone(zone), count) for place, count in enumerate(counts)],
        elsewhen,
        timeless,
    )


def _rounded(moment: datetime, step: timedelta) -> datetime:
    """The last multiple of the step since 1970."""
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)
