"""Uploading straight into a bucket in a real browser: parts, a reload, a lost network, CORS."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from playwright.sync_api import Page, Request, expect

from fotofinish.doctor import examine
from fotofinish.settings import load_settings
from fotofinish.storage.direct import PART_BYTES
from tests.dashboard.conftest import Office
from tests.dashboard.test_upload import Line, choose, names, open_upload, until_sent
from tests.dashboard.test_upload_protocol import photo
from tests.loops import run
from tests.s3_server import BUCKET, S3Server

PARTS = 4
FIRST_PART = 1 / (PARTS - 1)  # of the bytes: the last part is next to nothing
PATIENCE = 60_000  # milliseconds; the requests of two tests pass through the driver


@pytest.fixture(scope="module")
def storage_url(bucket_url: str) -> str:
    return bucket_url


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A photo of several parts."""
    path = tmp_path / "large.jpg"
    path.write_bytes(photo(99, 64) + bytes((PARTS - 1) * PART_BYTES))
    return path


@pytest.fixture
def line(page: Page) -> Line:
    return Line(page)


class Seen:
    """What the page sends, where to."""

    def __init__(self, page: Page, office: Office) -> None:
        self._own = urlsplit(office.url).netloc
        self._sent: list[Request] = []
        page.on("request", lambda request: self._sent.append(request))

    def parts(self) -> list[int]:
        """Numbers of the parts that were put into the bucket, 0 for whole files."""
        return [
            int(parse_qs(urlsplit(request.url).query).get("partNumber", ["0"])[0])
            for request in self._sent
            if request.method == "PUT" and "incoming/check" not in request.url
        ]

    def to_server(self) -> int:
        """Bytes of the largest body that this server got."""
        return max(
            (
                int(request.headers.get("content-length", 0))
                or len(request.post_data_buffer or b"")
                for request in self._sent
                if urlsplit(request.url).netloc == self._own and request.method != "GET"
            ),
            default=0,
        )

    def methods(self) -> set[str]:
        return {request.method for request in self._sent}


def hashes(office: Office) -> set[bytes]:
    rows = office.execute("select sha256 from photo where event_id = %s", office.event_id)
    return {bytes(row[0]) for row in rows}


def test_photos_go_into_the_bucket_and_not_through_the_server(
    page: Page, office: Office, large: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small.jpg"
    small.write_bytes(photo(1))
    other = tmp_path / "notes.txt"
    other.write_text("start at nine")
    open_upload(page, office)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    seen = Seen(page, office)
    choose(page, small, large, other)
    expect(page.get_by_text("All done.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("2 new")).to_be_visible()
    expect(page.locator("[data-reasons]")).to_contain_text("Fotofinish takes JPEG")
    assert sorted(seen.parts()) == [0, 0, *range(1, PARTS + 1)]
    assert seen.to_server() < 1000
    assert "PATCH" not in seen.methods()
    assert hashes(office) == {hashlib.sha256(path.read_bytes()).digest() for path in (small, large)}
    assert complaints == []
    expect(page.get_by_text("Photos go through this server")).to_be_hidden()


def test_photos_that_are_here_are_not_put_there_again(
    page: Page, office: Office, large: Path
) -> None:
    open_upload(page, office)
    choose(page, large)
    expect(page.get_by_text("1 new")).to_be_visible(timeout=PATIENCE)
    page.reload()
    seen = Seen(page, office)
    choose(page, large)
    expect(page.get_by_text("1 here already")).to_be_visible(timeout=PATIENCE)
    assert seen.parts() == []


def test_after_a_reload_only_the_missing_parts_are_sent(
    page: Page, office: Office, line: Line, large: Path
) -> None:
    open_upload(page, office)
    line.set(4_000_000)
    choose(page, large)
    until_sent(page, FIRST_PART)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_text("One photo of an earlier upload did not arrive whole")).to_be_visible()
    line.set(100_000_000)
    seen = Seen(page, office)
    choose(page, large)
    expect(page.get_by_text("All done.")).to_be_visible(timeout=PATIENCE)
    assert 0 < len(seen.parts()) < PARTS
    assert 1 not in seen.parts()
    assert hashes(office) == {hashlib.sha256(large.read_bytes()).digest()}
    page.reload()
    expect(page.get_by_text("did not arrive whole")).to_be_hidden()


def test_a_lost_network_is_waited_for(page: Page, office: Office, line: Line, large: Path) -> None:
    open_upload(page, office)
    line.set(6_000_000)
    choose(page, large)
    until_sent(page, 0.3)
    line.set(0)
    expect(page.get_by_role("alert").get_by_text("Sending goes on by itself")).to_be_visible()
    line.set(100_000_000)
    expect(page.get_by_text("All done.")).to_be_visible(timeout=PATIENCE)
    assert names(office) == ["large.jpg"]
    expect(page.get_by_role("alert")).to_be_hidden()


def test_sending_can_pause(page: Page, office: Office, line: Line, large: Path) -> None:
    open_upload(page, office)
    line.set(4_000_000)
    choose(page, large)
    until_sent(page, FIRST_PART)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused.")).to_be_visible()
    line.set(100_000_000)
    seen = Seen(page, office)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("All done.")).to_be_visible(timeout=PATIENCE)
    assert 1 not in seen.parts()
    assert names(office) == ["large.jpg"]


def test_an_old_link_is_replaced(page: Page, office: Office, large: Path) -> None:
    refused: list[str] = []

    def refuse(route: Any) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=403, headers={"Access-Control-Allow-Origin": "*"})

    page.route("**/*partNumber=2*", refuse)
    open_upload(page, office)
    choose(page, large)
    expect(page.get_by_text("All done.")).to_be_visible(timeout=PATIENCE)
    assert refused
    assert names(office) == ["large.jpg"]


