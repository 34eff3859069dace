"""What those who run the server see: request ids, log lines, health, metrics."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg
import pytest

from fotofinish.database.connection import Database
from tests.api.conftest import Race, Server
from tests.running import serving, wait_until

TOKEN = "scrape-me-if-you-may"


@dataclass(frozen=True)
class Watched:
    """A server process whose log is read."""

    url: str
    log: Path

    def lines(self, request_id: str, patience: float = 5) -> list[dict[str, object]]:
        """The log's lines that carry this id, once there is one."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            found = [
                json.loads(line) for line in self.log.read_text().splitlines() if request_id in line
            ]
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"no line of {request_id} in {self.log.read_text()}")


@pytest.fixture(scope="module")
def watched(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """`fotofinish serve` as operators run it, with the originals of the other server."""
    log = tmp_path_factory.mktemp("watched") / "log"
    settings = {
        "FOTOFINISH_DATABASE_URL": server.database.dsn,
        "FOTOFINISH_DATA_DIR": str(server.settings.data_dir),
        "FOTOFINISH_METRICS_TOKEN": TOKEN,
    }
    with serving(settings, log) as url:
        yield Watched(url, log)


def metrics(url: str, token: str | None = TOKEN) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/metrics", headers=headers)


def _wait_for_backends(database: Database, condition: LiteralString, count: int) -> None:
    """Until so many other connections to the database are in this condition."""
    deadline = time.monotonic() + 5
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        while (
            connection.execute(
                f"""select from pg_stat_activity where datname = current_database()
                and backend_type = 'client backend' and pid <> pg_backend_pid() and {condition}"""
            ).rowcount
            != count
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def value(page: str, name: str) -> float:
    """A sample of the page by its full name with labels; 0 when it is not there."""
    for line in page.splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    return 0


def test_a_request_is_one_line_with_its_route_and_organisation(
    race: Race, watched: Watched
) -> None:
    answer = httpx.get(
        f"{watched.url}{race.base}/bibs/4711-runner?page=1",
        headers={"X-API-Key": race.key, "X-Request-ID": "from-the-website-1"},
    )
    assert answer.status_code == 200
    assert answer.headers["x-request-id"] == "from-the-website-1"
    (line,) = watched.lines("from-the-website-1")
    assert line["method"] == "GET"
    assert line["route"] == "/api/v1/ext/{org_id}/event/{event_id}/bibs/{bib:path}"
    assert line["status"] == 200
    assert line["org_id"] == race.org_id
    assert 0 < line["ms"] < 60_000  # type: ignore[operator]


def test_keys_signatures_and_bibs_never_reach_the_log(race: Race, watched: Watched) -> None:
    race.add_photo("B1B-OF-SOMEBODY")
    answer = httpx.post(
        f"{watched.url}{race.base}/original-photos",
        headers={"X-API-Key": race.key},
        json={"method": "bib", "identifier": "B1B-OF-SOMEBODY"},
    )
    (link,) = answer.json()["presigned_urls"]
    path = link["url"].partition("/files/")[2]
    httpx.get(f"{watched.url}/files/{path}")
    httpx.get(f"{watched.url}/no/such/address/{race.key}", headers={"X-Request-ID": "last-one"})
    watched.lines("last-one")
    log = watched.log.read_text()
    for secret in (race.key, "B1B-OF-SOMEBODY", path, link["filename"], TOKEN):
        assert secret not in log


@pytest.mark.parametrize("given", ["", "x" * 65, 'a"b', "two words"])
def test_an_odd_request_id_is_replaced(client: httpx.Client, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] not in ("", given)
    assert len(answer.headers["x-request-id"]) == 32


def test_every_answer_has_a_request_id(client: httpx.Client, race: Race) -> None:
    for answer in (
        client.get("/nowhere"),
        client.put("/healthz"),
        race.get("/images", page=0),
        client.get(f"{race.base}/ping"),
    ):
        assert answer.status_code >= 400
        assert answer.headers["x-request-id"]


def test_health_needs_no_key(watched: Watched) -> None:
    assert httpx.get(f"{watched.url}/healthz").json() == {"status": "ok"}
    answer = httpx.get(f"{watched.url}/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "database": "ok", "queue": "ok", "storage": "ok"}


def test_no_request_is_lost_on_a_connection_that_the_database_has_ended(race: Race) -> None:
    # held up by a lock, so that each of them has a connection of its own
    with ThreadPoolExecutor(8) as threads, psycopg.connect(race.server.database.dsn) as blocker:
        blocker.execute("lock table api_key")
        held = [threads.submit(race.get, "/ping") for _ in range(8)]
        _wait_for_backends(race.server.database, "wait_event_type = 'Lock'", 8)
        blocker.commit()
        assert {answer.result().status_code for answer in held} == {200}
        blocker.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
               where datname = current_database() and pid <> pg_backend_pid()"""
        )
    _wait_for_backends(race.server.database, "true", 0)
    assert [race.get("/ping").status_code for _ in range(12)] == [200] * 12


def test_metrics_count_requests_links_and_photos(race: Race, watched: Watched) -> None:
    before = metrics(watched.url).text
    race.add_photo("7")
    race.lose_original(race.add_photo("7"))
    race.add_photo(state="failed")
    again = race.add_photo()
    race.execute("update photo set state = 'waiting' where id = %s", [again])
    for _ in range(3):
        httpx.post(
            f"{watched.url}{race.base}/original-photos",
            headers={"X-API-Key": race.key},
            json={"method": "bib", "identifier": "7"},
        )
    after = metrics(watched.url)
    assert after.headers["content-type"].startswith("text/plain")

    def grown(name: str) -> float:
        return value(after.text, name) - value(before, name)

    route = "/api/v1/ext/{org_id}/event/{event_id}/original-photos"
    assert grown(f'fotofinish_requests_total{{method="POST",route="{route}",status="200"}}') == 3
    assert grown(f'fotofinish_request_seconds_count{{route="{route}"}}') == 3
    assert grown('fotofinish_links_total{outcome="made"}') == 3
    assert grown('fotofinish_links_total{outcome="failed"}') == 3
    assert grown('fotofinish_photos{state="ready"}') == 2
    assert grown('fotofinish_photos{state="failed"}') == 1
    assert grown('fotofinish_photos{state="waiting"}') == 1


def test_the_queues_depth_and_age_are_in_the_metrics(watched: Watched, database: Database) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        row = connection.execute(
            """insert into procrastinate_jobs (queue_name, task_name, status)
               values ('default', 'test:nobody_works_on_it', 'todo') returning id"""
        ).fetchone()
        assert row is not None
        try:
            connection.execute(
                """update procrastinate_events set at = now() - interval '1 hour'
                   where job_id = %s and type = 'deferred'""",
                row,
            )
            page = metrics(watched.url).text
        finally:
            connection.execute("delete from procrastinate_jobs where id = %s", row)
    assert value(page, 'fotofinish_queue_jobs{status="waiting"}') >= 1
    assert value(page, "fotofinish_queue_oldest_seconds") > 3500


def test_metrics_are_for_those_with_the_token(watched: Watched, server: Server) -> None:
    assert metrics(watched.url, None).status_code == 401
    assert metrics(watched.url, "not-the-token").status_code == 403
    assert metrics(server.url).status_code == 404  # no token is set there: nobody may


def test_a_bib_is_not_logged_when_the_database_goes_away(
    race: Race, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.ERROR),
        ThreadPoolExecutor() as executor,
        psycopg.connect(race.server.database.dsn) as connection,
    ):
        connection.execute("lock table bib_tag")
        asked = executor.submit(race.get, "/bibs/B1B-OF-SOMEBODY")
        ended: list[object] = []
        while not ended and not asked.done():
            ended = connection.execute(
                """select pg_terminate_backend(pid) from pg_locks
                   where relation = 'bib_tag'::regclass and not granted"""
            ).fetchall()
        answer = asked.result()
    assert answer.status_code == 503
    assert "/bibs/{bib" in caplog.text
    assert "B1B-OF-SOMEBODY" not in caplog.text


def test_a_crash_is_logged_once_with_its_request_id(
    client: httpx.Client, race: Race, caplog: pytest.LogCaptureFixture
) -> None:
    race.execute("update organisation set name = 'Club' where id = %s", [race.org_id])
    with caplog.at_level(logging.ERROR), psycopg.connect(race.server.database.dsn) as connection:
        connection.execute("alter table photo_bucket rename to photo_bucket_away")
        connection.commit()
        try:
            answer = race.get("/images")
        finally:
            connection.execute("alter table photo_bucket_away rename to photo_bucket")
            connection.commit()
    assert answer.status_code == 500
    assert answer.headers["x-request-id"]
    assert "photo_bucket" not in answer.text
    # the stack is written after the answer
    wait_until(lambda: any(record.exc_info for record in caplog.records), patience=5)


@pytest.mark.parametrize(
    "request_line",
    ["BREW /api/v1/ext/1/ping", f"GET /{'a' * 100_000}", "GET /api/v1/bibs/Läufer", "nonsense"],
)
def test_what_is_no_http_is_refused_with_the_one_error_body(
    watched: Watched, request_line: str
) -> None:
    host, port = watched.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(f"{request_line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/json" in head
    told = json.loads(body)
    assert (told["responseType"], told["data"]) == ("error", None)


def test_a_full_database_is_logged_without_what_was_searched_for(
    race: Race, caplog: pytest.LogCaptureFixture
) -> None:
    race.execute(
        """create function no_room() returns trigger language plpgsql as
           $$ begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$"""
    )
    race.execute(
        """create trigger no_room before insert on rate_bucket
           for each row execute function no_room()"""
    )
    try:
        assert race.get("/bibs/4711").status_code == 507
    finally:
        race.execute("drop function no_room cascade")
    assert "DiskFull" in caplog.text
    assert "4711" not in caplog.text
