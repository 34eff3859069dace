"""Uploading in a real browser: folders, progress, a reload and a lost network on the way."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.dashboard.conftest import PLAIN, Office, enter
from tests.dashboard.test_every_page import CUT, OVERFLOW, WIDTHS, serious
from tests.dashboard.test_upload_protocol import photo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A card of a camera: photos in folders, and what else lies on it."""
    for number in range(12):
        path = tmp_path / "DCIM" / f"{100 + number % 2}CANON" / f"IMG_{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(number))
    (tmp_path / "DCIM" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (tmp_path / "DCIM" / "notes.txt").write_text("start at nine")
    (tmp_path / "DCIM" / "again.jpg").write_bytes(photo(3))
    return tmp_path / "DCIM"


def large(folder: Path) -> Path:
    """One photo that takes seconds on a slow line."""
    path = folder / "large.jpg"
    path.write_bytes(photo(99, 900))
    return path


class Line:
    """The network between a page and the server, slow or fast."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Network.enable")

    def set(self, bytes_a_second: int) -> None:
        self._session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": bytes_a_second == 0,
                "latency": 0,
                "downloadThroughput": -1,
                "uploadThroughput": bytes_a_second,
            },
        )


@pytest.fixture
def line(page: Page) -> Line:
    """A slow line."""
    line = Line(page)
    line.set(150_000)
    return line


class Cable:
    """A cable to the server that can be pulled: open connections break, new ones are refused."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._pulled = False
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        self._pulled = True
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def plug_in(self) -> None:
        self._pulled = False

    def close(self) -> None:
        self.pull()
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                if self._pulled:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._target))
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def cable(office: Office) -> Iterator[Cable]:
    """The server through a cable."""
    cable = Cable(int(office.url.rpartition(":")[2]))
    yield cable
    cable.close()


def open_upload(page: Page, office: Office) -> None:
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}/upload")


def choose(page: Page, *paths: Path) -> None:
    page.get_by_label("Choose photos").set_input_files(paths)


def until_sent(page: Page, share: float) -> None:
    """Wait until more than this share of all bytes is sent."""
    deadline = time.monotonic() + 20
    while page.locator("[data-bar]").evaluate("bar => bar.value") <= share:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def begin_and_reload(page: Page, office: Office, path: Path) -> None:
    """Reload the page while the file is on its way; the page knows of it then."""
    open_upload(page, office)
    choose(page, path)
    until_sent(page, 0.2)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text("One photo of an earlier upload did not arrive whole")).to_be_visible()


def names(office: Office) -> list[str]:
    rows = office.execute(
        "select name from photo where event_id = %s order by name", office.event_id
    )
    return [row[0] for row in rows]


def test_a_whole_folder_is_sent_with_what_is_wrong_listed(
    page: Page, office: Office, folder: Path
) -> None:
    open_upload(page, office)
    page.get_by_label("Choose a folder").set_input_files(folder)
    expect(page.get_by_text("14 of 14 photos")).to_be_visible()
    expect(page.get_by_text("All done.")).to_be_visible()
    expect(page.get_by_text("12 new")).to_be_visible()
    expect(page.get_by_text("1 here already")).to_be_visible()
    expect(page.get_by_text("1 not taken")).to_be_visible()
    expect(page.get_by_role("heading", name="Not taken")).to_be_visible()
    expect(page.locator("[data-reasons]")).to_contain_text("DCIM/notes.txt")
    expect(page.locator("[data-reasons]")).to_contain_text("Fotofinish takes JPEG")
    assert len(names(office)) == 12


