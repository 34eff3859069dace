"""The organiser's choices for the gallery: access, look, QR code, watermark."""

from __future__ import annotations

import base64
import io
import re
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import httpx
import numpy as np
import psycopg
import pytest
from argon2 import PasswordHasher
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.dashboard.conftest import Office, SignedIn, enter
from tests.photos.pictures import png_chunk
from tests.running import wait_until

SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100">
<circle cx="50" cy="50" r="40" fill="#0b6b5d"/><rect x="100" width="100" height="100"/></svg>"""
TALL = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1500"><path d="M0 0h1v1500H0"/></svg>'
)
CHOICES = {"access": "public", "downloads": "originals", "brand_name": ""}


@pytest.fixture
def owner(office: Office) -> SignedIn:
    return office.client(office.owner)


def stored(office: Office, columns: str) -> tuple[object, ...]:
    rows = office.execute(
        f"select {columns} from event_gallery where event_id = %s",  # noqa: S608
        office.event_id,
    )
    return rows[0]


def save(office: Office, owner: SignedIn, **fields: object) -> httpx.Response:
    return owner.send(f"/events/{office.event_id}/gallery", **{**CHOICES, **fields})


def upload(office: Office, owner: SignedIn, kind: str, picture: bytes) -> httpx.Response:
    return owner.http.post(
        f"/events/{office.event_id}/{'gallery' if kind == 'brand' else kind}/picture",
        data={"form_token": owner.form_token},
        files={"file": ("logo", picture)},
        timeout=30,
    )


def picture(office: Office, owner: SignedIn, kind: str) -> Image.Image:
    answer = owner.http.get(f"/events/{office.event_id}/gallery/{kind}.png")
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content))


def png(width: int = 300, height: int = 100) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (width, height), (255, 0, 0, 128)).save(file, "PNG")
    return file.getvalue()


def svg_with_picture(side: int) -> bytes:
    """An SVG around a square PNG of one bit a pixel, which drawing makes 32."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + side // 8) * side))
    file = (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", rows)
        + png_chunk(b"IEND", b"")
    )
    inside = b"data:image/png;base64," + base64.b64encode(file)
    return SVG.replace(b"<circle", b'<image width="9" height="9" href="' + inside + b'"/><circle')


def test_choices_are_kept(office: Office, owner: SignedIn) -> None:
    answer = save(
        office, owner, access="off", downloads="previews", indexed="on", brand_name=" Acme ",
        own_colour="on", brand_colour="#AA3300",
    )  # fmt: skip
    assert answer.status_code == 303
    columns = "access, downloads, indexed, brand_name, brand_colour"
    assert stored(office, columns) == ("off", "previews", True, "Acme", "#aa3300")


def test_an_access_code_is_kept_as_a_hash_and_stays_until_it_is_changed(
    office: Office, owner: SignedIn
) -> None:
    refused = save(office, owner, access="code")
    assert refused.status_code == 422
    assert "Choose an access code" in refused.text
    save(office, owner, access="code", code="Harbour26")
    (first,) = stored(office, "code_hash")
    assert str(first).startswith("$argon2id$")
    save(office, owner, access="code", downloads="off")
    assert stored(office, "code_hash") == (first,)
    page = owner.http.get(f"/events/{office.event_id}/gallery").text
    assert "Harbour26" not in page
    assert "argon2" not in page


@pytest.mark.parametrize("access", ["public", "link", "off"])
def test_a_code_that_nobody_would_be_asked_for_is_not_taken_silently(
    office: Office, owner: SignedIn, access: str
) -> None:
    refused = save(office, owner, access=access, code="Harbour26", brand_name="Acme")
    assert refused.status_code == 422
    assert "Choose “Who knows a code”" in refused.text
    assert 'value="Harbour26"' in refused.text
    assert 'value="Acme"' in refused.text
    assert "without an account." in refused.text  # as it is, not as it was to be
    assert not office.execute("select 1 from event_gallery where event_id = %s", office.event_id)


