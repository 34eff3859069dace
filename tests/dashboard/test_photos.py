"""The operator's photos: filters, one photo with its corrections, several at once, by keyboard."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import psycopg
import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from fotofinish.photos.browsing import Filter
from fotofinish.photos.keys import original_key
from tests.browsers import launch
from tests.dashboard.conftest import Office, enter

START = datetime(2026, 5, 17, 9, tzinfo=UTC)
NAME = "IMG_20260509_0001.jpg"


@pytest.fixture
def photos(office: Office) -> list[uuid.UUID]:
    """Six photos in the order of capture: bibs 1 and 2, a face alone, hidden, failed, waiting."""
    made = [
        office.add_photo("ready", "1"),
        office.add_photo("ready", "1", "2"),
        office.add_photo("ready"),
        office.add_photo("ready", "3"),
        office.add_photo("failed", reason="The file is damaged."),
        office.add_photo("waiting"),
    ]
    for number, photo in enumerate(made):
        office.execute(
            "update photo set captured_at = %s, folder = %s where id = %s",
            START + timedelta(minutes=number), "finish" if number % 2 else "start", photo,
        )  # fmt: skip
    office.execute(
        """insert into face (photo_id, event_id, box, score, quality, model)
           values (%s, %s, '{100,50,80,90}', 0.9, 1, 'none')""",
        made[2], office.event_id,
    )  # fmt: skip
    office.execute("update bib_tag set box = '{200,150,60,30}' where photo_id = %s", made[0])
    office.execute("update photo set hidden = true where id = %s", made[3])
    office.execute("update bib_tag set visible = false where photo_id = %s", made[3])
    return made


def listed(office: Office, query: str = "") -> list[uuid.UUID]:
    page = office.client(office.owner).http.get(f"/events/{office.event_id}/photos?{query}")
    assert page.status_code == 200
    return [uuid.UUID(part[:36]) for part in page.text.split('data-id="')[1:]]


def tags(office: Office, photo: uuid.UUID) -> dict[str, str]:
    return dict(office.execute("select bib, source from bib_tag where photo_id = %s", photo))


def open_photo(page: Page, office: Office, photo: uuid.UUID) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos/{photo}?show=ready")


def test_keys_are_named_only_where_there_are_some(
    browser: Browser, office: Office, photos: list[uuid.UUID]
) -> None:
    for touch in (False, True):
        context = browser.new_context(has_touch=touch, is_mobile=touch)
        page = context.new_page()
        enter(page, office, office.owner)
        page.goto(f"{office.url}/events/{office.event_id}/photos")
        expect(page.get_by_text("Tick photos to change several")).to_be_visible()
        expect(page.get_by_text("Hold Shift")).to_be_visible(visible=not touch)
        page.goto(f"{office.url}/events/{office.event_id}/photos/{photos[0]}")
        expect(page.locator("kbd").first).to_be_visible(visible=not touch)
        context.close()


def tick(page: Page, *places: int) -> None:
    """Choose the photos in these places of the grid."""
    for place in places:
        page.locator("input[name=photo]").nth(place).click()


def shown(office: Office) -> int:
    """How many photos everybody sees, by the kept counts."""
    ((total,),) = office.execute(
        "select coalesce(sum(photos), 0)::int from photo_bucket where event_id = %s",
        office.event_id,
    )
    return total


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("show=ready", [0, 1, 2]),
        ("show=no-bib", [2]),
        ("show=no-face", [0, 1, 3]),
        ("show=failed", [4]),
        ("show=waiting", [5]),
        ("show=hidden", [3]),
        ("show=nonsense", [0, 1, 2, 3, 4, 5]),
        ("bib=1", [0, 1]),
        ("bib=%202%20", [1]),
        ("bib=%00", [0, 1, 2, 3, 4, 5]),
        ("folder=finish", [1, 3, 5]),
        ("folder=finish&show=ready", [1]),
        ("from=2026-05-17T09:02&to=2026-05-17T09:04", [2, 3]),
        ("from=never", [0, 1, 2, 3, 4, 5]),
        ("bib=nobody", []),
        ("offset=4", [4, 5]),
        ("offset=-1", [0, 1, 2, 3, 4, 5]),
        ("offset=6", [0, 1, 2, 3, 4, 5]),
        ("offset=99999999999999999999", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_photos_are_filtered_in_the_order_of_capture(
    office: Office, photos: list[uuid.UUID], query: str, places: list[int]
) -> None:
    assert listed(office, query) == [photos[place] for place in places]


def test_an_empty_event_says_what_to_do(office: Office) -> None:
    page = office.client(office.owner).http.get(f"/events/{office.event_id}/photos").text
    assert "No photos yet" in page
    assert f"/events/{office.event_id}/upload" in page


def test_hidden_photos_leave_every_public_list_and_come_back(
    office: Office, photos: list[uuid.UUID]
) -> None:
    client = office.client(office.owner)
    address = f"/events/{office.event_id}/photos/change"
    assert shown(office) == 3
    client.send(address, do="hide", photos=f"{photos[0]},{photos[1]}")
    assert shown(office) == 1
    assert not any(
        row[0] for row in office.execute("select visible from bib_tag where bib in ('1', '2') "
                                         "and event_id = %s", office.event_id)
    )  # fmt: skip
    client.send(address, do="show", photos=f"{photos[0]},{photos[1]},{photos[3]}")
    assert shown(office) == 4
    assert all(
        row[0]
        for row in office.execute(
            "select visible from bib_tag where event_id = %s", office.event_id
        )
    )


@pytest.mark.parametrize("state", ["waiting", "failed"])
def test_a_number_on_a_photo_that_was_never_read_shows_nothing_in_the_gallery(
    office: Office, state: str
) -> None:
    photo = office.add_photo(state)
    ((slug,),) = office.execute("select slug from event where id = %s", office.event_id)
    client = office.client(office.owner)
    for fields in ({"do": "add", "bib": "7"}, {"do": "hide"}, {"do": "show"}):
        client.send(f"/events/{office.event_id}/photos/change", photos=photo, **fields)
        page = client.http.get(f"/e/{slug}/find?bib=7")
        assert page.status_code == 200, fields
        assert str(photo) not in page.text
    assert tags(office, photo) == {"7": "hand"}


def test_photos_that_are_read_again_stay_where_everybody_sees_them(
    office: Office, photos: list[uuid.UUID]
) -> None:
    client = office.client(office.owner)
    client.send(f"/events/{office.event_id}/photos/change", do="again", photos=f"{photos[0]}")
    client.send(f"/events/{office.event_id}/photos/change", do="left", photos=f"{photos[1]}")
    assert shown(office) == 3
    assert listed(office, "show=ready") == photos[:3]
    office.execute("update photo set state = 'failed' where id = %s", photos[0])
    client.send(f"/events/{office.event_id}/photos/change", do="hide", photos=f"{photos[1]}")
    assert shown(office) == 2
    assert listed(office, "show=ready") == [photos[0], photos[2]]


def test_a_turned_photo_is_read_again(office: Office, photos: list[uuid.UUID]) -> None:
    client = office.client(office.owner)
    for what, turned in (("left", 3), ("left", 2), ("right", 3), ("right", 0), ("right", 1)):
        client.send(f"/events/{office.event_id}/photos/{photos[0]}", do=what)
        assert office.execute("select turned, state from photo where id = %s", photos[0]) == [
            (turned, "waiting")
        ]
    assert office.execute(
        "select count(*) from procrastinate_jobs where args->>'photo_id' = %s", str(photos[0])
    ) == [(5,)]


def test_deleted_photos_are_gone_with_all_that_was_known(
    office: Office, photos: list[uuid.UUID]
) -> None:
    client = office.client(office.owner)
    answer = client.send(f"/events/{office.event_id}/photos/{photos[1]}", do="delete")
    after = answer.headers["location"]
    assert after.partition("?")[0] == f"/events/{office.event_id}/photos/{photos[2]}"
    said = "Deleted the photo before for good. This is the next one."
    assert said in client.http.get(after).text
    assert tags(office, photos[1]) == {}
    assert shown(office) == 2
    assert office.execute("select event_id from photo_gone where photo_id = %s", photos[1]) == [
        (office.event_id,)
    ]
    again = office.client(office.owner).http.get(f"/events/{office.event_id}/photos/{photos[1]}")
    assert again.status_code == 404


def test_the_last_photos_deletion_leads_back_to_the_one_before(
    office: Office, photos: list[uuid.UUID]
) -> None:
    client = office.client(office.owner)
    base = f"/events/{office.event_id}/photos"
    answer = client.send(f"{base}/{photos[2]}?show=ready", do="delete")
    after = answer.headers["location"]
    assert after.partition("&done=")[0] == f"{base}?show=ready&at={photos[1]}"
    assert "Deleted 1 photo for good." in client.http.get(after).text


def test_a_change_leads_back_to_where_one_looked(office: Office) -> None:
    _add_many(office, 300)
    client = office.client(office.owner)
    base = f"/events/{office.event_id}/photos"
    last = listed(office, "offset=240")
    for fields, first in (
        ({"do": "hide", "photos": last[0], "at": last[9]}, 240),
        ({"do": "add", "photos": last[0], "offset": "120", "at": uuid.uuid4()}, 120),
        ({"do": "add", "photos": last[0], "offset": "x", "at": "x"}, 0),
        ({"do": "add", "photos": ",".join(map(str, last[:5])), "at": last[40]}, 240),
        ({"do": "delete", "photos": ",".join(map(str, last)), "offset": "240"}, 120),
    ):
        answer = client.send(f"{base}/change", **fields, bib="5")
        page = client.http.get(answer.headers["location"]).text
        assert f'data-offset="{first}" data-at' in page, fields
    refused = client.send(f"{base}/change", do="add", photos=listed(office)[0], offset="120")
    assert refused.status_code == 422
    assert 'data-offset="120" data-at' in refused.text
    assert f'data-address="{base}?offset=120"' in refused.text


def test_files_of_deleted_photos_go_before_photos_that_wait_are_read(
    office: Office, photos: list[uuid.UUID]
) -> None:
    client = office.client(office.owner)
    client.send(f"/events/{office.event_id}/photos/{photos[0]}", do="again")
    client.send(f"/events/{office.event_id}/photos/{photos[1]}", do="delete")
    (first, *_) = office.execute(
        """select task_name from procrastinate_jobs where status = 'todo'
           order by priority desc, id"""
    )
    assert first == ("fotofinish:clear_gone_photos",)


def test_corrections_are_kept_apart_from_readings(office: Office, photos: list[uuid.UUID]) -> None:
    client = office.client(office.owner)
    address = f"/events/{office.event_id}/photos/{photos[1]}"
    client.send(address, do="add", bib=" 77a ")
    client.send(address, do="remove", bib="2\0")
    assert tags(office, photos[1]) == {"1": "read", "77A": "hand"}
    client.send(address, do="confirm")
    assert tags(office, photos[1]) == {"1": "hand", "77A": "hand"}
    client.send(address, do="add", bib="2")
    assert tags(office, photos[1])["2"] == "hand"
    assert office.execute("select 1 from bib_refusal where photo_id = %s", photos[1]) == []


@pytest.mark.parametrize("bib", ["", "   ", "x" * 21])
def test_what_is_no_number_is_refused(office: Office, photos: list[uuid.UUID], bib: str) -> None:
    answer = office.client(office.owner).send(
        f"/events/{office.event_id}/photos/{photos[0]}", do="add", bib=bib
    )
    assert answer.status_code == 422
    assert "1 to 20" in answer.text
    assert tags(office, photos[0]) == {"1": "read"}


def test_viewers_look_and_change_nothing(office: Office, photos: list[uuid.UUID]) -> None:
    viewer = office.client(office.person("viewer"))
    page = viewer.http.get(f"/events/{office.event_id}/photos/{photos[0]}").text
    assert "Remove" not in page
    for address in (f"photos/{photos[0]}", "photos/change"):
        answer = viewer.send(
            f"/events/{office.event_id}/{address}", do="delete", photos=str(photos[0])
        )
        assert answer.status_code == 403
    assert len(listed(office)) == 6


def test_what_is_said_is_what_was_done(office: Office, photos: list[uuid.UUID]) -> None:
    client = office.client(office.owner)
    gone = office.add_photo("ready")
    for do, chosen, said in (
        ("remove", photos[:3], "Removed 1 from 2 photos."),
        ("remove", photos[:3], "None of the chosen photos carries 1."),
        ("hide", photos[2:4], "Hid 1 photo from participants."),
        ("hide", photos[2:4], "These photos are hidden already, or gone."),
        ("show", photos[:2], "Participants see these photos already, or they are gone."),
        ("delete", [gone], "Deleted 1 photo for good."),
        ("add", [gone, photos[0]], "Added 1 to 1 photo."),
        ("add", [gone], "These photos are gone."),
        ("left", [gone], "These photos are gone."),
        ("again", [gone], "These photos are gone."),
        ("delete", [gone], "These photos are gone."),
    ):
        answer = client.send(
            f"/events/{office.event_id}/photos/change",
            do=do, bib="1", photos=",".join(map(str, chosen)),
        )  # fmt: skip
        page = client.http.get(answer.headers["location"]).text
        assert page.partition('role="status">')[2].partition("<")[0] == said, do


def test_a_choice_has_limits(office: Office, photos: list[uuid.UUID]) -> None:
    client = office.client(office.owner)
    address = f"/events/{office.event_id}/photos/change"
    many = ",".join(str(uuid.uuid4()) for _ in range(1001))
    for fields, status in (
        ({"do": "hide"}, 422),
        ({"do": "hide", "photos": "x"}, 400),
        ({"do": "explode", "photos": str(photos[0])}, 400),
        ({"do": "hide", "photos": many}, 422),
    ):
        assert client.send(address, **fields).status_code == status


def test_the_original_comes_back_in_whatever_state_the_photo_is(office: Office) -> None:
    photo = office.add_photo("failed", reason="The file is damaged.")
    office.execute("update photo set width = null, name = %s where id = %s", NAME, photo)
    file = office.data_dir / "storage" / original_key(office.event_id, photo, "jpg")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"as it came in")
    address = f"/events/{office.event_id}/photos/{photo}"
    client = office.client(office.person("editor"))
    assert f'href="{address}/original"' in client.http.get(address).text
    answer = client.http.get(f"{address}/original", follow_redirects=True)
    assert answer.content == b"as it came in"
    assert f'filename="{NAME}"' in answer.headers["content-disposition"]
    assert client.http.get(f"{address[:-4]}0000/original").status_code == 404
    viewer = office.client(office.person("viewer"))
    assert "/original" not in viewer.http.get(address).text
    assert viewer.http.get(f"{address}/original").status_code == 403


def test_the_photos_page_shows_boxes_and_neighbours(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    open_photo(page, office, photos[0])
    expect(page.locator("svg.boxes rect.bib")).to_have_attribute("x", "200.0")
    expect(page.locator("svg.boxes text")).to_have_text("1")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{photos[1]}?show=ready")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{photos[2]}?show=ready")
    expect(page.locator("svg.boxes rect.face")).to_have_count(1)
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{photos[1]}?show=ready")


def test_numbers_are_corrected_by_keyboard_alone(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    open_photo(page, office, photos[1])
    page.keyboard.press("b")
    page.keyboard.type("888")
    page.keyboard.press("Enter")
    expect(page.locator(".tags li")).to_have_count(3)
    page.wait_for_load_state()
    for _ in range(3):
        page.keyboard.press("x")
    expect(page.get_by_role("button", name="Remove 2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".tags li")).to_have_count(2)
    page.keyboard.press("c")
    page.wait_for_url(f"**/{photos[2]}?show=ready")
    assert tags(office, photos[1]) == {"888": "hand", "1": "hand"}
    page.keyboard.press("h")
    expect(page.get_by_text("hidden", exact=True)).to_be_visible()
    assert shown(office) == 2


def test_a_number_by_hand_is_kept_as_the_start_list_writes_it(
    office: Office, photos: list[uuid.UUID]
) -> None:
    office.execute(
        "insert into startlist_entry (event_id, bib) values (%s, '42'), (%s, '1234')",
        office.event_id, office.event_id,
    )  # fmt: skip
    address = f"/events/{office.event_id}/photos/change"
    office.client(office.owner).send(address, do="add", photos=f"{photos[2]}", bib="0042")
    assert tags(office, photos[2]) == {"42": "hand"}


def test_a_number_that_is_typed_is_added_and_removes_none(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    open_photo(page, office, photos[1])
    page.keyboard.type("1234")
    field = page.get_by_label("Add a number")
    expect(field).to_be_focused()
    expect(field).to_have_value("1234")
    page.get_by_label("What was seen").focus()
    page.keyboard.type("5")
    expect(field).to_have_value("12345")
    page.keyboard.press("Enter")
    expect(page.locator(".tags li")).to_have_count(3)
    assert tags(office, photos[1]) == {"1": "read", "2": "read", "12345": "hand"}


def test_a_number_in_the_field_is_added_by_all_right(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    open_photo(page, office, photos[1])
    page.keyboard.press("b")
    page.keyboard.type("42a2")
    page.get_by_role("button", name="All right").click()
    page.wait_for_url(f"**/{photos[2]}?show=ready")
    expect(page.get_by_role("status")).to_have_text(
        "Added 42A2 to the photo before. This is the next one."
    )
    assert tags(office, photos[1]) == {"1": "hand", "2": "hand", "42A2": "hand"}


def test_a_number_in_the_field_is_not_left_behind_without_a_question(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    open_photo(page, office, photos[1])
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.keyboard.type("42")
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_label("Add a number")).to_have_value("42")
    assert asked == ["beforeunload"]
    assert shown(office) == 3


def test_what_was_done_is_said_where_the_keys_go_on(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    open_photo(page, office, photos[2])
    said = page.locator(".side").get_by_role("status")
    page.keyboard.type("88")
    for key, words in (
        ("Enter", "Added 88 to this photo."),
        ("h", "Hid this photo from participants."),
        ("h", "Showing this photo to participants again."),
        ("r", "Turned this photo to the right. Reading follows."),
        ("c", "Confirmed. No photo comes after this one."),
    ):
        page.keyboard.press(key)
        expect(said).to_have_text(words)
        expect(said).to_be_focused()
        page.wait_for_load_state()


@pytest.mark.parametrize("bib", ["   ", "x" * 21])
def test_what_is_no_number_comes_back_to_be_mended(
    office: Office, photos: list[uuid.UUID], bib: str
) -> None:
    answer = office.client(office.owner).send(
        f"/events/{office.event_id}/photos/{photos[0]}", do="add", bib=bib
    )
    assert f'value="{bib.strip()}" data-add' in answer.text
    assert "1 to 20" in answer.text


def test_several_photos_are_changed_at_once(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos?show=ready")
    expect(page.get_by_role("button", name="Add bib")).to_be_hidden()
    ticks = page.locator("input[name=photo]")
    ticks.nth(0).click()
    ticks.nth(2).click(modifiers=["Shift"])
    expect(page.get_by_text("3 chosen")).to_be_visible()
    page.get_by_role("group", name="Change the chosen").get_by_label("Bib").fill("500")
    page.get_by_role("button", name="Add bib").click()
    expect(page.get_by_role("status")).to_have_text("Added 500 to 3 photos.")
    assert all("500" in tags(office, photo) for photo in photos[:3])
    assert "500" not in tags(office, photos[3])
    ticks.nth(1).click()
    page.get_by_role("button", name="Delete …").click()
    expect(page.get_by_role("heading", name="Delete 1 photo?")).to_be_visible()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator(".cell")).to_have_count(2)
    assert listed(office, "show=ready") == [photos[0], photos[2]]


def test_a_change_far_down_and_the_way_back_from_a_photo_keep_the_place(
    page: Page, office: Office
) -> None:
    _add_many(office, 900)
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    photos = listed(office, "offset=480")
    page.locator("#grid > div").nth(4).scroll_into_view_if_needed()
    cells = [page.locator(f"[data-id='{photo}']") for photo in photos[50:52]]
    cells[0].scroll_into_view_if_needed()
    cells[0].locator("input").click()
    page.get_by_role("group", name="Change the chosen").get_by_label("Bib").fill("500")
    page.get_by_role("button", name="Add bib").click()
    said = page.get_by_role("status")
    expect(said).to_have_text("Added 500 to 1 photo.")
    expect(said).to_be_in_viewport()
    expect(cells[0]).to_be_in_viewport()
    cells[1].locator("a").click()
    page.get_by_role("link", name="Photos of").click()
    expect(cells[1]).to_be_in_viewport()


def test_a_choice_without_a_number_is_not_lost(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos?show=ready")
    tick(page, 0, 2)
    tools = page.get_by_role("group", name="Change the chosen")
    tools.get_by_role("button", name="Add bib").click()
    expect(tools.get_by_label("Bib")).to_be_focused()
    expect(page.get_by_text("2 chosen")).to_be_visible()
    # what only the server knows comes back with everything, too
    page.evaluate("document.querySelector('.tools [name=bib]').maxLength = 30")
    tools.get_by_label("Bib").fill("1" * 21)
    tools.get_by_role("button", name="Add bib").click()
    expect(page.get_by_role("alert")).to_contain_text("1 to 20")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    tools.get_by_label("Bib").fill("500")
    tools.get_by_role("button", name="Add bib").click()
    expect(page.get_by_role("status")).to_have_text("Added 500 to 2 photos.")
    assert ["500" in tags(office, photo) for photo in photos[:3]] == [True, False, True]
    page.locator("input[name=photo]").first.click()
    tools.get_by_role("button", name="Add bib").click()
    tools.get_by_role("button", name="Hide").click()
    expect(page.get_by_role("status")).to_have_text("Hid 1 photo from participants.")


@pytest.fixture
def remembering_page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that keeps pages for Back, as all do that no test drives."""
    remembering = launch(browser.browser_type, ignore_default_args=["--disable-back-forward-cache"])
    yield remembering.new_page()
    remembering.close()


