"""Galleries that are not for everybody: by link, by code; and the organiser's own look."""

from __future__ import annotations

import html
import io
import re
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from PIL import Image

from fotofinish.database.connection import open_connection
from fotofinish.events.gallery import GalleryChoices, renew_link, save_choices
from fotofinish.events.guesses import LONGEST_WAIT
from fotofinish.organisations.rates import Rate
from fotofinish.photos.watermark import save_picture
from fotofinish.web.gallery import slowing
from tests.gallery.conftest import Gallery
from tests.loops import run


@pytest.fixture
def client(gallery: Gallery) -> Iterator[httpx.Client]:
    with gallery.client() as client:
        yield client


def decide(gallery: Gallery, code: str = "", **choices: Any) -> GalleryChoices:
    """As the dashboard saves it."""

    async def save() -> GalleryChoices:
        async with open_connection(gallery.database) as connection:
            return await save_choices(
                connection, gallery.event.id, GalleryChoices(**choices), code=code
            )

    return run(save())


def renew(gallery: Gallery) -> None:
    """As the dashboard makes a new link."""

    async def act() -> None:
        async with open_connection(gallery.database) as connection:
            await renew_link(connection, gallery.event.id)

    run(act())


def enter(client: httpx.Client, gallery: Gallery, code: str, **fields: str) -> httpx.Response:
    return client.post(f"{gallery.address}/enter", data={"code": code, **fields})


def test_a_link_opens_the_gallery_and_is_remembered(gallery: Gallery, client: httpx.Client) -> None:
    photo = gallery.add("1")
    token = decide(gallery, access="link").link_token
    for wrong in ("", "?key=", "?key=guessed", f"?key={token}x", "?key=%00", "?key=é"):
        assert client.get(gallery.address + wrong).status_code == 403
    assert client.get(f"{gallery.address}?key={token}").status_code == 200
    assert client.get(gallery.address).status_code == 200
    assert str(photo) in client.get(f"{gallery.address}/find?bib=1").text
    with gallery.client() as other:
        assert other.get(gallery.address).status_code == 403
        assert other.get(f"{gallery.address}/photo/{photo}/download").status_code == 403


def test_a_new_link_closes_the_gallery_to_those_who_had_the_old_one(
    gallery: Gallery, client: httpx.Client
) -> None:
    token = decide(gallery, access="link").link_token
    client.get(f"{gallery.address}?key={token}")
    renew(gallery)
    assert client.get(gallery.address).status_code == 403
    assert client.get(f"{gallery.address}?key={token}").status_code == 403


def test_a_pass_is_for_one_gallery_and_cannot_be_made(
    gallery: Gallery, client: httpx.Client
) -> None:
    decide(gallery, access="link")
    for forged in ("1/abc.def", f"{gallery.event.id}/{'0' * 32}", ""):
        client.cookies.set("gallery", forged, path="/")
        assert client.get(gallery.address).status_code == 403


def test_a_code_opens_the_gallery_however_it_is_typed(
    gallery: Gallery, client: httpx.Client
) -> None:
    photo = gallery.add("1")
    decide(gallery, access="code", code="Harbour26")
    asked = client.get(gallery.address)
    assert asked.status_code == 403
    assert "Access code" in asked.text
    assert str(photo) not in client.get(f"{gallery.address}/find?bib=1").text
    wrong = enter(client, gallery, "harbour27")
    assert "This is not the code" in client.get(wrong.headers["location"]).text
    right = enter(client, gallery, " HARBOUR26 ")
    assert client.get(right.headers["location"]).status_code == 200
    assert str(photo) in client.get(f"{gallery.address}/find?bib=1").text


@pytest.mark.parametrize("page", ["/find?bib=7%261&lang=de", f"/photo/{uuid.UUID(int=1)}", ""])
def test_the_code_leads_to_the_page_that_was_shared(
    gallery: Gallery, client: httpx.Client, page: str
) -> None:
    decide(gallery, access="code", code="harbour26")
    asked = client.get(gallery.address + page)
    for code in ("harbour27", "harbour26"):
        carried = re.search(r'name="page" value="([^"]*)"', asked.text)
        assert carried is not None
        answer = enter(client, gallery, code, page=html.unescape(carried[1]))
        asked = client.get(answer.headers["location"])
    assert answer.headers["location"] == f"/e/{gallery.event.slug}{page}"


def test_who_keeps_no_cookies_is_told_that_the_code_was_right(
    gallery: Gallery, client: httpx.Client
) -> None:
    decide(gallery, access="code", code="harbour26")
    for page in ("", "/find?bib=7"):
        client.get(gallery.address + page)
        client.cookies.clear()
        answer = enter(client, gallery, "harbour26", page=page)
        client.cookies.clear()
        asked = client.get(answer.headers["location"]).text
        assert "keeps no cookies" in asked
        assert f'name="page" value="{page}"' in asked