def test_an_older_page_undoes_nothing_that_was_chosen_meanwhile(
    office: Office, owner: SignedIn
) -> None:
    path = f"/events/{office.event_id}/gallery"
    older = owner.drawn(path)
    assert save(office, owner, access="off", drawn=older).status_code == 303
    answer = save(office, owner, brand_name="Acme", own_colour="on", drawn=older)
    assert answer.status_code == 409
    assert "Somebody changed these meanwhile" in answer.text
    assert 'value="off" checked' in answer.text  # as it is
    assert 'value="Acme"' in answer.text  # as it was typed
    assert stored(office, "access, brand_name") == ("off", "")
    upload(office, owner, "brand", png())  # is no choice of this form
    now = owner.drawn(path)
    assert save(office, owner, access="off", brand_name="Acme", drawn=now).status_code == 303
    assert stored(office, "access, brand_name") == ("off", "Acme")
    # sent twice, as after an answer that was lost
    assert save(office, owner, access="off", brand_name="Acme", drawn=now).status_code == 303
    for odd in ("x", "1", "[2]", '["access"]', "[" * 50_000):
        assert save(office, owner, drawn=odd).status_code == 400


def test_of_two_who_save_at_once_one_is_told(office: Office, owner: SignedIn) -> None:
    save(office, owner)
    drawn = owner.drawn(f"/events/{office.event_id}/gallery")
    with psycopg.connect(office.database.dsn) as connection, ThreadPoolExecutor(2) as executor:
        connection.execute(
            "select 1 from event_gallery where event_id = %s for update", [office.event_id]
        )
        saved = [
            executor.submit(save, office, owner, drawn=drawn, **fields)
            for fields in ({"access": "off"}, {"brand_name": "Acme"})
        ]
        waiting = "select count(*) from pg_locks where not granted"
        wait_until(lambda: office.execute(waiting)[0][0] >= 2, patience=20)
        connection.rollback()
        assert sorted(answer.result().status_code for answer in saved) == [303, 409]


def test_an_older_page_undoes_no_watermark(office: Office, owner: SignedIn) -> None:
    path = f"/events/{office.event_id}/watermark"
    older = owner.drawn(path)
    mark = {"kind": "text", "position": "top", "size": "40", "opacity": "50", "drawn": older}
    assert owner.send(path, **mark, text="Harbour").status_code == 303
    answer = owner.send(path, **(mark | {"kind": "none", "position": "bottom-right"}))
    assert answer.status_code == 409
    assert 'value="Harbour"' in answer.text
    assert office.execute(
        "select kind, text from event_watermark where event_id = %s", office.event_id
    ) == [("text", "Harbour")]


def test_a_link_has_a_key_that_can_be_renewed(office: Office, owner: SignedIn) -> None:
    save(office, owner, access="link")
    (token,) = stored(office, "link_token")
    assert len(str(token)) >= 20
    assert f"?key={token}" in owner.http.get(f"/events/{office.event_id}/gallery").text
    owner.send(f"/events/{office.event_id}/gallery/link")
    assert stored(office, "link_token") != (token,)


