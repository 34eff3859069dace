"""How fast an event's photos are being read at this moment, as seen from what was finished."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import AsyncConnection

LOOK_BACK = 120.0  # seconds
LEAST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Photos finished (ready or failed) in the last `seconds`."""

    finished: int
    seconds: float

    @property
    def per_minute(self) -> float:
        """Photos a minute; 0 while there is too little to tell by."""
        if self.seconds < LEAST_SECONDS:
            return 0.0
        return 60 * self.finished / self.seconds

    def seconds_for(self, photos: int) -> float | None:
        """How long so many more will take; None when it cannot be told."""
        return 60 * photos / self.per_minute if self.per_minute else None


async def pace_of(connection: AsyncConnection, event_id: int) -> Pace:
    """The pace of the last two minutes, or since the first photo that was finished in them."""
    cursor = await connection.execute(
        """select count(*), coalesce(extract(epoch from now() - min(processed_at)), 0)::float8
           from photo
           where event_id = %s and processed_at > now() - make_interval(secs => %s)""",
        [event_id, LOOK_BACK],
    )
    row = await cursor.fetchone()
    assert row is not None
    return Pace(*row)
