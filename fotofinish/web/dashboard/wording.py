"""How the pages write numbers, dates and spans of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SPANS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)

# the first that fits: browsers call themselves by the names of others, too
BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"), ("CriOS/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def grouped(number: int) -> str:
    """`12345` as `12,345`."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """`1 photo`, `2 photos`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def bytes(size: int) -> str:
    """`3.4 GB`, in steps of 1,000 as on a memory card."""
    amount, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}" if amount >= 10 or unit == "bytes" else f"{amount:.1f} {unit}"


def day(moment: datetime) -> str:
    """`17 May 2026`."""
    return f"{moment.day} {moment:%b %Y}"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """`3 minutes ago`, from a time with a time zone."""
    passed = (now or datetime.now(UTC)) - moment
    for span, name in SPANS:
        if passed >= span:
            return f"{counted(passed // span, name)} ago"
    return "just now"


def lasting(seconds: float) -> str:
    """`less than a minute`, `5 min`, `2 h 10 min`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def local(moment: datetime, time_zone: str) -> str:
    """`17 May 2026, 09:31:05` where the event is."""
    there = moment.astimezone(ZoneInfo(time_zone))
    return f"{day(there)}, {there:%H:%M:%S}"


def browser(agent: str) -> str:
    """`Firefox on Windows`, from what a browser calls itself."""
    names = [
        next((name for sign, name in known if sign in agent), None) for known in (BROWSERS, SYSTEMS)
    ]
    return " on ".join(name for name in names if name) or "Unknown browser"
