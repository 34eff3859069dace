"""Who guesses is slowed, by all server processes together; a race behind one address is not."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from fotofinish.web.gallery.slowing import ADDRESS, OWN
from tests.gallery.conftest import Gallery
from tests.running import serving


@pytest.fixture
def client(gallery: Gallery) -> Iterator[httpx.Client]:
    with gallery.client() as client:
        yield client


def test_who_tries_many_bibs_is_slowed_and_others_of_the_address_are_not(
    gallery: Gallery, client: httpx.Client
) -> None:
    client.get(gallery.address)  # gets the cookie
    # some come back while a busy machine answers
    answers = (client.get(f"{gallery.address}/find?bib={bib}") for bib in range(10 * OWN.burst))
    found, slowed = 0, next(answers)
    while slowed.status_code == 200:
        found, slowed = found + 1, next(answers)
    assert found >= OWN.burst
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) >= 1
    with gallery.client() as neighbour:
        neighbour.get(gallery.address)
        assert neighbour.get(f"{gallery.address}/find?bib=1").status_code == 200
    assert ADDRESS.burst >= 20 * OWN.burst


def test_two_servers_together_obey_one_limit_and_a_whole_race_has_one_address(
    gallery: Gallery,
) -> None:
    settings = {
        "FOTOFINISH_DATABASE_URL": gallery.database.dsn,
        "FOTOFINISH_DATA_DIR": str(gallery.settings.data_dir),
    }
    with serving(settings) as first, serving(settings) as second, gallery.client() as client:
        client.get(f"{first}/e/{gallery.event.slug}")  # gets the cookie

        def guess(number: int) -> int:
            url = (first, second)[number % 2]
            return client.get(f"{url}/e/{gallery.event.slug}/find?bib={number}").status_code

        began = time.monotonic()
        with ThreadPoolExecutor(8) as executor:
            answers = Counter(executor.map(guess, range(60)))
        refilled = (time.monotonic() - began) * OWN.per_second
        assert set(answers) == {200, 429}
        # a token or two may lie with the other server; it gives them back
        assert OWN.burst - 3 <= answers[200] <= OWN.burst + refilled + 1
        for number in range(25):  # runners with the same carrier
            with gallery.client() as runner:
                runner.get(f"{first}/e/{gallery.event.slug}")
                url = (first, second)[number % 2]
                for bib in ("1", "2"):
                    found = runner.get(f"{url}/e/{gallery.event.slug}/find?bib={bib}")
                    assert found.status_code == 200
    rows = gallery.execute(
        "select name, tokens from guess_bucket where event_id = %s", gallery.event.id
    )
    assert len(rows) == 27  # browsers, and their one address
    assert all(len(name) == 16 for name, _ in rows)  # a keyed hash


def test_looking_again_at_ones_own_search_costs_nothing(
    gallery: Gallery, client: httpx.Client
) -> None:
    gallery.add("1")
    text = client.get(f"{gallery.address}/find?bib=1").text
    live = re.search(r'data-live="([^"]+)"', text)
    assert live is not None
    address = live[1].replace("&amp;", "&")
    first = client.get(address)
    assert first.json()["total"] == 1
    for _ in range(2 * OWN.burst):
        again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
