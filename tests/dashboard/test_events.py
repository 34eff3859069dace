"""Events in the browser: their ids, making and changing them, their numbers, what failed."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
from playwright.sync_api import Page, Route, expect

from fotofinish.web.dashboard.event_page import FAILED_SHOWN
from tests.dashboard.conftest import Office, enter
from tests.pressing import press_twice


def test_the_selector_shows_the_organisations_id(signed_in: Page, office: Office) -> None:
    selector = signed_in.locator(".selector")
    expect(selector).to_have_text(f"Harbour Races · {office.org_id}")
    selector.click()
    expect(signed_in.get_by_role("link", name=f"Harbour Races {office.org_id}")).to_be_visible()
    expect(signed_in.get_by_text("Somebody Else")).to_have_count(0)


def test_a_request_to_remove_a_photo_is_seen_from_the_first_page_on(
    signed_in: Page, office: Office
) -> None:
    asked = "1 request to remove a photo waits for your answer."
    expect(signed_in.get_by_text(asked)).to_have_count(0)
    office.execute(
        """insert into removal_request (event_id, photo_id, message, contact)
           values (%s, %s, '', '')""",
        office.event_id,
        office.add_photo("ready"),
    )
    for path in ("/", f"/events/{office.event_id}"):
        signed_in.goto(office.url + path)
        signed_in.get_by_role("link", name=asked).click()
        signed_in.wait_for_url(f"**/events/{office.event_id}/removals")


def test_one_click_copies_an_events_id(signed_in: Page, office: Office) -> None:
    row = signed_in.get_by_role("listitem").filter(has_text="Harbour <b>Run</b>")
    row.get_by_role("button", name=f"Copy event id {office.event_id}").click()
    expect(signed_in.get_by_role("status")).to_have_text("Copied")
    assert signed_in.evaluate("navigator.clipboard.readText()") == str(office.event_id)


def test_an_event_is_made_with_the_keyboard_alone(signed_in: Page, office: Office) -> None:
    signed_in.get_by_role("link", name="New event").press("Enter")
    signed_in.get_by_label("Name").fill("Hill Trail")
    signed_in.get_by_label("Start").fill("2026-09-12T20:30")
    signed_in.get_by_label("Time zone").fill("Europe/Berlin")
    signed_in.get_by_role("switch", name="Search by selfie").press("Space")
    signed_in.get_by_label("Name").press("Enter")
    expect(signed_in.get_by_role("heading", name="Hill Trail")).to_be_visible()
    expect(signed_in.get_by_text("fotofinish import")).to_be_visible()
    (made,) = office.execute(
        """select starts_at::text, time_zone, status, bib_search, selfie_search from event
           where org_id = %s and name = 'Hill Trail'""",
        office.org_id,
    )
    assert made == ("2026-09-12 20:30:00", "Europe/Berlin", "active", True, False)


def test_a_button_pressed_again_while_the_answer_is_on_its_way_makes_one_event(
    signed_in: Page, office: Office
) -> None:
    signed_in.goto(f"{office.url}/events/new?org={office.org_id}")
    signed_in.get_by_label("Name").fill("Hill Trail")
    signed_in.get_by_label("Start").fill("2026-09-12T20:30")
    on_their_way: list[Route] = []
    signed_in.route("**/events", lambda route: on_their_way.append(route))
    press_twice(signed_in.get_by_role("button", name="Make the event"))
    (sent,) = on_their_way
    sent.continue_()
    expect(signed_in.get_by_role("heading", name="Hill Trail")).to_be_visible()


def test_two_events_of_one_name_made_at_the_same_moment_are_both_there(office: Office) -> None:
    client, name = office.client(office.owner), f"Dawn {office.event_id}"
    with psycopg.connect(office.database.dsn) as other, ThreadPoolExecutor(1) as executor:
        other.execute(
            """insert into event (org_id, slug, name, starts_at, time_zone)
               values (%s, %s, %s, '2026-05-17', 'UTC')""",
            [office.org_id, f"dawn-{office.event_id}", name],
        )
        sent = executor.submit(
            client.send, "/events",
            org=office.org_id, name=name, starts_at="2026-05-17T09:00", time_zone="UTC",
        )  # fmt: skip
        wait_behind(other, office)
        other.commit()
        assert sent.result().status_code == 303
    slugs = office.execute("select slug from event where name = %s order by id", name)
    assert len(slugs) == 2
    assert slugs[1][0].startswith(f"dawn-{office.event_id}-")


def test_a_form_whose_name_others_take_again_and_again_keeps_what_was_typed(office: Office) -> None:
    client, name = office.client(office.owner), f"Dusk {office.event_id}"
    with (
        psycopg.connect(office.database.dsn) as first,
        psycopg.connect(office.database.dsn) as second,
        ThreadPoolExecutor(1) as executor,
    ):
        take_slug(first, office, f"dusk-{office.event_id}")
        sent = executor.submit(
            client.send, "/events",
            org=office.org_id, name=name, starts_at="2026-05-17T09:00", time_zone="UTC",
        )  # fmt: skip
        wait_behind(first, office)
        ((last,),) = office.execute("select last_value from event_id_seq")
        take_slug(second, office, f"dusk-{office.event_id}-{last + 2}")  # its own id is last + 1
        first.commit()
        wait_behind(second, office)
        second.commit()
        answer = sent.result()
    assert answer.status_code == 409
    assert "Try once more" in answer.text
    assert f'value="{name}"' in answer.text


def take_slug(connection: psycopg.Connection, office: Office, slug: str) -> None:
    """As somebody does whose event is not to be seen yet."""
    connection.execute(
        """insert into event (org_id, slug, name, starts_at, time_zone)
           values (%s, %s, 'Taken', '2026-05-17', 'UTC')""",
        [office.org_id, slug],
    )


def wait_behind(connection: psycopg.Connection, office: Office) -> None:
    """Until somebody waits for what this connection does."""
    waits = "select 1 from pg_stat_activity where %s = any(pg_blocking_pids(pid))"
    deadline = time.monotonic() + 20
    while not office.execute(waits, connection.info.backend_pid):
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.05)


def test_the_addresses_of_other_events_keep_nobody_from_a_name(office: Office) -> None:
    client, name = office.client(office.owner), f"Berlin {office.event_id}"
    slug = f"berlin-{office.event_id}"
    office.execute("update event set slug = %s where id = %s", slug, office.foreign_event_id)
    office.execute(
        """insert into event (org_id, slug, name, starts_at, time_zone)
           select %s, %s || '-' || number, 'Guessed', '2026-05-17', 'UTC'
           from generate_series(%s::bigint, %s::bigint) number""",
        office.foreign_org_id, slug, office.event_id + 30, office.event_id + 130,
    )  # fmt: skip
    for _ in range(2):
        answer = client.send(
            "/events", org=office.org_id, name=name, starts_at="2026-05-17T09:00", time_zone="UTC"
        )
        assert answer.status_code == 303
    made = office.execute("select slug from event where name = %s", name)
    assert len(made) == 2
    assert all(one.startswith(f"{slug}-") for (one,) in made)


def test_a_time_zone_that_is_none_is_said_and_nothing_typed_is_lost(
    signed_in: Page, office: Office
) -> None:
    signed_in.goto(f"{office.url}/events/new?org={office.org_id}")
    signed_in.get_by_label("Name").fill("Hill Trail")
    signed_in.get_by_label("Start").fill("2026-09-12T20:30")
    signed_in.get_by_label("Time zone").fill("Berlin")
    signed_in.get_by_role("button", name="Make the event").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("write one like Europe/Berlin")
    expect(signed_in.get_by_label("Name")).to_have_value("Hill Trail")


def test_an_event_is_renamed_archived_and_its_search_switched_off(
    signed_in: Page, office: Office
) -> None:
    signed_in.goto(f"{office.url}/events/{office.event_id}/settings")
    signed_in.get_by_label("Name").fill("Harbour Run 2026")
    signed_in.get_by_label("Status").select_option("archived")
    signed_in.get_by_role("switch", name="Search by bib number").uncheck()
    signed_in.get_by_role("switch", name="Link faces and bibs").uncheck()
    signed_in.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_role("status")).to_have_text("Saved.")
    expect(signed_in.get_by_role("heading", name="Harbour Run 2026")).to_be_visible()
    (kept,) = office.execute(
        "select status, bib_search, selfie_search, link_faces from event where id = %s",
        office.event_id,
    )
    assert kept == ("archived", False, True, False)


def test_an_events_numbers_grow_while_one_looks(signed_in: Page, office: Office) -> None:
    photo = office.add_photo("waiting")
    signed_in.goto(f"{office.url}/events/{office.event_id}")
    legend = signed_in.locator(".legend")
    expect(legend).to_contain_text("0 ready")
    read = "update photo set state = 'ready', width = 6, height = 4 where id = %s"
    office.execute(read, photo)
    expect(legend).to_contain_text("1 ready")
    expect(signed_in.locator(".sheet img")).to_have_count(1)


def test_a_photo_of_the_sheet_shows_its_bibs_and_has_a_link_that_is_signed(
    signed_in: Page, office: Office
) -> None:
    office.add_photo("ready", "1234", "87")
    signed_in.goto(f"{office.url}/events/{office.event_id}")
    item = signed_in.locator(".sheet li")
    expect(item).to_contain_text("1234")
    link = item.locator("img").get_attribute("src") or ""
    assert link.startswith(f"{office.url}/files/imgs/{office.event_id}/small/")
    assert "signature=" in link


def test_failed_photos_beyond_the_first_are_a_link_away(signed_in: Page, office: Office) -> None:
    for _ in range(FAILED_SHOWN + 5):
        office.add_photo("failed", reason="The file is empty.")
    signed_in.goto(f"{office.url}/events/{office.event_id}")
    signed_in.get_by_role("link", name="and 5 more").click()
    expect(signed_in.locator(".cell.failed")).to_have_count(FAILED_SHOWN + 5)


def test_failed_photos_say_why_and_are_tried_again(signed_in: Page, office: Office) -> None:
    one = office.add_photo("failed", reason="The file ends too early.")
    other = office.add_photo("failed", reason="The file is empty.")
    signed_in.goto(f"{office.url}/events/{office.event_id}")
    row = signed_in.get_by_role("listitem").filter(has_text="The file ends too early.")
    row.get_by_role("button").click()
    expect(signed_in.get_by_role("heading", name="1 photo failed")).to_be_visible()
    signed_in.get_by_role("button", name="Try all again").click()
    expect(signed_in.locator(".legend")).to_contain_text("2 waiting")
    jobs = office.execute(
        """select args->>'photo_id' from procrastinate_jobs
           where task_name = 'fotofinish:process_photo' and args->>'photo_id' = any(%s)""",
        [str(one), str(other)],
    )
    assert sorted(jobs) == sorted([(str(one),), (str(other),)])


def test_how_fast_photos_are_read_and_how_long_it_takes_is_told(
    signed_in: Page, office: Office
) -> None:
    for _ in range(90):
        office.add_photo("waiting")
    signed_in.goto(f"{office.url}/events/{office.event_id}")
    numbers = signed_in.get_by_role("region", name="Numbers")
    expect(numbers).to_contain_text("no worker runs")
    office.execute("insert into procrastinate_workers (last_heartbeat) values (now())")
    for _ in range(30):
        office.add_photo("ready")
    office.execute(
        """update photo set processed_at = now() - interval '60 s'
           where event_id = %s and state = 'ready'""",
        office.event_id,
    )
    signed_in.reload()
    expect(numbers).to_contain_text(re.compile("(30|29|28) photos a minute"))
    expect(numbers).to_contain_text("3 min left")


def test_the_curl_line_carries_this_events_ids(signed_in: Page, office: Office) -> None:
    signed_in.goto(f"{office.url}/events/{office.event_id}")
    signed_in.get_by_role("button", name="Copy the curl line").click()
    copied = signed_in.evaluate("navigator.clipboard.readText()")
    assert f"/api/v1/ext/{office.org_id}/event/{office.event_id}/original-photos" in copied


def test_another_organisations_event_is_not_there(office: Office) -> None:
    client = office.client(office.owner)
    for event_id in (office.foreign_event_id, 2**62, 2**80):
        for view in ("", "/live", "/settings"):
            answer = client.http.get(f"/events/{event_id}{view}")
            assert answer.status_code == 404
            assert "There is no such event." in answer.text
    assert client.http.get(f"/?org={office.foreign_org_id}").status_code == 404


def test_nothing_of_another_organisation_can_be_changed(office: Office) -> None:
    client = office.client(office.owner)
    event = {"name": "Taken", "starts_at": "2026-05-17T09:00", "time_zone": "UTC"}
    answers = [
        client.send("/events", org=office.foreign_org_id, **event),
        client.send(f"/events/{office.foreign_event_id}/settings", status="active", **event),
        client.send(f"/events/{office.foreign_event_id}/retry"),
        client.send("/developer/keys", org=office.foreign_org_id),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4


def test_a_viewer_sees_everything_and_changes_nothing(page: Page, office: Office) -> None:
    photo = office.add_photo("failed", reason="The file is empty.")
    viewer = office.person("viewer")
    enter(page, office, viewer)
    expect(page.get_by_role("link", name="New event")).to_have_count(0)
    page.goto(f"{office.url}/events/{office.event_id}")
    expect(page.get_by_text("The file is empty.")).to_be_visible()
    expect(page.get_by_role("button", name="Try all again")).to_have_count(0)
    client = office.client(viewer)
    event = {"name": "Mine", "starts_at": "2026-05-17T09:00", "time_zone": "UTC"}
    answers: list[httpx.Response] = [
        client.send("/events", org=office.org_id, **event),
        client.send(f"/events/{office.event_id}/settings", status="draft", **event),
        client.send(f"/events/{office.event_id}/retry", photo=photo),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
