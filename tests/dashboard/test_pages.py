"""Every page: within the policy, light enough, nothing cut off, cached where it never changes."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import Office

PAGES = (
    "/", "/events/new", "/events/{event}", "/events/{event}/startlist", "/events/{event}/settings",
    "/developer",
)  # fmt: skip


def _addresses(office: Office) -> list[str]:
    return [office.url + path.format(event=office.event_id) for path in PAGES]


def test_no_page_needs_more_than_the_strict_policy_allows(signed_in: Page, office: Office) -> None:
    complaints: list[str] = []
    signed_in.on("console", lambda message: complaints.append(message.text))
    signed_in.on("pageerror", lambda error: complaints.append(str(error)))
    for address in _addresses(office):
        response = signed_in.goto(address)
        assert response is not None
        assert "'unsafe-inline'" not in response.headers["content-security-policy"]
        expect(signed_in.get_by_role("heading", level=1)).to_be_visible()
    assert complaints == []


def test_nothing_is_cut_off_at_any_width(signed_in: Page, office: Office) -> None:
    office.add_photo("failed", reason="The file ends too early: most of the photo is missing.")
    office.client(office.owner).send("/developer/keys", org=office.org_id)
    for address in _addresses(office):
        signed_in.goto(address)
        for width in (320, 390, 768, 1600, 2560):
            signed_in.set_viewport_size({"width": width, "height": 900})
            taken = signed_in.evaluate("document.documentElement.scrollWidth")
            assert taken <= width, (address, width)


def test_the_first_page_weighs_little_and_its_files_are_kept(
    signed_in: Page, office: Office
) -> None:
    sizes: list[int] = []
    signed_in.on("response", lambda response: sizes.append(len(response.body())))
    signed_in.goto(office.url)
    expect(signed_in.get_by_role("heading", level=1)).to_be_visible()
    assert 0 < sum(sizes) < 100_000


def test_a_file_is_kept_for_ever_under_the_address_of_its_content_alone(address: str) -> None:
    page = httpx.get(f"{address}/sign-in").text
    found = re.search(r'href="(/static/dashboard\.css\?v=\w+)"', page)
    assert found is not None
    kept = httpx.get(address + found[1])
    assert "immutable" in kept.headers["cache-control"]
    other = httpx.get(f"{address}/static/dashboard.css?v=0")
    assert other.headers["cache-control"] == "no-cache"
    again = httpx.get(
        f"{address}/static/dashboard.css", headers={"If-None-Match": kept.headers["etag"]}
    )
    assert again.status_code == 304
    assert httpx.get(f"{address}/static/pages.py").status_code == 404


def test_the_log_names_the_organisation_of_pages_and_forms(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    client = office.client(office.owner)
    with caplog.at_level("INFO", logger="fotofinish.requests"):
        client.http.get(f"/events/{office.event_id}/settings")
        client.send(f"/events/{office.event_id}/retry")
        deadline = time.monotonic() + 5  # a line is written after its answer
        while len(lines := _request_lines(caplog)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert [line["org_id"] for line in lines] == [office.org_id] * 2


def _request_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.fields for record in caplog.records if hasattr(record, "fields")]