def test_what_was_not_taken_is_not_waited_for_and_may_be_chosen_again(
    page: Page, office: Office, tmp_path: Path
) -> None:
    path = tmp_path / "IMG_1.jpg"
    path.write_text("start at nine")
    open_upload(page, office)
    choose(page, path)
    expect(page.get_by_text("1 not taken")).to_be_visible()
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("did not arrive whole")).to_be_hidden()
    other = tmp_path / "notes.txt"
    other.write_text("and slowly")
    choose(page, path)
    expect(page.get_by_text("1 not taken")).to_be_visible()
    choose(page, path, other)
    expect(page.get_by_text("2 not taken")).to_be_visible()
    expect(page.get_by_text("2 of 2 photos")).to_be_visible()
    expect(page.locator("[data-reasons] li")).to_have_count(2)
    path.write_bytes(photo(1))
    choose(page, path, other)
    expect(page.get_by_text("1 new")).to_be_visible()
    expect(page.get_by_text("1 not taken")).to_be_visible()
    expect(page.locator("[data-reasons] li")).to_have_count(1)
    other.write_bytes(photo(2))
    choose(page, path, other)
    expect(page.get_by_text("1 here already")).to_be_visible()
    expect(page.get_by_role("heading", name="Not taken")).to_be_hidden()


def test_an_event_that_was_deleted_meanwhile_is_told_once(
    page: Page, office: Office, folder: Path
) -> None:
    office.add_photo("waiting")
    enter(page, office, office.owner)
    page.goto(f"{office.url}/events/{office.event_id}")
    upload = page.context.new_page()
    upload.goto(f"{office.url}/events/{office.event_id}/upload")
    path = f"/events/{office.event_id}/delete"
    assert office.client(office.owner).send(path, typed="Harbour <b>Run</b>").status_code == 303
    choose(upload, *sorted(folder.rglob("IMG_*.jpg")))
    expect(upload.get_by_role("alert")).to_have_text("There is no such event.")
    expect(upload.get_by_role("button", name="Go on")).to_be_visible()
    page.bring_to_front()
    expect(page.get_by_text("There is no such event.")).to_be_visible()


def test_a_folder_can_be_dragged_into_the_page(page: Page, office: Office, folder: Path) -> None:
    open_upload(page, office)
    hand = page.context.new_cdp_session(page)
    where = page.locator("[data-drop]").bounding_box()
    assert where
    for kind in ("dragEnter", "dragOver", "drop"):
        hand.send(
            "Input.dispatchDragEvent",
            {
                "type": kind,
                "x": where["x"] + 20,
                "y": where["y"] + 20,
                "data": {"items": [], "files": [str(folder)], "dragOperationsMask": 1},
            },
        )
    expect(page.get_by_text("14 of 14 photos")).to_be_visible()
    expect(page.get_by_text("12 new")).to_be_visible()
    rows = office.execute(
        "select distinct folder from photo where event_id = %s order by 1", office.event_id
    )
    assert [row[0] for row in rows] == ["DCIM/100CANON", "DCIM/101CANON"]


def test_photos_that_are_here_are_not_sent_again(page: Page, office: Office, folder: Path) -> None:
    open_upload(page, office)
    paths = sorted(folder.rglob("IMG_*.jpg"))
    choose(page, *paths)
    expect(page.get_by_text("12 new")).to_be_visible()
    page.reload()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    choose(page, *paths)
    expect(page.get_by_text("12 here already")).to_be_visible()
    assert "PATCH" not in sent


def test_without_https_photos_that_are_here_are_not_sent_again_either(
    page: Page, office: Office, folder: Path
) -> None:
    plain = replace(office, url=office.url.replace("127.0.0.1", PLAIN))
    open_upload(page, plain)
    assert not page.evaluate("isSecureContext")
    paths = sorted(folder.rglob("IMG_*.jpg"))
    choose(page, *paths)
    expect(page.get_by_text("12 new")).to_be_visible()
    page.reload()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    choose(page, *paths)
    expect(page.get_by_text("12 here already")).to_be_visible()
    assert "PATCH" not in sent


def test_after_a_reload_the_same_file_goes_on_where_it_stopped(
    page: Page, office: Office, line: Line, tmp_path: Path
) -> None:
    path = large(tmp_path)
    begin_and_reload(page, office, path)
    offsets: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            offsets.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    line.set(5_000_000)
    choose(page, path)
    expect(page.get_by_text("All done.")).to_be_visible()
    assert offsets
    assert offsets[-1] > 0
    (row,) = office.execute("select sha256 from photo where event_id = %s", office.event_id)
    assert bytes(row[0]) == hashlib.sha256(path.read_bytes()).digest()
    page.reload()
    expect(page.get_by_text("did not arrive whole")).to_be_hidden()


