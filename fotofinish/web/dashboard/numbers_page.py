"""An event's numbers: who was reached, searches, downloads, what was not found, photos in time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from fotofinish.bibs.coverage import coverage
from fotofinish.events.events import find_own_event
from fotofinish.events.uses import UseHour, use_hours, use_totals
from fotofinish.photos.capture_times import CaptureTimes, capture_times
from fotofinish.photos.photos import event_status
from fotofinish.storage.folder import FolderStore
from fotofinish.web.dashboard.plots import Plot, Span, plot
from fotofinish.web.dashboard.shell import Shell, frame_of
from fotofinish.web.dashboard.visitors import Visitor
from fotofinish.web.services import services

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SPANS = {
    "day": Span("24 hours", 24, HOUR),
    "week": Span("7 days", 7 * 24, HOUR),
    "quarter": Span("90 days", 90, DAY),
}
USUAL = "week"
SEARCHES = ("Searches", (("bib", "by bib"), ("selfie", "by selfie")))
FAILED = ("Searches that found nothing", (("failed", "searches"),))
DOWNLOADS = ("Downloads", (("downloads", "originals"),))
HANDED_OUT = (
    "Originals handed out",
    (("links", "links to the storage"), ("downloads", "in ZIP archives")),
)
"""Where photos are fetched from a bucket, nobody tells this server of it."""


class NumbersPage:
    """Everybody may look."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def show(self, request: Request, visitor: Visitor) -> Response:
        """GET `/events/{event_id}/numbers`, `span` one of day, week and quarter."""
        chosen = request.query_params.get("span", USUAL)
        span = SPANS.get(chosen, SPANS[USUAL])
        now = datetime.now(UTC)
        async with services(request).pool.connection() as connection:
            event = await find_own_event(
                connection, visitor.account.id, request.path_params["event_id"]
            )
            counts = await event_status(connection, event.id)
            seen = await coverage(connection, event.id)
            totals = await use_totals(connection, event.id)
            hours = await use_hours(connection, event.id, now - span.step * span.count)
            captured = await capture_times(connection, event.id, event.starts_at, event.time_zone)
        told = isinstance(services(request).store, FolderStore)
        return self._shell.render(
            "numbers.html",
            frame_of(request, visitor, visitor.organisation(event.org_id)),
            event=event,
            counts=counts,
            seen=seen,
            totals=totals,
            searches=totals.bib + totals.selfie,
            plots=_plots(span, hours, now, event.time_zone, told=told),
            told=told,
            captured=_captured(captured),
            elsewhen=captured.elsewhen,
            timeless=captured.timeless,
            spans=SPANS,
            chosen=chosen if chosen in SPANS else USUAL,
        )


def _plots(
    span: Span, hours: Iterable[UseHour], now: datetime, time_zone: str, *, told: bool
) -> list[Plot]:
    counts: defaultdict[datetime, Counter[str]] = defaultdict(Counter)
    for one in hours:
        numbers = {
            "bib": one.bib,
            "selfie": one.selfie,
            "failed": one.failed,
            "downloads": one.downloads,
            "links": one.links,
        }
        counts[span.place(one.hour, time_zone)].update(numbers)
    places = span.places(now, time_zone)
    wanted = (SEARCHES, DOWNLOADS if told else HANDED_OUT, FAILED)
    return [plot(name, series, places, counts, span.write) for name, series in wanted]


def _captured(times: CaptureTimes) -> Plot | None:
    if not times.places:
        return None
    counts = {place: {"photos": count} for place, count in times.places}
    series = (("photos", "captured"),)
    return plot("Photos by time of capture", series, list(counts), counts, SPANS[USUAL].write)
