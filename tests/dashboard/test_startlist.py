"""The start list in the browser: a look before it is in, who has photos, what was misread."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from fotofinish.errors import StorageError
from fotofinish.storage.links import Linker
from tests.dashboard.conftest import Office, SignedIn, enter
from tests.dashboard.test_every_page import serious

LIST = "Rank;Bib;First name;Last name\n1;1234;Ann;Lee\n2;1235;Bob;Ray\n3;;No;Number\n4;77;Cid;Poe\n"


def entries(office: Office) -> dict[str, str | None]:
    return dict(
        office.execute("select bib, name from startlist_entry where event_id = %s", office.event_id)
    )


def open_list(page: Page, office: Office, query: str = "") -> None:
    page.goto(f"{office.url}/events/{office.event_id}/startlist{query}")


def put_in(office: Office, text: str = "Bib;Name\n1234;Ann\n1235;Bob\n77;Cid\n") -> SignedIn:
    client = office.client(office.owner)
    answer = client.send(f"/events/{office.event_id}/startlist", list=text)
    assert answer.status_code == 303
    return client


def test_a_file_is_looked_at_and_then_put_in(
    signed_in: Page, office: Office, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(LIST.replace("Ann", "Änn").encode("cp1252"))
    open_list(signed_in, office)
    assert serious(signed_in) == []
    signed_in.get_by_label("CSV file").set_input_files(file)
    signed_in.get_by_role("button", name="Look at the list").click()
    expect(signed_in.get_by_text("3 participants")).to_be_visible()
    expect(signed_in.get_by_text("Row 4 has no bib number")).to_be_visible()
    expect(signed_in.get_by_label("Bib number")).to_have_value("1")
    assert entries(office) == {}
    assert serious(signed_in) == []
    signed_in.get_by_role("button", name="Use this list").click()
    expect(signed_in.get_by_role("status")).to_contain_text("The start list is in")
    assert entries(office) == {"1234": "Änn Lee", "1235": "Bob Ray", "77": "Cid Poe"}
    expect(signed_in.get_by_role("row", name="1234 Änn Lee none")).to_be_visible()


def test_a_pasted_list_with_odd_columns_is_put_right_by_keyboard(
    signed_in: Page, office: Office
) -> None:
    open_list(signed_in, office)
    signed_in.get_by_label("Or paste the list").fill("1,501,Ann\n2,502,Bob\n3,503,<b>Cid</b>\n")
    signed_in.get_by_role("button", name="Look at the list").press("Enter")
    expect(signed_in.get_by_label("Bib number")).to_have_value("0")
    signed_in.get_by_label("Bib number").select_option("1")
    signed_in.get_by_role("combobox", name="Name", exact=True).select_option("2")
    signed_in.get_by_role("switch", name="The first row names the columns").press("Space")
    signed_in.get_by_role("button", name="Show it again").press("Enter")
    expect(signed_in.get_by_text("2 participants")).to_be_visible()
    signed_in.get_by_role("switch", name="The first row names the columns").press("Space")
    signed_in.get_by_role("button", name="Use this list").press("Enter")
    expect(signed_in.get_by_role("cell", name="<b>Cid</b>")).to_be_visible()
    assert entries(office) == {"501": "Ann", "502": "Bob", "503": "<b>Cid</b>"}


def test_rows_above_the_header_are_no_participants_and_that_is_said(
    signed_in: Page, office: Office
) -> None:
    open_list(signed_in, office)
    text = "City run 2026;;\n17 May;;\nStartnummer;Name;Club\n1.501;Ann;Harriers\n"
    signed_in.get_by_label("Or paste the list").fill(text)
    signed_in.get_by_role("button", name="Look at the list").click()
    expect(signed_in.get_by_text("1 participant.")).to_contain_text("The list begins in row 3.")
    expect(signed_in.get_by_role("cell", name="1501 (1.501)")).to_be_visible()
    signed_in.get_by_role("button", name="Use this list").click()
    expect(signed_in.get_by_role("status")).to_contain_text("The start list is in")
    assert entries(office) == {"1501": "Ann"}


def test_who_has_no_photo_is_seen_and_found(signed_in: Page, office: Office) -> None:
    office.add_photo("ready", "1234")
    office.add_photo("ready", "1234", "77")
    hidden = office.add_photo("ready", "1235")
    office.execute("update photo set hidden = true where id = %s", hidden)
    office.execute("update bib_tag set visible = false where photo_id = %s", hidden)
    put_in(office)
    open_list(signed_in, office)
    expect(signed_in.locator(".coverage")).to_contain_text("2 of 3 participants have photos")
    expect(signed_in.locator(".coverage")).to_contain_text("1 without a photo")
    expect(signed_in.get_by_role("row", name="1234 Ann 2")).to_be_visible()
    signed_in.get_by_role("link", name="Who they are").click()
    expect(signed_in.locator("tbody tr")).to_have_text(["1235Bobnone"])
    signed_in.get_by_role("combobox", name="Show").select_option("all")
    signed_in.get_by_role("searchbox", name="Bib or name").fill("ci")
    signed_in.get_by_role("searchbox", name="Bib or name").press("Enter")
    expect(signed_in.locator("tbody tr")).to_have_text(["77Cid1"])
    signed_in.get_by_role("searchbox", name="Bib or name").fill("%")
    signed_in.get_by_role("button", name="Find").click()
    expect(signed_in.get_by_role("heading", name="Nobody here")).to_be_visible()


def test_a_misread_number_is_corrected_on_all_its_photos(signed_in: Page, office: Office) -> None:
    first = office.add_photo("ready", "1284")
    second = office.add_photo("ready", "1284", "1234")
    office.add_photo("ready", "9999")
    said = office.add_photo("ready", "8888")
    office.execute("update bib_tag set source = 'hand' where photo_id = %s", said)
    put_in(office)
    open_list(signed_in, office)
    expect(signed_in.locator(".unlisted li .bib")).to_have_text(["1284", "9999"])
    expect(signed_in.locator(".coverage")).to_contain_text("2 read, on no list")
    item = signed_in.get_by_role("listitem").filter(has_text="1284")
    expect(item).to_contain_text("on 2 photos")
    assert serious(signed_in) == []
    item.get_by_role("button", name="1284 is 1234, Ann").press("Enter")
    expect(signed_in.get_by_role("status")).to_contain_text("right number")
    expect(signed_in.locator(".unlisted li")).to_have_count(1)
    tags = office.execute(
        "select photo_id, bib, source from bib_tag where photo_id = any(%s)", [first, second]
    )
    assert sorted(tags) == sorted([(first, "1234", "hand"), (second, "1234", "hand")])


def test_a_store_that_gives_no_links_leaves_the_page_without_pictures(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> list[str]:
        raise StorageError("The bucket gives no links.")

    office.add_photo("ready", "1284")
    client = put_in(office)
    monkeypatch.setattr(Linker, "lasting_links", no_links)
    page = client.http.get(f"/events/{office.event_id}/startlist")
    assert page.status_code == 200
    assert "The bucket gives no links." in page.text
    assert "1284 is 1234, Ann" in page.text


def test_a_list_is_replaced_whole_and_removed(signed_in: Page, office: Office) -> None:
    put_in(office)
    put_in(office, "Bib\n5\n")
    assert entries(office) == {"5": None}
    open_list(signed_in, office)
    signed_in.get_by_role("button", name="Remove the list …").click()
    signed_in.get_by_role("button", name="Remove it").click()
    expect(signed_in.get_by_role("heading", name="No start list yet")).to_be_visible()
    assert entries(office) == {}


def test_a_pasted_list_that_is_refused_stays_in_its_field(signed_in: Page, office: Office) -> None:
    field = signed_in.get_by_label("Or paste the list")
    open_list(signed_in, office)
    field.fill("\nhello\n</textarea><b>world")
    signed_in.get_by_role("button", name="Look at the list").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("No column of this list holds bib")
    expect(field).to_have_value("\nhello\n</textarea><b>world")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Choose a CSV file"),
        ({"list": " \n"}, "Choose a CSV file"),
        ({"list": "Bib;Name\n"}, "Nobody is on this list"),
        ({"list": "Bib;Name\n1;A\n", "bib": "-1"}, "column of the bib numbers"),
        ({"list": "Bib;Name\n1;A\n", "bib": "59"}, "Nobody is on this list"),
    ],
)
def test_what_is_no_list_changes_nothing(
    office: Office, fields: dict[str, str], message: str
) -> None:
    client = put_in(office)
    answer = client.send(f"/events/{office.event_id}/startlist", **fields)
    assert answer.status_code == 422
    assert message in answer.text
    assert f">\n{fields.get('list', '')}</textarea>" in answer.text
    assert len(entries(office)) == 3


def test_a_list_of_a_large_race_is_in_at_once(office: Office) -> None:
    client = office.client(office.owner)
    many = "Bib;Name\n" + "".join(f"{number};Runner {number}\n" for number in range(1, 50_001))
    preview = client.http.post(
        f"/events/{office.event_id}/startlist/preview",
        data={"form_token": client.form_token},
        files={"file": ("list.csv", many.encode())},
    )
    assert "50,000 participants" in preview.text
    answer = client.http.post(
        f"/events/{office.event_id}/startlist",
        data={"form_token": client.form_token, "list": many},
        files={"file": ("", b"")},
    )
    assert answer.status_code == 303
    assert len(entries(office)) == 50_000
    page = client.http.get(f"/events/{office.event_id}/startlist?page=1000")
    assert "49,951 to 50,000 of 50,000" in page.text
    assert len(page.content) < 100_000


@pytest.mark.parametrize(
    "line", ["1" * 130_000, "1 " + "ab" * 60_000 + "1"], ids=["digits", "letters"]
)
def test_a_line_without_end_is_answered_at_once(office: Office, line: str) -> None:
    client = office.client(office.owner)
    answer = client.http.post(
        f"/events/{office.event_id}/startlist/preview",
        data={"form_token": client.form_token},
        files={"file": ("list.csv", line.encode())},
    )
    assert answer.status_code == 422
    assert "No column of this list holds bib" in answer.text


def test_only_numbers_on_the_list_are_right(office: Office) -> None:
    office.add_photo("ready", "1284")
    office.add_photo("ready", "1234")
    client = put_in(office)
    for bib, right in (
        ("1234", "1234"),
        ("1284", "9"),
        ("1234", "1235"),
        ("1284", "1284"),
        ("1284", ""),
        ("\0", "\0"),
    ):
        answer = client.send(f"/events/{office.event_id}/startlist/correct", bib=bib, right=right)
        assert answer.status_code == 422
    assert office.execute(
        "select bib from bib_tag where event_id = %s order by bib", office.event_id
    ) == [("1234",), ("1284",)]


def test_a_viewer_sees_the_list_and_changes_nothing(page: Page, office: Office) -> None:
    office.add_photo("ready", "1284")
    put_in(office)
    viewer = office.person("viewer")
    enter(page, office, viewer)
    open_list(page, office)
    expect(page.get_by_role("row", name="77 Cid none")).to_be_visible()
    expect(page.locator("main").get_by_role("button")).to_have_count(2)  # the id, and Find
    client = office.client(viewer)
    base = f"/events/{office.event_id}/startlist"
    answers: list[httpx.Response] = [
        client.send(base, list="Bib\n1\n"),
        client.send(f"{base}/preview", list="Bib\n1\n"),
        client.send(f"{base}/remove"),
        client.send(f"{base}/correct", bib="1284", right="1234"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert len(entries(office)) == 3


def test_nothing_is_cut_off_at_any_width(signed_in: Page, office: Office) -> None:
    office.add_photo("ready", "1284")
    put_in(office, f"Bib;Name\n1234;{'Annabella-Maria ' * 8}\n1294;{'x' * 150}\n")
    open_list(signed_in, office)
    for width in (320, 390, 768, 1600, 2560):
        signed_in.set_viewport_size({"width": width, "height": 900})
        assert signed_in.evaluate("document.documentElement.scrollWidth") <= width, width
