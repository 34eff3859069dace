"""What the dashboard says of the gallery in each state is what participants find there."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.dashboard.conftest import Office

OPEN = "Participants find their photos here"


@pytest.mark.parametrize(
    ("column", "value", "status", "words", "searches"),
    [
        ("status", "active", 200, OPEN, "on"),
        ("status", "draft", 403, "this event is a draft", "on for the API alone"),
        ("status", "archived", 410, "this event is archived", "on for the API alone"),
        ("event_enabled", False, 403, "searches are switched off", "off"),
        ("access", "off", 403, "nobody may open it", "on for the API alone"),
    ],
)
def test_each_state_is_told_as_it_is(
    office: Office, column: str, value: object, status: int, words: str, searches: str
) -> None:
    if column == "access":
        office.client(office.owner).send(
            f"/events/{office.event_id}/gallery", access=value, downloads="originals"
        )
    else:
        office.execute(
            f"update event set {column} = %s where id = %s",  # noqa: S608 (the names above)
            value,
            office.event_id,
        )
    ((slug,),) = office.execute("select slug from event where id = %s", office.event_id)
    assert httpx.get(f"{office.url}/e/{slug}").status_code == status
    client = office.client(office.owner).http
    overview = client.get(f"/events/{office.event_id}").text
    gallery = client.get(f"/events/{office.event_id}/gallery").text
    for page in (overview, gallery):
        assert words in page
        assert (OPEN in page) == (status == 200)
    assert ("Open it</a>" in overview) == (status == 200)
    assert re.findall(r"Search by \w+ is ([^<]+)", overview) == [searches, searches]


def test_an_archived_event_asks_for_no_photos(office: Office) -> None:
    office.execute("update event set status = 'archived' where id = %s", office.event_id)
    client = office.client(office.owner).http
    for path in ("", "/photos"):
        page = client.get(f"/events/{office.event_id}{path}").text
        assert "An archived event takes none." in page
        assert ">Upload photos</a>" not in page


def test_the_overview_leads_into_a_gallery_that_opens_by_a_link(office: Office) -> None:
    owner = office.client(office.owner)
    owner.send(f"/events/{office.event_id}/gallery", access="link", downloads="originals")
    page = owner.http.get(f"/events/{office.event_id}").text
    assert "with this link alone" in page
    (address,) = re.findall(r'<a href="([^"]+)">Open it', page)
    assert httpx.get(address, follow_redirects=True).status_code == 200