def test_a_link_that_is_renewed_while_choices_are_saved_stays_renewed(
    office: Office, owner: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(office, owner, access="link")
    (token,) = stored(office, "link_token")
    hashing, renewed, hash_code = threading.Event(), threading.Event(), PasswordHasher.hash

    def slow(hasher: PasswordHasher, code: str) -> str:
        hashing.set()
        assert renewed.wait(20)
        return hash_code(hasher, code)

    monkeypatch.setattr(PasswordHasher, "hash", slow)
    with ThreadPoolExecutor(1) as executor:
        saved = executor.submit(save, office, owner, access="code", code="Harbour26")
        assert hashing.wait(20)
        owner.send(f"/events/{office.event_id}/gallery/link")
        renewed.set()
    assert saved.result().status_code == 303
    access, now = stored(office, "access, link_token")
    assert access == "code"
    assert now != token


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_an_address_however_long_stays_in_its_column(
    page: Page, office: Office, owner: SignedIn, width: int
) -> None:
    save(office, owner, access="link")
    long = f"{'long-' * 11}{office.event_id}"
    office.execute("update event set slug = %s where id = %s", long, office.event_id)
    page.set_viewport_size({"width": width, "height": 900})
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/gallery")
    copy = page.get_by_role("button", name="Copy the gallery's address").bounding_box()
    card = page.get_by_role("region", name="The way in").bounding_box()
    assert copy
    assert card
    assert copy["x"] + copy["width"] < card["x"] + card["width"] <= width
    choices = page.locator("form", has_text="Who may open it").bounding_box()
    assert choices
    assert choices["x"] >= card["x"] + card["width"] or choices["y"] >= card["y"] + card["height"]


def test_a_new_link_is_made_after_a_question(page: Page, office: Office, owner: SignedIn) -> None:
    save(office, owner, access="link")
    before = stored(office, "link_token")
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/gallery")
    page.get_by_role("button", name="Make a new link …").click()
    expect(page.get_by_role("dialog")).to_contain_text("every QR code")
    page.get_by_role("button", name="Keep this one").click()
    assert stored(office, "link_token") == before
    page.get_by_role("button", name="Make a new link …").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a new link").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert stored(office, "link_token") != before


@pytest.mark.parametrize(
    "wrong",
    [
        {"access": "everyone"},
        {"downloads": "all"},
        {"own_colour": "on", "brand_colour": "red"},
        {"brand_name": "x" * 81},
        {"access": "code", "code": "abcde"},
    ],
)
def test_wrong_choices_change_nothing(
    office: Office, owner: SignedIn, wrong: dict[str, str]
) -> None:
    assert save(office, owner, **wrong).status_code == 422
    assert office.execute("select 1 from event_gallery where event_id = %s", office.event_id) == []


def test_the_qr_code_leads_to_the_gallery(office: Office, owner: SignedIn) -> None:
    answer = owner.http.get(f"/events/{office.event_id}/gallery/qr.png")
    assert answer.headers["content-type"] == "image/png"
    code = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    text, *_ = cv2.QRCodeDetector().detectAndDecode(code)
    ((slug,),) = office.execute("select slug from event where id = %s", office.event_id)
    assert text == f"{office.url}/e/{slug}"
    svg = owner.http.get(f"/events/{office.event_id}/gallery/qr.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert owner.http.get(f"/events/{office.event_id}/gallery/qr.pdf").status_code == 404
    sheet = owner.http.get(f"/events/{office.event_id}/gallery/sheet").text
    assert f"/e/{slug}" in sheet


def test_the_sheet_says_what_this_gallery_offers_in_the_readers_language(
    office: Office, owner: SignedIn
) -> None:
    address = f"/events/{office.event_id}/gallery/sheet"
    both = owner.http.get(address).text
    assert "Type your bib number, or take a selfie." in both
    assert f'href="/events/{office.event_id}/gallery"' in both
    office.execute("update event set selfie_search = false where id = %s", office.event_id)
    assert "selfie" not in owner.http.get(address).text
    german = owner.http.get(address, headers={"Accept-Language": "de-CH,en;q=0.5"}).text
    assert "Finden Sie Ihre Fotos" in german
    assert "Find your photos" in owner.http.get(f"{address}?lang=en").text


def test_the_sheet_is_printed_by_its_button_and_without_it(signed_in: Page, office: Office) -> None:
    signed_in.goto(f"{office.url}/events/{office.event_id}/gallery/sheet")
    signed_in.evaluate("window.print = () => { document.title = 'printed' }")
    signed_in.get_by_role("button", name="Print").click()
    expect(signed_in).to_have_title("printed")
    assert Axe().run(signed_in).response["violations"] == []
    signed_in.emulate_media(media="print")
    expect(signed_in.get_by_role("button", name="Print")).to_be_hidden()
    signed_in.emulate_media(media="screen")
    signed_in.get_by_role("link", name="Back to the gallery").click()
    expect(signed_in).to_have_url(f"{office.url}/events/{office.event_id}/gallery")


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_sheet_with_all_that_it_may_say_is_one_page(
    signed_in: Page, office: Office, owner: SignedIn, language: str
) -> None:
    assert save(office, owner, access="code", code="harbour26").status_code == 303
    assert upload(office, owner, "brand", png(300, 300)).status_code == 303
    office.execute(
        "update event set name = %s where id = %s",
        "27. Internationaler Volkslauf rund um den Hafen von Rostock", office.event_id,
    )  # fmt: skip
    signed_in.goto(f"{office.url}/events/{office.event_id}/gallery/sheet?lang={language}")
    expect(signed_in.locator(".logo")).to_have_js_property("complete", True)
    printed = signed_in.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


@pytest.mark.parametrize("given", [png(), SVG, TALL, png(4000, 30)])
def test_a_logo_is_kept_as_a_png_of_sensible_size(
    office: Office, owner: SignedIn, given: bytes
) -> None:
    assert upload(office, owner, "brand", given).status_code == 303
    kept = picture(office, owner, "brand")
    assert kept.format == "PNG"
    assert kept.mode == "RGBA"
    assert max(kept.size) <= 1200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (b"", 422),
        (b"no picture", 400),
        (b"<svg", 400),
        (SVG.replace(b"<circle", b'<image href="/etc/passwd"/><circle'), 400),
        (SVG.replace(b"<circle", b'<image href="http://169.254.169.254/"/><circle'), 400),
        (SVG.replace(b"<circle", b"<script>alert(1)</script><circle"), 400),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, 400),
        (b"<!DOCTYPE svg []>" + SVG, 400),
        (b"<svg " + b"<!DOCTYPE" * 200_000, 400),
        (svg_with_picture(20_000), 400),
        (b"\x89PNG\r\n\x1a\n" + bytes(3 * 1024**2), 413),
    ],
)
def test_a_hostile_logo_is_refused(
    office: Office, owner: SignedIn, given: bytes, status: int
) -> None:
    for kind, heading in (("brand", "The way in"), ("watermark", "Watermark on previews")):
        answer = upload(office, owner, kind, given)
        assert answer.status_code == status
        assert 'role="alert"' in answer.text
        assert heading in answer.text  # the page itself, not one with an error alone
    assert office.execute("select 1 from event_picture where event_id = %s", office.event_id) == []


