"""What the gallery gives and refuses, by HTTP: archives, consent, choices, guessing, languages."""

from __future__ import annotations

import io
import re
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from PIL import Image

from fotofinish.demo.generator import DemoSet
from fotofinish.web import body_room
from fotofinish.web.gallery.languages import FOLDER
from tests.gallery.conftest import START, Gallery

TEMPLATES = FOLDER.parent / "templates" / "gallery"
KINDS = ("**.html", "**.txt")
SCRIPTS = FOLDER.parent / "static"


@pytest.fixture
def client(gallery: Gallery) -> Iterator[httpx.Client]:
    with gallery.client() as client:
        yield client


def send_selfie(
    client: httpx.Client, gallery: Gallery, picture: bytes, consent: str | None = "1-en"
) -> httpx.Response:
    return client.post(
        f"{gallery.address}/selfie",
        data={} if consent is None else {"consent": consent},
        files={"selfie": ("me.jpg", picture, "image/jpeg")},
        timeout=60,
    )


def grey() -> bytes:
    """A picture without a face."""
    picture = io.BytesIO()
    Image.new("RGB", (300, 300), "grey").save(picture, "JPEG")
    return picture.getvalue()


def test_hidden_and_foreign_photos_are_not_given(gallery: Gallery, client: httpx.Client) -> None:
    photo = gallery.add("1")
    assert client.get(f"{gallery.address}/photo/{photo}").status_code == 200
    gallery.execute("update bib_tag set visible = false where photo_id = %s", photo)
    gallery.execute("update photo set hidden = true where id = %s", photo)
    for path in (f"photo/{photo}", f"photo/{photo}/download", "photos.zip?bib=1"):
        assert client.get(f"{gallery.address}/{path}").status_code == 404
    assert client.get(f"{gallery.address}/photo/{uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize("consent", [None, "", "0-en", "on"])
def test_without_consent_no_template_is_computed(
    gallery: Gallery, client: httpx.Client, demo: DemoSet, consent: str | None
) -> None:
    answer = send_selfie(client, gallery, demo.selfie.read_bytes(), consent)
    assert answer.status_code == 422
    assert "Tick the box first" in answer.text
    assert gallery.execute("select 1 from selfie where event_id = %s", gallery.event.id) == []


def test_a_shared_selfie_search_shows_photos_and_cannot_be_deleted_by_the_friend(
    gallery: Gallery, client: httpx.Client, demo: DemoSet, template: np.ndarray[Any, Any]
) -> None:
    gallery.add(face=template)
    answer = send_selfie(client, gallery, demo.selfie.read_bytes())
    assert answer.status_code == 303
    link = answer.headers["location"]
    with gallery.client() as friend:
        shown = friend.get(link)
        assert "1 photo" in shown.text
        assert "Delete my search" not in shown.text
        friend.post(f"{gallery.address}/selfie/delete")
    assert "Delete my search" in client.get(link).text
    for _ in range(2):  # in another window too, which does not know of the first
        deleted = client.post(f"{gallery.address}/selfie/delete", follow_redirects=True)
        assert "Your search is deleted" in deleted.text
    assert client.get(link).status_code == 404


def test_a_browser_has_one_selfie_search_which_only_a_new_result_replaces(
    gallery: Gallery, client: httpx.Client, demo: DemoSet
) -> None:
    kept = "select id::text from selfie where event_id = %s"
    picture = demo.selfie.read_bytes()
    first = send_selfie(client, gallery, picture).headers["location"]
    assert "No face was found" in send_selfie(client, gallery, grey()).text
    assert "cannot be read" in send_selfie(client, gallery, b"no picture").text
    assert client.get(first).status_code == 200
    second = send_selfie(client, gallery, picture).headers["location"]
    assert gallery.execute(kept, gallery.event.id) == [(second.partition("=")[2],)]
    assert f'href="{second}"' in client.get(gallery.address).text
    gallery.execute("update selfie set expires_at = now() where event_id = %s", gallery.event.id)
    assert "selfie search" not in client.get(gallery.address).text


def test_consent_is_withdrawn_where_searching_by_selfie_is_closed_too(
    gallery: Gallery, client: httpx.Client, demo: DemoSet
) -> None:
    link = send_selfie(client, gallery, demo.selfie.read_bytes()).headers["location"]
    gallery.choose()
    for closing in (
        "update event set selfie_search = false where id = %s",
        "update event_gallery set access = 'code' where event_id = %s",
        "update event set status = 'archived' where id = %s",
    ):
        gallery.execute(closing, gallery.event.id)
        page = client.get(gallery.address).text
        assert "Delete my search" in page
        assert link not in page
        with gallery.client() as other:
            assert "Delete my search" not in other.get(gallery.address).text
    deleted = client.post(f"{gallery.address}/selfie/delete", follow_redirects=True)
    assert "Your search is deleted" in deleted.text
    assert "Delete my search" not in deleted.text
    assert gallery.execute("select 1 from selfie where event_id = %s", gallery.event.id) == []


def test_a_search_made_through_the_api_is_not_shown(gallery: Gallery, client: httpx.Client) -> None:
    selfie = uuid.uuid4()
    gallery.execute(
        """insert into selfie (event_id, id, model, threshold, expires_at)
           values (%s, %s, 'sface', 0.4, now() + interval '1 day')""",
        gallery.event.id, selfie,
    )  # fmt: skip
    assert client.get(f"{gallery.address}/find?selfie={selfie}").status_code == 404


def test_selfies_that_never_end_take_no_more_than_their_share_of_memory(
    gallery: Gallery, client: httpx.Client, demo: DemoSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, go_on = threading.Event(), threading.Event()

    def endless() -> Iterator[bytes]:
        yield bytes(700_000)
        sent.set()
        go_on.wait(60)

    def send() -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        with gallery.client() as slow:
            slow.post(f"{gallery.address}/selfie", content=endless(), headers=headers)

    picture = demo.selfie.read_bytes() + bytes(700_000)
    monkeypatch.setattr(body_room, "MOST_HELD", 1_000_000)
    with ThreadPoolExecutor() as executor:
        sending = executor.submit(send)
        sent.wait(60)
        time.sleep(0.5)
        refused = send_selfie(client, gallery, picture)
        go_on.set()
        sending.result()
    assert "Many selfies are waiting. Try again in a moment." in refused.text
    assert send_selfie(client, gallery, picture).status_code == 303


def test_a_picture_without_a_face_leaves_nothing_behind(
    gallery: Gallery, client: httpx.Client
) -> None:
    answer = send_selfie(client, gallery, grey())
    assert "No face was found" in answer.text
    assert gallery.execute("select 1 from selfie where event_id = %s", gallery.event.id) == []
    assert "cannot be read" in send_selfie(client, gallery, b"no picture").text


def test_another_site_cannot_send_a_selfie(gallery: Gallery, demo: DemoSet) -> None:
    with httpx.Client(headers={"Sec-Fetch-Site": "cross-site"}) as client:
        assert send_selfie(client, gallery, demo.selfie.read_bytes()).status_code == 403


@pytest.mark.parametrize(
    ("column", "value", "path", "status"),
    [
        ("bib_search", False, "find?bib=1", 403),
        ("selfie_search", False, f"find?selfie={uuid.UUID(int=5)}", 403),
        ("event_enabled", False, "", 403),
        ("status", "draft", "", 403),
        ("status", "archived", "find?bib=1", 410),
    ],
)
def test_switches_of_the_event_are_obeyed(
    gallery: Gallery, client: httpx.Client, column: str, value: Any, path: str, status: int
) -> None:
    photo = gallery.add("1")
    gallery.execute(f"update event set {column} = %s where id = %s", value, gallery.event.id)  # noqa: S608
    answer = client.get(f"{gallery.address}/{path}".rstrip("/"))
    assert answer.status_code == status
    assert str(photo) not in answer.text
    assert "<h1>" in answer.text


@pytest.mark.parametrize("access", ["off", "link", "code"])
def test_a_gallery_that_is_not_public_shows_nothing(
    gallery: Gallery, client: httpx.Client, access: str
) -> None:
    gallery.add("1")
    gallery.choose(access=access)
    for path in ("", "/find?bib=1", "/live?bib=1", "/photos.zip?bib=1"):
        assert client.get(gallery.address + path).status_code == 403


def test_downloads_follow_the_organisers_choice(gallery: Gallery, client: httpx.Client) -> None:
    photo = gallery.add("1")
    gallery.choose(downloads="previews")
    link = client.get(f"{gallery.address}/photo/{photo}/download").headers["location"]
    assert "/medium/" in link
    name = f"{gallery.event.slug}-20260509-090000-{str(photo)[:8]}.webp"
    assert client.get(link).headers["content-disposition"] == f'attachment; filename="{name}"'
    assert client.get(f"{gallery.address}/photos.zip?bib=1").status_code == 403
    gallery.execute(
        "update event_gallery set downloads = 'off' where event_id = %s", gallery.event.id
    )
    assert client.get(f"{gallery.address}/photo/{photo}/download").status_code == 403


@pytest.mark.parametrize("query", ["?bib=+", "?bib=", ""])
def test_a_search_for_nothing_says_what_to_enter(
    gallery: Gallery, client: httpx.Client, query: str
) -> None:
    answer = client.get(f"{gallery.address}/find{query}")
    assert answer.status_code == 422
    assert "Type the number on your bib" in answer.text
    by_time = client.get(f"{gallery.address}/find?day=2026-05-09&from=&to=").text
    assert "Choose how to search" in by_time
    gallery.execute("update event set bib_search = false where id = %s", gallery.event.id)
    assert "Choose how to search" in client.get(f"{gallery.address}/find{query}").text


def test_an_hour_that_the_clock_shows_twice_is_one_search_for_both(
    gallery: Gallery, client: httpx.Client
) -> None:
    photos = [str(gallery.add()) for _ in range(4)]
    for hours, photo in enumerate(photos):  # 01:30, 02:30, 02:30 again and 03:30 in Berlin
        taken = datetime(2026, 10, 24, 23, 30, tzinfo=UTC) + timedelta(hours=hours)
        gallery.execute("update photo set captured_at = %s where id = %s", taken, photo)
    page = client.get(gallery.address).text
    assert re.findall(r"\d\d:00–\d\d:00", page) == ["01:00–02:00", "02:00–03:00", "03:00–04:00"]
    for span, found in (
        ("from=01:00&to=02:00", photos[:1]),
        ("from=02:00&to=03:00", photos[1:3]),
        ("from=02:15&to=02:45", photos[1:3]),
        ("from=03:00&to=04:00", photos[3:]),
        ("from=00:00&to=00:00", photos),
    ):
        shown = client.get(f"{gallery.address}/find?day=2026-10-25&{span}").text
        assert [photo for photo in photos if photo in shown] == found, span


def test_the_day_that_is_offered_first_is_the_one_with_most_photos(
    gallery: Gallery, client: httpx.Client
) -> None:
    unset = gallery.add()  # a camera whose clock was never set
    gallery.execute("update photo set captured_at = '2000-01-01T00:00Z' where id = %s", unset)
    gallery.add()
    gallery.add()
    offered = re.findall(r'<option value="([^"]+)"( selected)?>', client.get(gallery.address).text)
    assert offered == [("2000-01-01", ""), (f"{START:%Y-%m-%d}", " selected")]


def test_the_first_photos_are_announced_only_until_one_is_there_with_a_time_or_without(
    gallery: Gallery, client: httpx.Client
) -> None:
    announced = "The first photos appear here"
    assert announced in client.get(gallery.address).text
    photo = gallery.add("1")
    gallery.execute("update photo set captured_at = null, hidden = true where id = %s", photo)
    assert announced in client.get(gallery.address).text
    gallery.execute("update photo set hidden = false where id = %s", photo)
    assert announced not in client.get(gallery.address).text


@pytest.mark.parametrize(
    "query", ["bib=2", "day=2026-05-09&from=01:00&to=02:00"], ids=["bib", "time"]
)
def test_photos_are_said_to_be_coming_only_while_some_wait(
    gallery: Gallery, client: httpx.Client, query: str
) -> None:
    photo, address = gallery.add("1"), f"{gallery.address}/find?{query}"
    assert "No photos found" in client.get(address).text
    assert "still coming in" not in client.get(address).text
    german = client.get(f"{address}&lang=de").text
    assert "Keine Fotos gefunden" in german
    assert ("Prüfen Sie die Nummer" in german) is query.startswith("bib")
    client.cookies.clear()
    for state in ("waiting", "processing"):
        gallery.execute("update photo set state = %s where id = %s", state, photo)
        assert "Photos are still coming in" in client.get(address).text
    gallery.execute("update photo set state = 'failed' where id = %s", photo)
    assert "still coming in" not in client.get(address).text


def test_pages_are_indexed_only_when_wanted(gallery: Gallery, client: httpx.Client) -> None:
    assert "noindex" in client.get(gallery.address).headers["x-robots-tag"]
    gallery.choose(indexed=True)
    assert "x-robots-tag" not in client.get(gallery.address).headers
    assert "noindex" in client.get(f"{gallery.address}/find?bib=1").headers["x-robots-tag"]


def test_links_of_previews_stay_the_same_for_browsers_to_cache(
    gallery: Gallery, client: httpx.Client
) -> None:
    gallery.add("1")
    pages = [client.get(f"{gallery.address}/find?bib=1").text for _ in range(2)]
    links = [re.search(r'src="(http[^"]+)"', page) for page in pages]
    assert links[0] is not None
    assert links[1] is not None
    assert links[0][1] == links[1][1]
    answer = client.get(links[0][1].replace("&amp;", "&"))
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/webp"
    assert b"Exif" not in answer.content[:400]


def test_a_preview_that_was_drawn_anew_has_another_address_at_once(
    gallery: Gallery, client: httpx.Client
) -> None:
    photo = gallery.add("1")

    def addresses() -> list[set[str]]:
        pages = (client.get(f"{gallery.address}/{page}").text for page in ("find?bib=1", path))
        return [set(re.findall(r'https?://[^" ]+/files/[^" ]+', page)) for page in pages]

    path = f"photo/{photo}"
    before = addresses()
    gallery.execute("update photo set drawn = drawn + 1 where id = %s", photo)  # as workers do
    after = addresses()
    for old, new in zip(before, after, strict=True):
        assert len(old) == len(new) >= 3
        assert not old & new


def test_pages_and_scripts_travel_compressed_where_the_browser_takes_it(gallery: Gallery) -> None:
    for _ in range(20):
        gallery.add("1")
    with gallery.client() as client:
        page = client.get(f"{gallery.address}/find?bib=1", headers={"Accept-Encoding": "br, gzip"})
        script = re.search(r'src="(/static/gallery\.js[^"]+)"', page.text)
        assert script is not None
        for path, most in ((f"{gallery.address}/find?bib=1", 0.3), (script[1], 0.5)):
            small = client.get(path, headers={"Accept-Encoding": "gzip"})
            plain = client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
            assert small.headers["content-encoding"] == "gzip"
            assert "content-encoding" not in plain.headers
            assert int(small.headers["content-length"]) < most * len(plain.content)
            assert "Accept-Encoding" in small.headers["vary"]
        assert client.get(script[1]).content == plain.content


@pytest.mark.parametrize(
    ("browser", "written"),
    [
        ("en-GB,en;q=0.9", "9 May 2026"),
        ("en-US,en;q=0.9", "May 9, 2026"),
        ("en", "9 May 2026"),
        ("", "9 May 2026"),
        ("de-AT,de;q=0.9,en-US;q=0.5", "9. Mai 2026"),
        ("xx-YY, *, en-!!", "9 May 2026"),
    ],
)
def test_dates_are_written_as_in_the_browsers_region(
    gallery: Gallery, client: httpx.Client, browser: str, written: str
) -> None:
    answer = client.get(gallery.address, headers={"Accept-Language": browser})
    assert f">{written}<" in answer.text


@pytest.mark.parametrize("path", ["no/such/place", "finds", "selfie", "/"])
def test_an_address_that_leads_nowhere_is_said_in_the_visitors_language(
    gallery: Gallery, client: httpx.Client, path: str
) -> None:
    answer = client.get(f"{gallery.address}/{path}", headers={"Accept-Language": "de-DE"})
    assert answer.status_code == 404
    assert answer.headers["content-language"] == "de"
    assert "Unter dieser Adresse gibt es nichts" in answer.text
    assert f'href="/e/{gallery.event.slug}"' in answer.text


def test_an_address_with_a_slash_behind_it_leads_into_the_gallery(
    gallery: Gallery, client: httpx.Client
) -> None:
    led = client.get(f"{gallery.address}/?key=a%26b&lang=de")
    assert led.headers["location"] == f"/e/{gallery.event.slug}?key=a%26b&lang=de"
    assert client.get(f"{gallery.address}/", follow_redirects=True).status_code == 200


def test_a_search_is_counted_once_however_often_its_page_is_loaded(
    gallery: Gallery, client: httpx.Client
) -> None:
    gallery.add("1")

    def uses() -> dict[str, int]:
        statement = "select kind, sum(uses)::int from event_use where event_id = %s group by kind"
        return dict(gallery.execute(statement, gallery.event.id))

    for path in ("find?bib=1", "find?bib=1", "find?bib=1&lang=de", "find?bib=+1"):
        assert client.get(f"{gallery.address}/{path}").status_code == 200
    for _ in range(2):
        client.get(f"{gallery.address}/find?bib=2")
    with gallery.client() as other:
        other.get(f"{gallery.address}/find?bib=1")
    wanted, deadline = {"bib": 2, "bib_failed": 1}, time.monotonic() + 20
    while uses() != wanted:
        assert time.monotonic() < deadline, uses()
        time.sleep(0.2)


def test_every_text_is_translated() -> None:
    wanted = {
        message if isinstance(message, str) else message[0]
        for _, _, message, _, _ in extract_from_dir(
            TEMPLATES,
            method_map=[(kind, "jinja2.ext:babel_extract") for kind in KINDS],
            options_map={kind: {"newstyle_gettext": "true", "silent": "false"} for kind in KINDS},
        )
    }
    for path in FOLDER.glob("*.po"):
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem)
        assert {m.id if isinstance(m.id, str) else m.id[0] for m in catalogue if m.id} == wanted
        for message in catalogue:
            assert not message.fuzzy
            texts = [message.string] if isinstance(message.string, str) else message.string
            assert all(texts) or not message.id
            assert list(message.check(catalogue)) == []


def test_scripts_stay_small() -> None:
    assert sum(path.stat().st_size for path in SCRIPTS.glob("gallery*.js")) < 60_000


def test_all_scripts_are_files_of_ours(gallery: Gallery, client: httpx.Client) -> None:
    answer = client.get(gallery.address)
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "camera=(self)" in answer.headers["permissions-policy"]
    assert re.findall(r"<script(?![^>]*\bsrc=)", answer.text) == []
    assert "&lt;b&gt;Run" in answer.text
    assert Path(SCRIPTS / "gallery.js").exists()