def test_after_back_a_change_is_for_the_photos_that_are_ticked_then(
    remembering_page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    page = remembering_page
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    tools = page.get_by_role("group", name="Change the chosen")
    for places, bib, said in (
        ((0, 1), "101", "Added 101 to 2 photos."),
        ((2,), "102", "Added 102 to 1 photo."),
    ):
        expect(page.locator("input[name=photo]:checked")).to_have_count(0)
        tick(page, *places)
        expect(page.get_by_text(f"{len(places)} chosen")).to_be_visible()
        tools.get_by_label("Bib").fill(bib)
        tools.get_by_role("button", name="Add bib").click()
        expect(page.get_by_role("status")).to_have_text(said)
        page.go_back(wait_until="commit")
        expect(page.locator(".cell").first).to_contain_text("101")
    assert [sorted(tags(office, photo)) for photo in photos[:3]] == [
        ["1", "101"], ["1", "101", "2"], ["102"],
    ]  # fmt: skip


def test_after_back_only_chosen_photos_are_ticked(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    tick(page, 0, 1)
    page.locator(".cell a").nth(2).click()
    page.wait_for_url(f"**/photos/{photos[2]}")
    page.go_back()
    expect(page.locator("html.scripted .cell")).to_have_count(6)
    assert page.locator("input[name=photo]:checked").count() == 0


def test_an_error_keeps_the_organisation_and_leads_back_to_the_event(
    office: Office, photos: list[uuid.UUID]
) -> None:
    answer = office.client(office.owner).send(
        f"/events/{office.event_id}/photos/change", do="explode", photos=str(photos[0])
    )
    assert answer.status_code == 400
    assert "Harbour Races</span>" in answer.text
    assert f'href="/events/{office.event_id}"' in answer.text


@pytest.mark.parametrize("width", [320, 390, 1024, 1440])
def test_the_grid_and_its_filter_have_room(
    page: Page, office: Office, photos: list[uuid.UUID], width: int
) -> None:
    office.add_photo("ready", "20001", "20002", "20003", "20004")
    page.set_viewport_size({"width": width, "height": 900})
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos?show=ready")
    cell = page.locator(".cell").filter(has_text="20004")
    tick = cell.locator("input").bounding_box()
    chips = cell.locator(".bibs").bounding_box()
    assert tick
    assert chips
    assert tick["y"] + tick["height"] <= chips["y"]
    places = [page.get_by_label(name, exact=True).bounding_box() for name in ("From", "To")]
    if width > 1000:
        assert places[0]
        assert places[1]
        assert places[0]["y"] == places[1]["y"]


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_a_flag_leaves_the_name_of_its_file_free(page: Page, office: Office, width: int) -> None:
    photo = office.add_photo("failed", reason="The file is damaged.")
    office.execute("update photo set name = %s, width = null where id = %s", NAME, photo)
    page.set_viewport_size({"width": width, "height": 900})
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    flag = page.get_by_text("failed", exact=True).last.bounding_box()
    name = page.get_by_text(NAME, exact=True).evaluate(
        """one => {
            const text = document.createRange()
            text.selectNodeContents(one)
            const cell = one.closest(".cell").getBoundingClientRect()
            const { top, bottom } = text.getBoundingClientRect()
            return { top, room: cell.bottom - bottom }
        }"""
    )
    assert flag
    assert flag["y"] + flag["height"] <= name["top"]
    assert name["room"] >= 0


def test_a_click_on_a_number_or_a_flag_opens_its_photo(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    enter(page, office, office.owner)
    for text, place in (("1", 0), ("hidden", 3), ("failed", 4)):
        page.goto(f"{office.url}/events/{office.event_id}/photos")
        box = page.locator(f"[data-id='{photos[place]}']").get_by_text(text, exact=True)
        where = box.bounding_box()
        assert where
        page.mouse.click(where["x"] + where["width"] / 2, where["y"] + where["height"] / 2)
        page.wait_for_url(f"**/photos/{photos[place]}")


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_how_a_long_number_was_found_stands_in_one_line(
    page: Page, office: Office, width: int
) -> None:
    photo = office.add_photo("ready", "1", "X" * 20)
    office.execute("update bib_tag set source = 'hand' where photo_id = %s", photo)
    page.set_viewport_size({"width": width, "height": 900})
    open_photo(page, office, photo)
    short, long = page.get_by_text("by hand").evaluate_all("all => all.map(e => e.clientHeight)")
    assert short == long
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_grid_is_walked_by_keyboard(
    page: Page, office: Office, photos: list[uuid.UUID]
) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    page.locator(".cell a").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Hide")).to_be_hidden()
    page.locator(".cell a").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/photos/{photos[1]}")


def test_a_long_grid_is_filled_where_one_looks(page: Page, office: Office) -> None:
    office.execute(
        """insert into photo (id, event_id, sha256, size, content_type, extension, name, state,
                              captured_at)
           select gen_random_uuid(), %s, sha256(n::text::bytea), 1, 'image/jpeg', 'jpg',
                  'IMG_' || n || '.jpg', 'ready', '2026-05-17Z'::timestamptz + n * interval '1 s'
           from generate_series(1, 5000) n""",
        office.event_id,
    )
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    expect(page.get_by_text("5,000 photos")).to_be_visible()
    expect(page.get_by_text("IMG_1.jpg", exact=True)).to_be_visible()
    page.locator("#grid > div").last.scroll_into_view_if_needed()
    page.keyboard.press("End")
    expect(page.get_by_text("IMG_5000.jpg", exact=True)).to_be_visible()
    expect(page.get_by_text("IMG_1.jpg", exact=True)).to_have_count(0)  # far away: emptied
    assert page.locator(".cell").count() < 1000


def test_shift_chooses_all_between_two_photos_that_are_far_apart(
    page: Page, office: Office
) -> None:
    _add_many(office, 900)
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    page.locator("input[name=photo]").first.click()
    page.locator("h1").click()  # the focus is elsewhere: the first part may be emptied
    page.keyboard.press("End")
    last = page.locator("#grid > div").last.locator("input[name=photo]")
    expect(last).to_have_count(60)
    expect(page.locator("input[name=photo]:checked")).to_have_count(0)
    last.nth(49).click(modifiers=["Shift"])
    expect(page.get_by_text("890 chosen")).to_be_visible()
    expect(page.locator("#grid > div").last.locator("input:checked")).to_have_count(50)
    last.nth(49).click()
    expect(page.get_by_text("889 chosen")).to_be_visible()


def test_shift_over_more_photos_than_can_be_changed_says_so(page: Page, office: Office) -> None:
    _add_many(office, 3000)
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    page.locator("input[name=photo]").first.click()
    page.keyboard.press("End")
    last = page.locator("#grid > div").last.locator("input[name=photo]")
    expect(last).to_have_count(120)
    said: list[str] = []

    def note(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.accept()

    page.on("dialog", note)
    last.last.click(modifiers=["Shift"])
    expect(page.get_by_text("2 chosen")).to_be_visible()
    assert said == ["Change at most 1000 photos at a time."]


def test_a_part_of_the_grid_comes_when_the_server_is_back(page: Page, office: Office) -> None:
    _add_many(office, 900)
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    page.route("**/photos/part*", lambda route: route.fulfill(status=503))
    with page.expect_response(lambda response: response.status == 503):
        page.keyboard.press("End")
    page.wait_for_timeout(1000)  # what else came near is refused as well
    page.unroute("**/photos/part*")
    last = page.locator("#grid > div").last.locator("input[name=photo]")
    expect(last).to_have_count(60)


@pytest.mark.parametrize("query", ["", "show=no-bib", "folder=A", "bib=777"])
def test_a_mark_leads_where_counting_leads(office: Office, query: str) -> None:
    _add_many(office, 3000)
    client = office.client(office.owner).http
    base = f"/events/{office.event_id}/photos"
    marks = client.get(f"{base}/marks?{query}&chunks=2").json()
    (total,) = map(int, re.findall(r'data-total="(\d+)"', client.get(f"{base}?{query}").text))
    assert len(marks) == -(-total // 240)
    for number, mark in enumerate(marks):
        for skip in (0, 120):
            counted = client.get(f"{base}/part?{query}&offset={number * 240 + skip}")
            led = client.get(f"{base}/part?{query}&mark={quote(mark)}&skip={skip}")
            assert re.findall('data-id="[^"]+"', led.text) == re.findall(
                'data-id="[^"]+"', counted.text
            )
    for wrong in ("x~y", "2026-05-17~y", f"today~{uuid.uuid4()}"):
        assert client.get(f"{base}/part", params={"mark": wrong}).status_code == 400


def _add_many(office: Office, photos: int) -> None:
    """Some have no capture time, some share one; every third wears a bib."""
    office.execute(
        """with made as (
             insert into photo (id, event_id, sha256, size, content_type, extension, name, width,
                                height, state, folder, captured_at)
             select gen_random_uuid(), %s, sha256(n::text::bytea), 1, 'image/jpeg', 'jpg',
                    'IMG_' || n || '.jpg', 6, 4, 'ready', case n %% 2 when 0 then 'A' else 'B' end,
                    case when n %% 5 > 0 then '2026-05-17Z'::timestamptz + n / 7 * interval '1 ms'
                    end
             from generate_series(1, %s) n returning id, event_id, name)
           insert into bib_tag (photo_id, bib, event_id, confidence, extension)
           select id, '777', event_id, 0.9, 'jpg' from made where name like '%%3.jpg'""",
        office.event_id,
        photos,
    )


def test_a_far_chunk_reads_an_index_from_its_mark_on(office: Office) -> None:
    _add_many(office, 20_000)
    office.execute("vacuum analyze photo, bib_tag")
    query = f"/events/{office.event_id}/photos"
    client = office.client(office.owner).http
    for wanted, shown in (
        (Filter(), ""),
        (Filter("ready"), "show=ready"),
        (Filter(folder="A"), "folder=A"),
    ):
        mark = client.get(f"{query}/marks?{shown}&chunks=1").json()[-2]
        at, _, photo_id = mark.partition("~")
        with psycopg.connect(office.database.dsn) as connection:
            plan = connection.execute(
                f"""explain (analyze, format json)
                    select id from photo where {wanted.condition()}
                      and (coalesce(captured_at, 'infinity'), id) >= (%(at)s::timestamptz, %(id)s)
                    order by coalesce(captured_at, 'infinity'), id limit 120""",  # noqa: S608
                {**wanted.values(office.event_id), "at": at, "id": photo_id},
            ).fetchone()
        assert plan is not None
        (scan,) = plan[0][0]["Plan"]["Plans"]
        assert scan["Node Type"] in ("Index Scan", "Index Only Scan")
        assert scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0) <= 400


def test_a_photo_that_was_read_meanwhile_shows_itself(page: Page, office: Office) -> None:
    photo = office.add_photo("processing")
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos/{photo}")
    expect(page.locator(".badge", has_text="processing")).to_be_visible()
    office.execute(
        "update photo set state = 'ready', width = 400, height = 600 where id = %s", photo
    )
    expect(page.locator(".badge", has_text="processing")).to_be_hidden()
    expect(page.locator("figure img")).to_have_attribute("width", "400")


def test_the_grid_shows_what_became_of_photos_that_were_read(page: Page, office: Office) -> None:
    photo = office.add_photo("waiting")
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/photos")
    cell = page.locator(".cell")
    expect(cell).to_contain_text("waiting")
    office.execute("update photo set state = 'ready' where id = %s", photo)
    expect(cell).not_to_contain_text("waiting", timeout=10_000)