def test_a_logo_that_is_missing_or_too_large_is_not_sent(page: Page, office: Office) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/gallery")
    field = page.locator("input[type=file]")
    use = page.get_by_role("button", name="Use this logo")
    for files, fault in (
        ([], "Please select a file."),
        ([_file(bytes(3 * 1024**2))], "A logo has at most 2 MB."),
    ):
        field.set_input_files(files)
        use.click()
        assert field.evaluate("one => one.validationMessage") == fault
    field.set_input_files([_file(png())])
    use.click()
    expect(page.get_by_alt_text("The logo")).to_be_visible()


def _file(content: bytes) -> FilePayload:
    return {"name": "logo.png", "mimeType": "image/png", "buffer": content}


def test_a_logo_can_be_removed(office: Office, owner: SignedIn) -> None:
    upload(office, owner, "brand", png())
    owner.http.post(
        f"/events/{office.event_id}/gallery/picture",
        data={"form_token": owner.form_token, "do": "remove"},
        files={"file": ("", b"")},
    )
    assert owner.http.get(f"/events/{office.event_id}/gallery/brand.png").status_code == 404


def test_a_new_watermark_is_drawn_behind_everything_that_waits(
    office: Office, owner: SignedIn
) -> None:
    for number in (1, 2):
        owner.send(
            f"/events/{office.event_id}/watermark",
            kind="text", text=f"Run {number}", position="bottom", size="40", opacity="50",
        )  # fmt: skip
    (row,) = office.execute(
        "select kind, text, size, opacity, tiled, version from event_watermark where event_id = %s",
        office.event_id,
    )
    assert row == ("text", "Run 2", 0.4, 0.5, False, 2)
    jobs = office.execute(
        """select priority from procrastinate_jobs
           where task_name = 'fotofinish:redraw_previews' and args->>'event_id' = %s""",
        str(office.event_id),
    )
    assert {priority for (priority,) in jobs} == {-10}


def test_a_wrong_watermark_is_refused(office: Office, owner: SignedIn) -> None:
    for fields in (
        {"kind": "text", "text": " "},
        {"kind": "logo"},
        {"kind": "text", "text": "a", "size": "0"},
        {"kind": "text", "text": "a", "opacity": "x"},
    ):
        answer = owner.send(f"/events/{office.event_id}/watermark", **fields)
        assert answer.status_code == 422, fields