def test_a_lost_network_is_waited_for(
    page: Page, office: Office, line: Line, cable: Cable, tmp_path: Path
) -> None:
    path = large(tmp_path)
    open_upload(page, replace(office, url=cable.url))
    choose(page, path)
    until_sent(page, 0.2)
    cable.pull()
    expect(page.get_by_role("alert").get_by_text("Sending goes on by itself")).to_be_visible()
    cable.plug_in()
    line.set(5_000_000)
    expect(page.get_by_text("All done.")).to_be_visible(timeout=30_000)
    assert names(office) == ["large.jpg"]
    expect(page.get_by_role("alert")).to_be_hidden()


def test_sending_can_pause_and_the_page_stays_accessible_and_whole(
    page: Page, office: Office, line: Line, tmp_path: Path
) -> None:
    path = large(tmp_path)
    open_upload(page, office)
    choose(page, path)
    until_sent(page, 0.1)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused.")).to_be_visible()
    assert not serious(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert not page.evaluate(OVERFLOW) + page.evaluate(CUT), width
    line.set(5_000_000)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("All done.")).to_be_visible()


def test_an_ended_session_keeps_what_is_left(page: Page, office: Office, folder: Path) -> None:
    open_upload(page, office)
    office.execute(
        "delete from session where account_id = (select id from account where email = %s)",
        office.owner,
    )
    choose(page, *sorted(folder.rglob("IMG_*.jpg")))
    expect(page.get_by_role("alert")).to_contain_text("Sign in again in another tab")
    page.context.add_cookies(
        [{"name": "fotofinish_session", "value": office.session(office.owner), "url": office.url}]
    )
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("12 of 12 photos")).to_be_visible()
    expect(page.get_by_text("All done.")).to_be_visible()
    expect(page.get_by_text("12 new")).to_be_visible()


def test_a_pause_while_files_are_looked_at_counts_none_of_them_twice(
    page: Page, office: Office, folder: Path
) -> None:
    paths = sorted(folder.rglob("IMG_*.jpg"))
    open_upload(page, office)
    choose(page, *paths)
    expect(page.get_by_text("12 new")).to_be_visible()
    page.reload()
    held: list[Route] = []
    paused = []

    def hold(route: Route) -> None:
        if paused:
            route.continue_()
        else:
            held.append(route)

    page.route("**/uploads/known", hold)
    choose(page, *paths)
    expect(page.get_by_text("0 of 12 photos")).to_be_visible()
    while len(held) < 4:
        page.wait_for_timeout(20)
    page.get_by_role("button", name="Pause").click()
    paused.append(True)
    for route in held:
        route.continue_()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("12 here already")).to_be_visible()
    expect(page.get_by_text("12 of 12 photos")).to_be_visible()
    expect(page.get_by_text("All done.")).to_be_visible()


def test_what_looks_at_files_is_loaded_again_after_the_network_was_away(
    page: Page, office: Office, folder: Path
) -> None:
    open_upload(page, replace(office, url=office.url.replace("127.0.0.1", PLAIN)))
    page.route("**/upload-digest-worker*", lambda route: route.abort(), times=1)
    choose(page, *sorted(folder.rglob("IMG_*.jpg")))
    expect(page.get_by_text("Sending goes on by itself")).to_be_visible()
    expect(page.get_by_text("12 new")).to_be_visible()


def test_a_photo_that_came_from_elsewhere_meanwhile_is_waited_for_no_longer(
    page: Page, office: Office, line: Line, tmp_path: Path
) -> None:
    path = large(tmp_path)
    begin_and_reload(page, office, path)
    line.set(5_000_000)
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(path.read_bytes())
    choose(page, copy)
    expect(page.get_by_text("1 new")).to_be_visible()
    choose(page, path)
    expect(page.get_by_text("1 here already")).to_be_visible()
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("did not arrive whole")).to_be_hidden()


def test_only_who_may_upload_is_offered_it(page: Page, office: Office) -> None:
    enter(page, office, office.person("viewer"))
    page.goto(f"{office.url}/events/{office.event_id}/upload")
    expect(page.get_by_text("Only an owner or editor")).to_be_visible()
    expect(page.get_by_label("Choose photos")).to_have_count(0)
