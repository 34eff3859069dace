"""An event's numbers: what was searched and downloaded, and that nobody can be read from them."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from fotofinish.photos.keys import original_key
from tests.dashboard.conftest import Office
from tests.running import serving

PATIENCE = 15.0


def _ask(office: Office, url: str, key: str, bib: str, **query: int) -> httpx.Response:
    return httpx.post(
        f"{url}/api/v1/ext/{office.org_id}/event/{office.event_id}/original-photos",
        headers={"X-API-Key": key},
        params=query,
        json={"method": "bib", "identifier": bib},
    )


@pytest.fixture
def key(office: Office) -> str:
    page = office.client(office.owner).send("/developer/keys", org=office.org_id).text
    return page.partition('aria-label="the new key"><code>')[2].partition("<")[0]


def _uses(office: Office) -> dict[str, int]:
    rows = office.execute(
        "select kind, sum(uses)::int from event_use where event_id = %s group by kind",
        office.event_id,
    )
    return dict(rows)


def test_searches_and_downloads_are_counted_and_shown(
    signed_in: Page, office: Office, key: str
) -> None:
    photo = office.add_photo("ready", "1234")
    original = office.data_dir / "storage" / original_key(office.event_id, photo, "jpg")
    original.parent.mkdir(parents=True)
    original.write_bytes(b"a photo")
    for bib in ("1234", "1234", "nobody-wears-this"):
        answer = _ask(office, office.url, key, bib)
        assert answer.status_code == 200
        for given in answer.json()["presigned_urls"]:
            _download_in_pieces(given["url"])
    assert _ask(office, office.url, key, "1234", page=2).status_code == 200  # no other search
    deadline = time.monotonic() + PATIENCE
    while _uses(office) != {"bib": 2, "bib_failed": 1, "link": 2, "download": 4}:
        assert time.monotonic() < deadline, _uses(office)
        time.sleep(0.2)
    signed_in.goto(f"{office.url}/events/{office.event_id}")
    signed_in.get_by_role("link", name="Numbers").click()
    tiles = signed_in.get_by_role("region", name="Since the beginning")
    expect(tiles).to_contain_text("3 searches")
    expect(tiles).to_contain_text("4 downloads")
    expect(tiles).to_contain_text("2 links handed out")
    expect(tiles).to_contain_text("1 found nothing")
    expect(tiles).to_contain_text("1 participant reached")
    picture = signed_in.get_by_role("img", name="Searches: 3 in this time")
    expect(picture.locator("rect")).to_have_count(1)
    signed_in.get_by_text("The same as a table").first.click()
    table = signed_in.get_by_role("region", name="Searches as a table")
    expect(table.get_by_role("cell", name="3", exact=True)).to_be_visible()


def _download_in_pieces(url: str) -> None:
    """Twice: at once, and in two pieces; who looks first or has the photo downloads nothing."""
    assert httpx.head(url).status_code == 200
    whole = httpx.get(url)
    assert whole.content == b"a photo"
    assert httpx.get(url, headers={"Range": "bytes=0-3"}).status_code == 206
    assert httpx.get(url, headers={"Range": "bytes=4-"}).status_code == 206
    held = httpx.get(url, headers={"If-None-Match": whole.headers["etag"]})
    assert held.status_code == 304


def test_nothing_that_was_searched_for_is_kept(office: Office, key: str) -> None:
    _ask(office, office.url, key, "4711-somebody")
    deadline = time.monotonic() + PATIENCE
    while not (
        kept := office.execute("select * from event_use where event_id = %s", office.event_id)
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "4711" not in str(kept)


def test_spans_and_time_zones_put_an_hour_where_it_was(office: Office) -> None:
    office.execute("update event set time_zone = 'Pacific/Auckland' where id = %s", office.event_id)
    for kind, uses, ago in (
        ("download", 40, "2 hours"), ("download", 7, "3 days"), ("selfie_failed", 5, "200 days"),
    ):  # fmt: skip
        office.execute(
            """insert into event_use (event_id, hour, kind, uses)
               values (%s, date_trunc('hour', now() - %s::interval), %s, %s)""",
            office.event_id, ago, kind, uses,
        )  # fmt: skip
    client = office.client(office.owner).http
    pages = {
        span: client.get(f"/events/{office.event_id}/numbers?span={span}").text
        for span in ("day", "week", "quarter", "nonsense")
    }
    assert "Downloads: 40 in this time" in pages["day"]
    assert "Downloads: 47 in this time" in pages["week"]
    assert "Downloads: 47 in this time" in pages["quarter"]
    assert "Downloads: 47 in this time" in pages["nonsense"]
    assert all("Searches that found nothing: none in this time." in text for text in pages.values())
    assert all("<b>5</b> found nothing" in text for text in pages.values())
    ((there,),) = office.execute(
        "select to_char((now() - interval '2 hours') at time zone 'Pacific/Auckland', 'HH24:00')"
    )
    assert f"{there}: 40 originals" in pages["day"]


def test_counts_are_written_when_a_server_stops(office: Office, key: str, tmp_path: Path) -> None:
    settings = {
        "FOTOFINISH_DATABASE_URL": office.database.dsn,
        "FOTOFINISH_DATA_DIR": str(tmp_path),
    }
    with serving(settings) as url:
        for number in range(20):
            _ask(office, url, key, f"{number}")
    assert _uses(office) == {"bib_failed": 20}


def test_photos_lie_in_time_and_strays_are_told(signed_in: Page, office: Office) -> None:
    office.execute(
        """update event set starts_at = '2026-05-17 09:00', time_zone = 'Europe/Berlin'
           where id = %s""",
        office.event_id,
    )
    signed_in.goto(f"{office.url}/events/{office.event_id}/numbers")
    expect(signed_in.get_by_text("as soon as there are any")).to_be_visible()
    stray = office.add_photo("ready")
    office.add_photo("ready")
    signed_in.reload()
    expect(signed_in.get_by_text("2 photos carry no time of capture.")).to_be_visible()
    expect(signed_in.get_by_text("Is its date right")).to_be_hidden()
    office.execute("update photo set captured_at = '2020-01-01Z' where id = %s", stray)
    signed_in.reload()
    expect(signed_in.get_by_text("1 photo carries no time of capture.")).to_be_visible()
    expect(signed_in.get_by_text("Is its date right")).to_be_visible()
    for moment in ("07:01", "07:10", "08:40"):
        office.execute(
            "update photo set captured_at = %s where id = %s",
            f"2026-05-17 {moment}Z", office.add_photo("ready"),
        )  # fmt: skip
    signed_in.reload()
    picture = signed_in.get_by_role("img", name="Photos by time of capture: 3 in this time")
    assert picture.locator("title").all_text_contents() == [
        "Sun 17 May, 09:00: 2 captured", "Sun 17 May, 10:30: 1 captured",
    ]  # fmt: skip
    expect(signed_in.get_by_text("1 more photo at other times.")).to_be_visible()
    expect(signed_in.get_by_text("1 photo carries no time of capture.")).to_be_visible()
    for width in (320, 390, 768, 1600, 2560):
        signed_in.set_viewport_size({"width": width, "height": 900})
        assert signed_in.evaluate("document.documentElement.scrollWidth") <= width, width