class Rules:
    """The bucket's CORS rules."""

    def __init__(self, server: S3Server) -> None:
        self._client = boto3.client(
            "s3",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=server.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=server.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def allow(self, origin: str) -> None:
        """As docs/production.md has them, for pages of this address alone."""
        rule = {"AllowedOrigins": [origin], "AllowedMethods": ["PUT"], "MaxAgeSeconds": 3600}
        self._client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})

    def clear(self) -> None:
        self._client.delete_bucket_cors(Bucket=BUCKET)


@pytest.fixture
def rules(s3_server: S3Server) -> Iterator[Rules]:
    rules = Rules(s3_server)
    yield rules
    rules.clear()


def browsers(office: Office, bucket_url: str) -> str:
    """What `fotofinish doctor` says of uploads."""
    settings = load_settings(
        database_url=office.database.dsn, storage_url=bucket_url, public_url=office.url
    )
    (check,) = [one for one in examine(settings) if one.subject == "uploads from browsers"]
    return check.detail


def test_a_bucket_with_the_documented_rules_takes_photos(
    page: Page, office: Office, rules: Rules, bucket_url: str, large: Path
) -> None:
    rules.allow(office.url)
    open_upload(page, office)
    seen = Seen(page, office)
    choose(page, large)
    expect(page.get_by_text("All done.")).to_be_visible(timeout=PATIENCE)
    assert sorted(seen.parts()) == list(range(1, PARTS + 1))
    assert "straight to http://127.0.0.1" in run(asyncio.to_thread(browsers, office, bucket_url))


def test_a_bucket_that_refuses_the_page_is_filled_through_the_server(
    page: Page, office: Office, rules: Rules, bucket_url: str, large: Path
) -> None:
    rules.allow("https://photos.example.org")
    open_upload(page, office)
    seen = Seen(page, office)
    choose(page, large)
    expect(page.get_by_text("All done.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Photos go through this server")).to_be_visible()
    assert seen.parts() == []
    assert "PATCH" in seen.methods()
    assert hashes(office) == {hashlib.sha256(large.read_bytes()).digest()}
    assert "CORS rules do not let" in run(asyncio.to_thread(browsers, office, bucket_url))


def test_a_bucket_that_the_browser_does_not_reach_is_filled_through_the_server(
    page: Page, office: Office, large: Path
) -> None:
    page.route("**/incoming/check*", lambda route: None)  # no answer, as from another network
    open_upload(page, office)
    choose(page, large)
    expect(page.get_by_text("All done.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Photos go through this server")).to_be_visible()
    assert names(office) == ["large.jpg"]
