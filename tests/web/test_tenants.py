"""One organisation's key and session against everything of another's, on every route there is.

The routes are found in the router. A route with a parameter that is not known here fails the test,
and so does one that lets a stranger in without being named as open to everybody.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from starlette.applications import Starlette
from starlette.routing import Route

from fotofinish.app import create_app
from fotofinish.database.connection import Database, open_connection
from fotofinish.events.events import create_event
from fotofinish.faces.selfies import delete_search, store_search
from fotofinish.organisations.accounts import create_account
from fotofinish.organisations.invitations import invite
from fotofinish.organisations.keys import create_key, delete_key
from fotofinish.organisations.organisations import create_organisation
from fotofinish.organisations.sessions import begin_session
from fotofinish.photos.keys import original_key
from fotofinish.settings import Settings
from fotofinish.web.dashboard.guard import form_token
from fotofinish.web.dashboard.visitors import COOKIE
from tests.loops import run
from tests.running import free_port, running

EVERYBODY = {
    "/api/v1/openapi.json", "/api/v1/docs", "/healthz", "/readyz", "/metrics", "/sign-in",
    "/sign-out", "/static/{name}", "/set-up", "/join",
}  # fmt: skip
"""Routes that do not know organisations: they answer all alike."""

OWN = {"/account", "/account/password", "/account/sessions/end-others"}
"""Routes about whoever is signed in, which ask for nothing that could be another's."""

GALLERY = "/e/{slug}"

SECRETS = ("Their secret race", "Their club", "owner@their", "4711-SECRET", "their-photo")
BY_THE_CLOCK = ("set last_used_at = now()", "rate_bucket", "guess_bucket", "event_use")
"""Statements that come now and then, whatever was asked for."""


@dataclass(frozen=True)
class Things:
    """The ids of an organisation's things, by the names of parameters and fields."""

    org_id: int
    event_id: int
    key_id: int
    photo: str
    request_id: str
    bib: str = "4711-SECRET"
    name: str = "dashboard.css"
    kind: str = "brand"
    slug: str = "no-such-race"
    rest: str = "no/such/place"
    upload_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    account_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    invitation_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def of(self, parameter: str) -> str:
        """The id that stands for a parameter of an address."""
        if parameter == "key":  # of an object
            return original_key(self.event_id, uuid.UUID(self.photo), "jpg")
        if parameter == "photo_id":
            parameter = "photo"
        if not hasattr(self, parameter):
            raise AssertionError(f"teach this test what {{{parameter}}} is")
        return str(getattr(self, parameter))


@dataclass
class World:
    """A server, our own organisation, and what belongs to others or to nobody."""

    app: Starlette
    url: str
    database: Database
    key: str
    account: uuid.UUID
    mine: Things
    others: dict[str, Things]
    client: httpx.Client
    statements: list[str] = field(default_factory=list)

    def session(self) -> str:
        async def begin() -> str:
            async with open_connection(self.database) as connection:
                return await begin_session(connection, self.account)

        return run(begin())

    def snapshot(self) -> list[Any]:
        """Everything of the foreign event and organisation, as it stands."""
        theirs = self.others["foreign"]
        with psycopg.connect(self.database.dsn) as connection:
            tables = connection.execute(
                """select table_name, column_name from information_schema.columns
                   where table_schema = 'public' and column_name in ('event_id', 'org_id')
                   order by 1, 2"""
            ).fetchall()
            return [
                connection.execute(
                    sql.SQL(
                        "select count(*), md5(string_agg(t::text, ',' order by t::text)) "
                        "from {} t where {} = %s"
                    ).format(sql.Identifier(table), sql.Identifier(column)),
                    [theirs.event_id if column == "event_id" else theirs.org_id],
                ).fetchone()
                for table, column in tables
            ]


def walk(app: Starlette) -> Iterator[tuple[Route, str]]:
    """Every route with each of its methods; HEAD is GET without a body."""
    for route in app.routes:
        assert isinstance(route, Route), f"teach this test to walk into {route!r}"
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield route, method


@pytest.fixture(scope="module")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(data_dir=tmp_path_factory.mktemp("tenants"), public_url=url)
    app = create_app(settings, database)
    client = httpx.Client(base_url=url, timeout=60)
    made = run(_make_world(database, app, client))
    executed = psycopg.AsyncCursor.execute

    async def note(cursor: Any, query: Any, *rest: Any, **options: Any) -> Any:
        if not any(own in str(query) for own in BY_THE_CLOCK):
            made.statements.append(str(query))
        return await executed(cursor, query, *rest, **options)

    with pytest.MonkeyPatch.context() as patch, running(app, port), client:
        patch.setattr(psycopg.AsyncCursor, "execute", note)
        yield made