@pytest.mark.parametrize(
    "page",
    [
        "https://example.org/find", "//example.org", "@example.org", ".example.org",
        "/../../events", "/%2e%2e/%2e%2e/events",
        "/find/../../../events", "\\example.org", "/find?a\r\nX: y",
    ],
)  # fmt: skip
def test_the_code_leads_nowhere_but_into_its_gallery(
    gallery: Gallery, client: httpx.Client, page: str
) -> None:
    decide(gallery, access="code", code="harbour26")
    client.get(gallery.address)
    answer = enter(client, gallery, "harbour26", page=page)
    assert answer.headers["location"] == f"/e/{gallery.event.slug}"


def test_a_new_code_has_to_be_typed_again(gallery: Gallery, client: httpx.Client) -> None:
    decide(gallery, access="code", code="first-code")
    enter(client, gallery, "first-code")
    assert client.get(gallery.address).status_code == 200
    decide(gallery, access="code", code="second-code")
    assert client.get(gallery.address).status_code == 403


def test_guessing_codes_is_held_back(gallery: Gallery, client: httpx.Client) -> None:
    decide(gallery, access="code", code="harbour26")
    client.get(gallery.address)  # this browser is known from now on
    statuses = [enter(client, gallery, f"guess-{number}").status_code for number in range(5)]
    assert statuses == [303, 303, 303, 429, 429]


def test_guessing_codes_as_somebody_new_each_time_is_held_back_too(gallery: Gallery) -> None:
    decide(gallery, access="code", code="harbour26")

    def guess(number: int) -> int:
        with gallery.client() as client:
            return enter(client, gallery, f"guess-{number}").status_code

    with ThreadPoolExecutor(16) as executor:
        assert 429 in set(executor.map(guess, range(16)))


def test_guessing_codes_from_ever_new_networks_is_held_back_and_right_codes_are_not_counted(
    gallery: Gallery, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, fewer = Rate(0.02, 8), Rate(1 / 600, 3)  # each is hashed, which is slow on purpose
    monkeypatch.setattr(slowing, "WRONG_CODES", few)
    monkeypatch.setattr(slowing, "SPARE_CODES", fewer)
    decide(gallery, access="code", code="harbour26")

    def try_code(code: str, number: int, site: int = 1) -> httpx.Response:
        with gallery.client() as somebody:
            somebody.headers["X-Forwarded-For"] = f"2001:db8:{site:x}:{number:x}::1"
            return enter(somebody, gallery, code)

    for number in range(few.burst):
        assert try_code("harbour26", number).status_code == 303
    enter(client, gallery, "harbour26")
    began = time.monotonic()
    looked_at = 0
    while (refused := try_code("harbour27", looked_at)).status_code == 303:
        looked_at += 1
    refilled = (time.monotonic() - began) * few.per_second
    on_credit = LONGEST_WAIT * few.per_second
    most = few.burst + fewer.burst
    assert most - 3 <= looked_at <= most + refilled + on_credit + 1
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert "Many wrong codes were tried here." in refused.text
    assert client.get(gallery.address).status_code == 200  # who is in stays in
    # and who comes from elsewhere still comes in, as often as the code is right
    for number in range(fewer.burst + 2):
        assert "gallery" in "".join(try_code("harbour26", number, site=2).cookies)


def test_a_form_of_another_site_does_not_enter(gallery: Gallery, client: httpx.Client) -> None:
    decide(gallery, access="code", code="harbour26")
    client.headers["Sec-Fetch-Site"] = "cross-site"
    assert enter(client, gallery, "harbour26").status_code == 403


@pytest.mark.parametrize(("colour", "ink"), [("#0b6b5d", "#fff"), ("#ffe08a", "#000")])
def test_the_organisers_look_is_shown_and_legible(
    gallery: Gallery, client: httpx.Client, colour: str, ink: str
) -> None:
    plain = client.get(gallery.address).text
    assert "brand.css" not in plain
    assert client.get(f"{gallery.address}/logo.png").status_code == 404
    file = io.BytesIO()
    Image.new("RGBA", (90, 30), "red").save(file, "PNG")

    async def draw() -> None:
        async with open_connection(gallery.database) as connection:
            await save_picture(connection, gallery.event.id, "brand", file.getvalue())

    decide(gallery, brand_name="Acme Races", brand_colour=colour)
    run(draw())
    page = client.get(gallery.address).text
    assert "Acme Races" in page
    assert "logo.png" in page
    assert client.get(f"{gallery.address}/logo.png").content == file.getvalue()
    missing = client.get(f"{gallery.address}/photo/{uuid.UUID(int=1)}").text
    decide(gallery, code="harbour26", access="code", brand_name="Acme Races", brand_colour=colour)
    door = client.get(gallery.address).text
    for closed in (missing, door):
        assert "Acme Races" in closed
        assert "logo.png" in closed
        assert "brand.css" in closed
    assert client.get(f"{gallery.address}/logo.png").content == file.getvalue()
    style = client.get(f"{gallery.address}/brand.css")
    assert style.headers["content-type"].startswith("text/css")
    assert f"--accent: {colour}" in style.text
    assert f"--accent-ink: {ink}" in style.text
