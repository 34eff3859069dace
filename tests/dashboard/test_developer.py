"""API keys in the browser: shown once, used, switched, deleted, and owners' business alone."""

from __future__ import annotations

import hashlib

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.conftest import Office


def _ping(office: Office, key: str) -> int:
    address = f"{office.url}/api/v1/ext/{office.org_id}/event/{office.event_id}/ping"
    return httpx.get(address, headers={"X-API-Key": key}).status_code


def test_a_key_is_shown_once_works_is_switched_off_and_deleted(
    signed_in: Page, office: Office
) -> None:
    page = signed_in
    page.get_by_role("link", name="Developer").click()
    page.get_by_role("button", name="Make the first key").click()
    page.get_by_role("button", name="Copy the new key").click()
    key = page.evaluate("navigator.clipboard.readText()")
    assert _ping(office, key) == 200
    kept = office.execute("select digest, prefix from api_key where org_id = %s", office.org_id)
    assert kept == [(hashlib.sha256(key.encode()).digest(), key[:5])]

    page.reload()
    expect(page.get_by_text(f"{key[:5]}***", exact=True)).to_be_visible()
    assert key not in page.content()
    assert office.execute("select count(*) from api_key where org_id = %s", office.org_id) == [(1,)]

    page.get_by_role("button", name=f"Switch off key {key[:5]}").click()
    expect(page.get_by_role("button", name=f"Switch on key {key[:5]}")).to_be_visible()
    assert _ping(office, key) == 403
    page.get_by_role("button", name=f"Switch on key {key[:5]}").click()
    expect(page.get_by_role("button", name=f"Switch off key {key[:5]}")).to_be_visible()
    assert _ping(office, key) == 200

    page.get_by_role("button", name=f"Delete key {key[:5]}").click()
    page.get_by_role("button", name="Delete the key").click()
    expect(page.get_by_role("heading", name="No keys yet")).to_be_visible()
    assert _ping(office, key) == 403


def test_the_call_to_try_asks_for_a_bib_that_is_found(office: Office) -> None:
    client = office.client(office.owner)
    assert "put one of Harbour" in client.http.get("/developer").text
    office.add_photo("ready", "4711")
    client.send(
        "/events", org=office.org_id, name="Later", starts_at="2099-01-01T09:00", time_zone="UTC",
        bib_search="on",
    )  # fmt: skip
    page = client.http.get("/developer").text
    assert "bib 4711 in Harbour" in page
    assert f"/event/{office.event_id}/original-photos" in page


def test_there_are_at_most_ten_keys(office: Office) -> None:
    client = office.client(office.owner)
    answers = [client.send("/developer/keys", org=office.org_id).status_code for _ in range(11)]
    assert answers == [200] * 10 + [409]
    assert "New key" not in client.http.get("/developer").text


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_only_an_owner_manages_keys(office: Office, role: str) -> None:
    client = office.client(office.owner)
    client.send("/developer/keys", org=office.org_id)
    ((key_id,),) = office.execute("select id from api_key where org_id = %s", office.org_id)
    other = office.client(office.person(role))
    assert "Switch off" not in other.http.get("/developer").text
    answers = [
        other.send("/developer/keys", org=office.org_id),
        other.send(f"/developer/keys/{key_id}/switch", org=office.org_id, to="off"),
        other.send(f"/developer/keys/{key_id}/delete", org=office.org_id),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert office.execute("select active from api_key where id = %s", key_id) == [(True,)]


def test_another_organisations_key_is_not_there(office: Office) -> None:
    ((theirs,),) = office.execute(
        """insert into api_key (org_id, digest, prefix)
           values (%s, decode(md5(random()::text), 'hex'), 'abcde') returning id""",
        office.foreign_org_id,
    )
    client = office.client(office.owner)
    assert client.send(f"/developer/keys/{theirs}/delete", org=office.org_id).status_code == 404
    assert office.execute("select 1 from api_key where id = %s", theirs) == [(1,)]
