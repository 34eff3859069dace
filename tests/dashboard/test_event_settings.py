"""An event's address, limit and retention; and its deletion, which survives a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from psycopg.pq import TransactionStatus

from fotofinish.database.connection import open_connection
from fotofinish.errors import Conflict
from fotofinish.events.events import create_event
from fotofinish.events.gone import erase_gone_event
from fotofinish.settings import load_settings
from fotofinish.storage.stores import open_store
from tests.dashboard.conftest import Office
from tests.loops import run
from tests.running import wait_until

PATIENCE = 90.0
FILES = 3000


def _settings(office: Office) -> dict[str, str]:
    return {
        "name": "Harbour Run",
        "starts_at": "2026-05-17T09:00",
        "time_zone": "UTC",
        "status": "active",
        "slug": f"run-{office.event_id}",
        "threshold": "42",
    }


def test_address_limit_and_retention_are_changed(signed_in: Page, office: Office) -> None:
    signed_in.goto(f"{office.url}/events/{office.event_id}/settings")
    expect(signed_in.get_by_role("switch", name="Own limit for selfies")).not_to_be_checked()
    signed_in.get_by_label("Address of the gallery").fill(f"harbour-{office.event_id}")
    expect(signed_in.get_by_text("1 to 90 days, as this server is set; empty: 90.")).to_be_visible()
    slider = signed_in.get_by_label("How similar a face must be")
    slider.press("ArrowRight")
    expect(signed_in.locator("#threshold-shown")).to_have_text("43 %")
    signed_in.get_by_label("Days that selfie searches are kept").fill("30")
    signed_in.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_role("status").first).to_have_text("Saved.")
    find = "select slug, match_threshold, retention_days from event where id = %s"
    assert office.execute(find, office.event_id) == [(f"harbour-{office.event_id}", 0.43, 30)]
    signed_in.get_by_role("switch", name="Own limit for selfies").uncheck()
    signed_in.get_by_label("Days that selfie searches are kept").fill("")
    signed_in.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_role("status").first).to_have_text("Saved.")
    assert office.execute(find, office.event_id) == [(f"harbour-{office.event_id}", None, None)]


def test_a_shorter_retention_holds_for_selfies_of_earlier_and_a_longer_one_does_not(
    office: Office,
) -> None:
    for days in (2, 40):
        office.execute(
            """insert into selfie (event_id, id, model, threshold, created_at, expires_at)
               values (%s, gen_random_uuid(), 'sface', 0.4, now() - interval '1 day',
                       now() - interval '1 day' + make_interval(days => %s))""",
            office.event_id, days,
        )  # fmt: skip
    kept = """select extract(days from expires_at - created_at)::int from selfie
              where event_id = %s order by 1"""
    client, path = office.client(office.owner), f"/events/{office.event_id}/settings"
    for given, left in (("30", [(2,), (30,)]), ("60", [(2,), (30,)]), ("1", [(1,), (1,)])):
        assert client.send(path, **_settings(office), retention_days=given).status_code == 303
        assert office.execute(kept, office.event_id) == left


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("slug", "Two words", 422), ("slug", "-run", 422), ("slug", "a--b", 422), ("slug", "", 422),
        ("slug", "läufe", 422), ("slug", "a" * 81, 422), ("slug", "taken", 409),
        ("threshold", "5", 422), ("threshold", "95", 422), ("threshold", "½", 422),
        ("retention_days", "0", 422), ("retention_days", "91", 422),
        ("retention_days", "-1", 422),
        ("starts_at", "0001-01-01T00:00", 422), ("starts_at", "9999-12-31T23:59", 422),
    ],
)  # fmt: skip
def test_a_setting_that_does_not_do_is_said_and_changes_nothing(
    office: Office, field: str, value: str, status: int
) -> None:
    if value == "taken":
        value = f"taken-{office.event_id}"
        office.execute("update event set slug = %s where id = %s", value, office.foreign_event_id)
    fields = _settings(office) | {"own_threshold": "on", field: value}
    client = office.client(office.owner)
    before = office.execute("select * from event where id = %s", office.event_id)
    answer = client.send(f"/events/{office.event_id}/settings", **fields)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert office.execute("select * from event where id = %s", office.event_id) == before


def test_an_older_page_undoes_no_setting_that_was_changed_meanwhile(office: Office) -> None:
    client, path = office.client(office.owner), f"/events/{office.event_id}/settings"
    client.send(path, **_settings(office), bib_search="on", selfie_search="on")
    older = client.drawn(path)
    fields = _settings(office) | {"bib_search": "on", "drawn": older}
    assert client.send(path, **(fields | {"status": "archived"})).status_code == 303
    answer = client.send(path, **(fields | {"name": "Harbour 10K", "selfie_search": "on"}))
    assert answer.status_code == 409
    assert "Somebody changed these meanwhile" in answer.text
    assert 'value="archived" selected' in answer.text
    assert 'value="Harbour 10K"' in answer.text
    find = "select name, status, selfie_search from event where id = %s"
    assert office.execute(find, office.event_id) == [("Harbour Run", "archived", False)]


def test_deletion_says_what_it_destroys_and_wants_the_name(signed_in: Page, office: Office) -> None:
    office.add_photo("ready", "12", "13")
    office.add_photo("ready", "12")
    signed_in.goto(f"{office.url}/events/{office.event_id}/settings")
    signed_in.get_by_role("link", name="Delete…").click()
    expect(signed_in.get_by_text("2 photos")).to_be_visible()
    expect(signed_in.get_by_text("3 bib numbers")).to_be_visible()
    signed_in.get_by_label("Type the name").fill("Harbour")
    signed_in.get_by_role("button", name="Delete the event for good").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("Nothing was deleted")
    assert office.execute("select 1 from event where id = %s", office.event_id)
    signed_in.get_by_label("Type the name").fill("Harbour <b>Run</b>")
    signed_in.get_by_role("button", name="Delete the event for good").click()
    expect(signed_in.get_by_role("status")).to_contain_text("The event is deleted")
    for table in ("photo", "bib_tag", "photo_bucket", "link_due"):
        count = f"select count(*) from {table} where event_id = %s"  # noqa: S608
        assert office.execute(count, office.event_id) == [(0,)], table
    gone = office.client(office.owner).http.get(f"/events/{office.event_id}")
    assert gone.status_code == 404


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_only_an_owner_deletes_an_event(office: Office, role: str) -> None:
    client = office.client(office.person(role))
    path = f"/events/{office.event_id}/delete"
    assert client.http.get(path).status_code == 403
    assert client.send(path, typed="Harbour <b>Run</b>").status_code == 403
    assert "Delete…" not in client.http.get(f"/events/{office.event_id}/settings").text
    assert office.execute("select 1 from event where id = %s", office.event_id)


def test_the_id_of_a_deleted_event_is_not_given_out_while_its_files_are_erased(
    office: Office,
) -> None:
    client = office.client(office.owner)
    client.send(f"/events/{office.event_id}/delete", typed="Harbour <b>Run</b>")

    async def make(id: int | None) -> int:
        async with open_connection(office.database) as connection:
            return (await create_event(connection, office.org_id, "Next", id=id)).id

    with pytest.raises(Conflict, match="still being erased"):
        run(make(office.event_id))
    assert run(make(None)) != office.event_id


@pytest.mark.timeout(300)
def test_the_files_of_a_deleted_event_go_even_when_the_worker_is_killed(
    office: Office, tmp_path: Path
) -> None:
    folder = tmp_path / "storage" / "imgs" / str(office.event_id)
    for size in ("large", "medium", "small"):
        (folder / size).mkdir(parents=True)
        for number in range(FILES):
            (folder / size / f"{number}.jpg").write_bytes(b"x")
    neighbour = folder.with_name(f"{office.event_id}1") / "large"
    neighbour.mkdir(parents=True)
    (neighbour / "theirs.jpg").write_bytes(b"x")
    office.client(office.owner).send(
        f"/events/{office.event_id}/delete", typed="Harbour <b>Run</b>"
    )
    with _working(office, tmp_path):
        wait_until(lambda: _count_files(folder) < 3 * FILES, PATIENCE)
    assert office.execute("select 1 from event_gone where event_id = %s", office.event_id)
    office.execute("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'")
    with _working(office, tmp_path):
        wait_until(lambda: not folder.exists(), PATIENCE)
        # what a busy worker put there after that goes when everybody has settled
        folder.mkdir()
        (folder / "late.jpg").write_bytes(b"x")
        office.execute(
            """update event_gone set gone_at = now() - interval '1 hour', next_at = now()
               where event_id = %s""",
            office.event_id,
        )
        left = "select 1 from event_gone where event_id = %s"
        wait_until(lambda: not office.execute(left, office.event_id), PATIENCE)
        assert not folder.exists()
        assert (neighbour / "theirs.jpg").exists()


def test_the_files_of_a_deleted_event_are_erased_outside_of_a_transaction(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.client(office.owner).send(
        f"/events/{office.event_id}/delete", typed="Harbour <b>Run</b>"
    )
    store = open_store(load_settings(data_dir=tmp_path))
    erased: dict[str, TransactionStatus] = {}

    async def act() -> None:
        async with open_connection(office.database) as connection:

            async def note(prefix: str) -> None:
                erased[prefix] = connection.info.transaction_status

            monkeypatch.setattr(store, "delete_prefix_async", note)
            while await erase_gone_event(connection, store):
                pass

    run(act())
    assert f"imgs/{office.event_id}/" in erased
    assert set(erased.values()) == {TransactionStatus.IDLE}


def _count_files(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))  # folders may vanish meanwhile


@contextmanager
def _working(office: Office, folder: Path) -> Iterator[None]:
    """A worker that is killed at the end, and may be in the middle of something then."""
    settings = {
        "FOTOFINISH_DATABASE_URL": office.database.dsn,
        "FOTOFINISH_DATA_DIR": str(folder),
    }
    command = [sys.executable, "-m", "fotofinish", "worker", "--concurrency", "1"]
    worker = subprocess.Popen(
        command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