async def _make_world(database: Database, app: Starlette, client: httpx.Client) -> World:
    async with open_connection(database) as connection:
        mine, account, key = await _settle(connection, "Our club", "owner@ours.example", "1", False)
        theirs, *_ = await _settle(
            connection, "Their club", "owner@their.example", "4711-SECRET", False
        )
        gone, *_ = await _settle(connection, "Gone club", "owner@gone.example", "4711-SECRET", True)
    unknown = Things(
        8_000_000_001, 8_000_000_002, 8_000_000_003, str(uuid.uuid4()), str(uuid.uuid4())
    )
    others = {"foreign": theirs, "deleted": gone, "unknown": unknown}
    return World(app, str(client.base_url), database, key, account, mine, others, client)


async def _settle(
    connection: psycopg.AsyncConnection, name: str, email: str, bib: str, deleted: bool
) -> tuple[Things, uuid.UUID, str]:
    first = 7_000_000_000 + uuid.uuid4().int % 100_000_000 * 10
    organisation = await create_organisation(connection, name, id=first)
    account, _ = await create_account(
        connection, email, organisation.id, password="correct horse", role="owner"
    )
    event = await create_event(
        connection, organisation.id, f"{name.split()[0]} secret race", id=first + 1
    )
    key, record = await create_key(connection, organisation.id, created_by=account.id)
    photo = uuid.uuid4()
    await connection.execute(
        """insert into photo (id, event_id, sha256, size, content_type, extension, name, width,
                              height, state)
           values (%s, %s, %s, 1, 'image/jpeg', 'jpg', 'their-photo.jpg', 600, 400, 'failed')""",
        [photo, event.id, hashlib.sha256(photo.bytes).digest()],
    )
    await connection.execute(
        """insert into bib_tag (photo_id, bib, event_id, confidence, extension)
           values (%s, %s, %s, 0.9, 'jpg')""",
        [photo, bib, event.id],
    )
    search = await store_search(
        connection, event.id, uuid.uuid4(), embedding=None, model="none", threshold=0.4, keep_days=9
    )
    upload = str(uuid.uuid4())
    await connection.execute(
        """insert into upload (id, event_id, account_id, name, size, expires_at)
           values (%s, %s, %s, 'their-photo.jpg', 9, now() + interval '1 day')""",
        [upload, event.id, account.id],
    )
    await begin_session(connection, account.id)
    await invite(connection, organisation.id, "owner", note="their-note", created_by=account.id)
    cursor = await connection.execute(
        """select session.id, invitation.id from session, invitation
           where session.account_id = %s and invitation.org_id = %s""",
        [account.id, organisation.id],
    )
    ((session, invitation),) = await cursor.fetchall()
    if deleted:
        await delete_search(connection, event.id, search.id)
        await delete_key(connection, organisation.id, record.id)
        await connection.execute("delete from event where id = %s", [event.id])
        await connection.execute("delete from organisation where id = %s", [organisation.id])
    things = Things(
        organisation.id,
        event.id,
        record.id,
        str(photo),
        str(search.id),
        bib,
        upload_id=upload,
        account_id=str(account.id),
        session_id=str(session),
        invitation_id=str(invitation),
        slug=event.slug,
    )
    return things, account.id, key


def call(
    world: World, route: Route, method: str, path: Mapping[str, str], others: Things
) -> tuple[int, str, int]:
    """Status, body with the ids taken out, and the number of SQL statements it took."""
    address = route.path
    for parameter in route.param_convertors:
        address = re.sub(rf"{{{parameter}(:\w+)?}}", path[parameter], address)
    session = world.session()
    fields = {
        "org": others.of("org_id"),
        "photo": others.photo,
        "photos": others.photo,
        "bib": others.bib,
        "name": "Renamed by a stranger",
        "to": "on",
        "form_token": form_token(session),
    }
    request: dict[str, Any] = {"params": {"org": others.of("org_id"), "from": 0, "to": 9}}
    if method != "GET" and address.endswith("/faces"):
        request["files"] = {"file": b"no picture"}
        request["data"] = {"request_id": others.request_id}
    elif method != "GET" and address.startswith("/api/"):
        request["json"] = {"method": "bib", "identifier": others.bib}
    elif method != "GET":
        request["data"] = fields
    headers = {
        "X-API-Key": world.key,
        "X-Form-Token": form_token(session),
        "Sec-Fetch-Site": "same-origin",
        "Tus-Resumable": "1.0.0",
        "Cookie": f"{COOKIE}={session}",
    }
    world.statements.clear()
    answer = world.client.request(method, address, headers=headers, **request)
    statements = len(world.statements)
    world.client.cookies.clear()
    text = f"{answer.headers.get('location', '')} {answer.text}"
    for value in (others.org_id, others.event_id, others.photo, others.request_id, others.bib):
        text = text.replace(str(value), "…")
    text = text.replace(form_token(session), "…")
    for secret in SECRETS:
        assert secret not in text, (method, address)
    return answer.status_code, text, statements