def test_the_preview_follows_the_fields(page: Page, office: Office) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/watermark")
    sample = page.get_by_alt_text("A sample with the watermark")
    before = sample.get_attribute("src") or ""
    with page.expect_response("**/watermark/preview?*kind=text*Harbour*") as seen:
        page.get_by_label("Text", exact=True).first.check()
        page.get_by_role("textbox", name="Text").fill("Harbour Run")
    assert seen.value.status == 200
    expect(sample).not_to_have_attribute("src", before)
    page.get_by_role("button", name="Save and draw").click()
    expect(page.get_by_text("drawn again in the background")).to_be_visible()


def test_what_is_filled_in_is_chosen(page: Page, office: Office) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/watermark")
    page.get_by_role("textbox", name="Text").fill("Harbour Run")
    expect(page.get_by_role("radio", name="Text")).to_be_checked()
    page.goto(f"{office.url}/events/{office.event_id}/gallery")
    page.get_by_role("textbox", name="Access code").fill("harbour26")
    page.locator("[type=color]").fill("#aa3300")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert stored(office, "access, brand_colour") == ("code", "#aa3300")


def test_choices_that_a_logo_would_undo_are_asked_about_first(page: Page, office: Office) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/gallery")
    page.get_by_label("Previews only").check()
    page.locator("input[type=file]").set_input_files([_file(png())])
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("button", name="Use this logo").click()
    assert "not saved yet" in asked[0]
    expect(page.get_by_label("Previews only")).to_be_checked()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.locator("input[type=file]").set_input_files([_file(png())])
    page.get_by_role("button", name="Use this logo").click()
    expect(page.get_by_alt_text("The logo")).to_be_visible()
    assert stored(office, "downloads") == ("previews",)


def test_a_logo_for_the_watermark_says_how_it_comes_on_the_previews(
    page: Page, office: Office
) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/watermark")
    page.locator("input[type=file]").set_input_files([_file(png())])
    page.get_by_role("button", name="Use this logo").click()
    expect(page.get_by_role("status").first).to_contain_text("Choose “Logo” and save")
    page.get_by_role("radio", name="Logo").check()
    page.get_by_role("button", name="Save and draw").click()
    expect(page.get_by_text("drawn again in the background")).to_be_visible()


def test_a_text_that_the_font_lacks_is_said_beside_the_sample_of_before(
    page: Page, office: Office
) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/watermark")
    sample = page.get_by_alt_text("A sample with the watermark")
    page.get_by_label("Text", exact=True).first.check()
    page.get_by_role("textbox", name="Text").fill("© Foto")
    expect(sample).to_have_attribute("src", re.compile("text=%C2%A9\\+Foto&"))
    page.get_by_role("textbox", name="Text").fill("© Foto 東京")
    expect(page.get_by_text("cannot be written with “東京”")).to_be_visible()
    expect(sample).to_have_attribute("src", re.compile("text=%C2%A9\\+Foto&"))
    page.get_by_role("textbox", name="Text").fill("© Foto Tokyo")
    expect(sample).to_have_attribute("src", re.compile("Tokyo"))
    expect(page.get_by_text("cannot be written with")).to_have_count(0)
    page.get_by_role("textbox", name="Text").fill("© Foto 東京")
    page.get_by_role("button", name="Save and draw").click()
    expect(page.get_by_role("alert")).to_contain_text("cannot be written with “東京”")
    expect(sample).to_have_js_property("naturalWidth", 800)


def test_viewers_choose_nothing(office: Office) -> None:
    viewer = office.client(office.person("viewer"))
    assert viewer.http.get(f"/events/{office.event_id}/gallery").status_code == 200
    assert save(office, viewer).status_code == 403
    assert upload(office, viewer, "brand", png()).status_code == 403
    assert viewer.send(f"/events/{office.event_id}/watermark", kind="none").status_code == 403
    assert viewer.send(f"/events/{office.event_id}/gallery/link").status_code == 403