def paths(world: World, route: Route, others: Things) -> Iterator[dict[str, str]]:
    """The address' parameters: all theirs, and ours one more at a time from the left."""
    names = list(route.param_convertors)
    # a gallery is for everybody who knows its address; what it shows must be that event's
    first = 1 if route.path.startswith(GALLERY) else 0
    for own in range(first, len(names)) if names else (0,):
        yield {
            name: (world.mine if place < own else others).of(name)
            for place, name in enumerate(names)
        }


def test_no_route_tells_anything_of_another_organisation(world: World) -> None:
    before = world.snapshot()
    met = set()
    for route, method in walk(world.app):
        met.add(route.path)
        answers: dict[int, dict[str, tuple[int, str, int]]] = {}
        for kind, others in world.others.items():
            for number, path in enumerate(paths(world, route, others)):
                answers.setdefault(number, {})[kind] = call(world, route, method, path, others)
        for number, by_kind in answers.items():
            where = (method, route.path, number)
            if route.path in EVERYBODY:
                assert len({answer[:2] for answer in by_kind.values()}) == 1, (where, by_kind)
                continue
            if route.path in OWN:
                continue
            seen = set(by_kind.values())
            assert len(seen) == 1, (where, by_kind)  # the same body, and the same way through SQL
            if "{bib" in route.path and number == 2:
                continue  # our own event, asked for a bib number of theirs, finds nothing
            assert by_kind["foreign"][0] in (403, 404), (where, by_kind)
    assert world.snapshot() == before
    assert met >= EVERYBODY  # nothing is named here that is not there any more
    assert len(met) > 20


@pytest.mark.parametrize("method", ["bib", "selfie", "image_id", "image_ids"])
def test_ids_of_theirs_in_a_body_find_nothing_in_our_event(world: World, method: str) -> None:
    answers = set()
    for others in world.others.values():
        identifier: Any = {"bib": others.bib, "selfie": others.request_id}.get(method, others.photo)
        answer = httpx.post(
            f"{world.url}/api/v1/ext/{world.mine.org_id}/event/{world.mine.event_id}/original-photos",
            headers={"X-API-Key": world.key},
            json={
                "method": method,
                "identifier": [identifier] if method == "image_ids" else identifier,
            },
        )
        answers.add((answer.status_code, answer.text.replace(str(identifier), "…")))
    ((status, text),) = answers
    assert status == (400 if method.startswith("image") else 200)
    assert '"url"' not in text


def test_their_key_and_session_do_not_mix_with_ours(world: World) -> None:
    """Each of organisation and event in the address is checked, not one of them alone."""
    mine, theirs = world.mine, world.others["foreign"]
    for org, event in itertools.product((mine.org_id, theirs.org_id), repeat=2):
        event_id = mine.event_id if event == mine.org_id else theirs.event_id
        answer = httpx.get(
            f"{world.url}/api/v1/ext/{org}/event/{event_id}/details",
            headers={"X-API-Key": world.key},
        )
        assert (answer.status_code == 200) == (org == event == mine.org_id)


def test_a_walk_finds_a_route_that_lets_strangers_in(world: World) -> None:
    """The test above can fail: a route that shows any event is caught by its own rules."""
    theirs = world.others["foreign"]
    open_route = Route("/api/v1/ext/{org_id}/events", lambda request: None, methods=["GET"])
    own = {"org_id": str(world.mine.org_id)}
    assert call(world, open_route, "GET", own, theirs)[0] == 200
    with pytest.raises(AssertionError, match="teach this test"):
        list(paths(world, Route("/x/{never_seen}", lambda request: None), theirs))
