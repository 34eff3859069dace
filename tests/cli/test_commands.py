"""The command line as a person and as a script use it, on an installation of its own."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
import numpy as np
import psycopg
import pytest
import simplejpeg
from PIL import Image, ImageDraw, ImageFont

from fotofinish.database.connection import open_database
from fotofinish.demo.portrait import portrait_path
from fotofinish.importing import find_files
from fotofinish.settings import load_settings
from tests.running import free_port
from tests.s3_server import S3Server

PATIENCE = 120


class Installation:
    """A data folder, and the command that works on it."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder = folder
        self.dsn = dsn

    def run(
        self, *words: str, stdin: str = "", **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """The command with these words, and these settings besides."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FOTOFINISH_")}
        given = {"DATA_DIR": str(self.folder / "data"), **settings}
        return subprocess.run(
            [sys.executable, "-m", "fotofinish", *words],
            env={**environment, **{f"FOTOFINISH_{name}": value for name, value in given.items()}},
            capture_output=True,
            text=True,
            input=stdin,
            errors="surrogateescape",
            cwd=self.folder,
            timeout=PATIENCE,
        )

    def start(self, *words: str, **settings: str) -> subprocess.Popen[str]:
        """The command, running. Ctrl-C stops it, also where the tests run in the background."""
        given = {"DATA_DIR": str(self.folder / "data"), **settings}
        return subprocess.Popen(
            [sys.executable, "-m", "fotofinish", *words],
            env={**os.environ, **{f"FOTOFINISH_{name}": value for name, value in given.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def json(self, *words: str) -> Any:
        """What the command prints with --json; it must succeed."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="ff-cli-"))
    # held for all the tests, so that not every command starts and stops the database
    with open_database(load_settings(data_dir=folder / "data")) as database:
        made = Installation(folder, database.dsn)
        made.json("org", "create", "Acme Events", "--id", "903")
        made.json(
            "event", "create", "903", "Harbour Run", "--id", "456", "--date", "2026-05-17T09:00"
        )
        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def photos(installation: Installation, tmp_path: Path) -> Path:
    """A folder with two photos in it, a copy of one, and files that are none."""
    folder = tmp_path / "card"
    (folder / "deeper").mkdir(parents=True)
    noise = np.random.default_rng(abs(hash(tmp_path)) % 2**32)
    pictures = [
        simplejpeg.encode_jpeg(noise.integers(0, 255, (96, 128, 3), dtype=np.uint8))
        for _ in range(2)
    ]
    (folder / "one.JPG").write_bytes(pictures[0])
    (folder / "deeper" / "two.jpg").write_bytes(pictures[1])
    (folder / "deeper" / "copy of one.jpg").write_bytes(pictures[0])
    (folder / "notes.txt").write_text("not a photo")
    (folder / "empty.jpg").touch()
    (folder / ".DS_Store").write_text("of no interest")
    return folder


def test_ids_follow_after_those_that_were_asked_for(installation: Installation) -> None:
    assert installation.json("org", "create", "Next")["org_id"] > 903
    assert installation.json("event", "create", "903", "Night Run")["event_id"] > 456


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Berliner Straßenlauf", "berliner-strassenlauf"),
        ("Sørlandet Løp", "sorlandet-lop"),
        ("ŁÓDŹ Maraton", "lodz-maraton"),
        ("Þingvallahlaup í Ægisíðu", "thingvallahlaup-i-aegisidu"),
        ("Course du Cœur de Đakovo", "course-du-coeur-de-dakovo"),
        ("Münchner Läufe", "munchner-laufe"),
    ],
)
def test_letters_of_other_alphabets_are_spelt_out_in_an_events_address(
    installation: Installation, name: str, slug: str
) -> None:
    assert installation.json("event", "create", "903", name)["slug"] == slug


@pytest.mark.parametrize(
    ("date", "starts_at"),
    [
        ("2026-05-17", "2026-05-17 00:00:00"),
        ("2026-05-17T09:00", "2026-05-17 09:00:00"),
        ("2026-05-17T09:00+02:00", "2026-05-17 09:00:00"),
        ("2026-05-17T07:00:00Z", "2026-05-17 09:00:00"),
    ],
)
def test_an_events_date_may_say_its_offset(
    installation: Installation, date: str, starts_at: str
) -> None:
    words = ("event", "create", "903", "Dated", "--date", date, "--time-zone", "Europe/Berlin")
    event = installation.json(*words)["event_id"]
    with psycopg.connect(installation.dsn) as connection:
        row = connection.execute("select starts_at from event where id = %s", [event]).fetchone()
    assert row is not None
    assert str(row[0]) == starts_at


def test_a_date_that_is_none_is_refused_with_an_example(installation: Installation) -> None:
    done = installation.run("event", "create", "903", "Dated", "--date", "next Sunday")
    assert done.returncode == 2
    assert "'next Sunday' is no date; write one like 2026-05-17T09:00" in done.stderr


def test_a_database_that_writes_dates_in_another_form_is_understood(
    installation: Installation,
) -> None:
    org = installation.json("org", "create", "Dated")["org_id"]
    with psycopg.connect(installation.dsn, autocommit=True) as connection:
        connection.execute("alter database fotofinish set datestyle = 'German'")
        try:
            done = installation.run("key", "create", str(org), DATABASE_URL=installation.dsn)
        finally:
            connection.execute("alter database fotofinish reset datestyle")
    assert done.returncode == 0, done.stderr


def test_an_id_that_is_taken_is_refused_with_a_reason(installation: Installation) -> None:
    done = installation.run("org", "create", "Again", "--id", "903")
    assert done.returncode == 1
    assert "Organisation 903 exists already" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("org", "create"), ("event", "create", "903")])
def test_an_id_that_leaves_no_room_for_others_is_refused(
    installation: Installation, words: tuple[str, ...]
) -> None:
    done = installation.run(*words, "Last", "--id", str(2**63 - 1))
    assert done.returncode == 1
    assert "An id is a positive whole number of at most 9007199254740991." in done.stderr


def test_a_key_is_shown_once_and_at_most_ten_are_made(installation: Installation) -> None:
    org = str(installation.json("org", "create", "Keys")["org_id"])
    keys = {installation.json("key", "create", org)["api_key"] for _ in range(10)}
    assert len(keys) == 10
    eleventh = installation.run("key", "create", org)
    assert eleventh.returncode == 1
    assert "at most 10 keys; delete one first, in the dashboard under Developer." in eleventh.stderr


def test_import_reports_what_became_of_every_file(installation: Installation, photos: Path) -> None:
    os.mkfifo(photos / "pipe.jpg")
    report = installation.json("import", "456", str(photos))
    assert {k: report[k] for k in ("found", "stored", "duplicates")} == {
        "found": 6,
        "stored": 2,
        "duplicates": 1,
    }
    reasons = {Path(entry["file"]).name: entry["reason"] for entry in report["rejected"]}
    assert set(reasons) == {"notes.txt", "empty.jpg", "pipe.jpg"}
    assert reasons["empty.jpg"] == "The file is empty."
    assert reasons["pipe.jpg"] == "This is not an ordinary file."

    again = installation.json("import", "456", str(photos))
    assert (again["stored"], again["duplicates"]) == (0, 3)


def test_copies_anywhere_among_many_files_are_one_photo_each(
    installation: Installation, tmp_path: Path
) -> None:
    """Batches are taken in two at a time: copies are in one, in two at once, and far apart."""
    event = str(installation.json("event", "create", "903", "Copies")["event_id"])
    folder = tmp_path / "copies"
    folder.mkdir()
    for number in range(80):
        data = b"\xff\xd8\xff\xe0" + b"%d" % (number % 20)
        (folder / f"{number:02}.jpg").write_bytes(data)
    report = installation.json("import", event, str(folder))
    assert report == {
        "found": 80, "stored": 20, "duplicates": 60, "rejected": [], "failed": None
    }  # fmt: skip
    assert installation.json("status", event)["photos"] == 20


def test_that_nobody_reads_the_photos_is_told(installation: Installation, photos: Path) -> None:
    event = str(installation.json("event", "create", "903", "Nobody yet")["event_id"])
    told = "No worker is at work: 'fotofinish serve' or 'fotofinish worker' reads them."
    assert installation.run("import", event, str(photos)).stdout.splitlines()[-1] == told
    assert installation.run("status", event).stdout.splitlines()[1:] == [told]
    with psycopg.connect(installation.dsn, autocommit=True) as connection:
        connection.execute("insert into procrastinate_workers (last_heartbeat) values ('infinity')")
        read = installation.run("status", event)
        connection.execute("delete from procrastinate_workers where last_heartbeat = 'infinity'")
        connection.execute("delete from photo where event_id = %s", [event])
    assert len(read.stdout.splitlines()) == 1


def test_names_that_are_no_utf_8_keep_no_photo_out_and_are_told(
    installation: Installation, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8:strict")
    (photos / "one.JPG").rename(photos / os.fsdecode(b"K\xfcste.JPG"))
    (photos / "deeper").rename(photos / os.fsdecode(b"Stra\xdfe"))
    (photos / "notes.txt").rename(photos / os.fsdecode(b"\xe9t\xc3\xa9.txt"))
    event = str(installation.json("event", "create", "903", "Old card")["event_id"])
    done = installation.run("import", event, str(photos))
    assert done.returncode == 0, done.stderr
    assert "5 files found: 2 stored, 1 there already, 2 rejected." in done.stdout
    assert f"  {photos}/\ufffdté.txt: " in done.stdout
    with psycopg.connect(installation.dsn) as connection:
        kept = connection.execute(
            "select folder, name from photo where event_id = %s", [event]
        ).fetchall()
    assert set(kept) == {
        ("card", "K\ufffdste.JPG"),
        ("card/Stra\ufffde", "two.jpg"),
    }


def test_a_folder_that_cannot_be_listed_is_named_and_keeps_no_photo_out(
    installation: Installation, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "n" * 250
    with monkeypatch.context() as deeper:
        deeper.chdir(photos)
        for _ in range(17):  # nobody, root neither, may name a path of more than 4096 bytes
            Path(name).mkdir()
            deeper.chdir(name)
    event = str(installation.json("event", "create", "903", "Deep card")["event_id"])
    report = installation.json("import", event, str(photos))
    assert (report["found"], report["stored"], report["duplicates"]) == (6, 2, 1)
    (reason,) = (entry["reason"] for entry in report["rejected"] if name in entry["file"])
    assert reason == "This folder cannot be listed: File name too long."


def test_a_named_folder_that_cannot_be_listed_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)  # permissions bind no root
    (found,) = find_files([tmp_path])
    assert found.path == tmp_path
    assert found.refusal == "This folder cannot be listed: Permission denied."


def test_linked_folders_are_walked_once_and_never_in_a_circle(tmp_path: Path) -> None:
    card, elsewhere = tmp_path / "card", tmp_path / "elsewhere"
    for folder in (card / "day", elsewhere / "deeper"):
        folder.mkdir(parents=True)
        (folder / "photo.jpg").touch()
    (card / "again").symlink_to("day")
    (card / "best").symlink_to(elsewhere)
    (card / "day" / "up").symlink_to("..")
    (elsewhere / "deeper" / "home").symlink_to(card)
    found = [(str(file.path.relative_to(card)), file.folder) for file in find_files([card])]
    assert found == [
        ("day/photo.jpg", "card/day"),
        ("best/deeper/photo.jpg", "card/best/deeper"),
        ("day/up", ""),
    ]
    *_, circle = find_files([card])
    assert circle.refusal == "This link leads to a folder around it and is not followed."


def test_import_waits_until_everything_is_processed(
    installation: Installation, photos: Path
) -> None:
    event = str(installation.json("event", "create", "903", "Waiting")["event_id"])
    assert installation.json("import", event, str(photos), "--wait")["stored"] == 2
    assert installation.json("status", event) == {
        "photos": 2,
        "ready": 2,
        "processing": 0,
        "waiting": 0,
        "failed": 0,
        "bibs": 0,
        "faces": 0,
    }


def test_import_waits_on_when_the_database_was_away_for_a_moment(
    installation: Installation, photos: Path
) -> None:
    event = str(installation.json("event", "create", "903", "Patient")["event_id"])
    with psycopg.connect(installation.dsn, autocommit=True) as connection:
        # somebody else's worker: that the import starts none of its own
        connection.execute("insert into procrastinate_workers (last_heartbeat) values ('infinity')")
        importer = installation.start("import", event, str(photos), "--wait")
        while not connection.execute("select from photo where event_id = %s", [event]).rowcount:
            assert importer.poll() is None
            time.sleep(0.02)
        connection.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()"""
        )
        time.sleep(1)  # it looks twice a second
        connection.execute("update photo set state = 'ready' where event_id = %s", [event])
        _, said = importer.communicate(timeout=PATIENCE)
        connection.execute("delete from procrastinate_workers where last_heartbeat = 'infinity'")
        connection.execute("delete from photo where event_id = %s", [event])
    assert "Traceback" not in said
    assert importer.returncode == 0


def test_import_into_an_archived_event_is_refused(installation: Installation, photos: Path) -> None:
    event = str(installation.json("event", "create", "903", "Last year")["event_id"])
    with psycopg.connect(installation.dsn) as connection:
        connection.execute("update event set status = 'archived' where id = %s", [event])
    done = installation.run("import", event, str(photos))
    assert done.returncode == 1
    assert "This event is archived. Make it active in its settings" in done.stderr
    assert installation.json("status", event)["photos"] == 0


def test_photos_that_could_not_be_read_are_named_after_an_import(
    installation: Installation, tmp_path: Path
) -> None:
    noise = np.random.default_rng(7)
    for number in range(22):
        whole = simplejpeg.encode_jpeg(noise.integers(0, 255, (200, 300, 3), dtype=np.uint8))
        (tmp_path / f"{number}.jpg").write_bytes(whole[:-1] if number == 0 else whole[:2000])
    event = str(installation.json("event", "create", "903", "Broken card")["event_id"])
    words = ("import", event, str(tmp_path), "--wait")
    lines = installation.run(*words).stdout.splitlines()
    assert lines[1] == "21 photos could not be read:"
    assert len(lines) == 2 + 20 + 1
    assert re.fullmatch(r"  \d+\.jpg: .*ends too early.*", lines[2])
    assert lines[-1] == f"All of them: fotofinish status {event} --failed"
    assert installation.run("status", event, "--failed").stdout.splitlines()[2:22] == lines[2:22]

    named = {f"{number}.jpg" for number in range(1, 22)}
    for unread in (
        installation.json(*words)["failed"],
        installation.json("status", event, "--failed")["failed_photos"],
    ):
        assert {photo["file"] for photo in unread} == named
        assert all(photo["reason"] for photo in unread)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("import", "999999", "."), "There is no event 999999"),
        (("import", "456", "no/such/folder"), "There is no file or folder"),
        (("import", "456", "x" * 300), "cannot be read: File name too long"),
        (("import", "456", "/dev/null"), "/dev/null is neither a file nor a folder"),
        (("status", "999999"), "There is no event 999999"),
        (("key", "create", "999999"), "There is no organisation 999999"),
        (("event", "create", "9" * 20, "X"), f"There is no organisation {'9' * 20}."),
        (("user", "create", "a@b.org", "--org", "9" * 20), f"no organisation {'9' * 20}."),
        (("event", "create", "903", "X", "--time-zone", "Mars/Base"), "no time zone"),
    ],
)
def test_what_does_not_exist_is_named(
    installation: Installation, words: tuple[str, ...], message: str
) -> None:
    done = installation.run(*words)
    assert done.returncode == 1
    assert message in done.stderr


def test_a_command_in_another_folder_says_that_it_made_a_database_and_where_it_looked() -> None:
    elsewhere = Path(tempfile.mkdtemp(prefix="ff-cli-"))  # a short path: sockets have a limit
    other = Installation(elsewhere, "")
    first = other.run("org", "create", "Acme", "--json", DATA_DIR="data")
    second = other.run("status", "456", "--json", DATA_DIR="data")
    shutil.rmtree(elsewhere, ignore_errors=True)
    folder = elsewhere / "data"
    assert json.loads(first.stdout)["name"] == "Acme"
    assert _lines(first) == [
        f"A new database was made in {folder} (FOTOFINISH_DATA_DIR names another folder)."
    ]
    assert second.stdout == ""
    (line,) = _lines(second)
    assert line.startswith("Error: There is no event 456.")
    assert f"This is the embedded database in {folder} (no FOTOFINISH_DATABASE_URL" in line


def test_a_start_list_is_replaced_whole(installation: Installation) -> None:
    file = installation.folder / "list.csv"
    file.write_text("Bib;Name\n7;Ann\n007;Bob\n")
    assert installation.json("startlist", "456", str(file))["entries"] == 2
    file.write_text("Bib;Name\n;Nobody\n")
    done = installation.run("startlist", "456", str(file))
    assert done.returncode == 1
    assert "Row 2" in done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_start_list_is_taken_as_spreadsheets_write_it(
    installation: Installation, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_text("Startnr;Name\n7;Jürgen Groß\n8;Zoë\n", encoding=encoding)
    event = str(installation.json("event", "create", "903", f"List in {encoding}")["event_id"])
    assert installation.json("startlist", event, str(file))["entries"] == 2
    with psycopg.connect(installation.dsn) as connection:
        names = connection.execute(
            "select name from startlist_entry where event_id = %s order by bib", [event]
        ).fetchall()
    assert names == [("Jürgen Groß",), ("Zoë",)]


def test_a_start_list_that_is_no_text_or_cannot_be_opened_says_so(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "list.xlsx").write_bytes(b"PK\x03\x04 a spreadsheet")
    for name, message in (("list.xlsx", "Save it as CSV"), (".", "Is a directory")):
        done = installation.run("startlist", "456", str(tmp_path / name))
        assert done.returncode == 1
        assert message in done.stderr


def test_read_needs_no_database_and_prints_a_line_a_photo(
    installation: Installation, photos: Path
) -> None:
    words = ("read", str(photos / "one.JPG"), str(photos / "notes.txt"))
    before = set(installation.folder.iterdir())
    done = installation.run(*words)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0] == {
        "file": words[1],
        "width": 128,
        "height": 96,
        "bibs": [],
        "faces": [],
    }
    assert "no photo" in lines[1]["error"]
    assert done.returncode == 1
    assert set(installation.folder.iterdir()) == before


def test_read_draws_what_it_saw_and_leaves_the_photos_alone(
    installation: Installation, tmp_path: Path
) -> None:
    source = portrait_path()
    portrait = Image.open(str(source)).convert("RGB")
    pen = ImageDraw.Draw(portrait)
    pen.rectangle((140, 300, 330, 420), fill="white")
    pen.text((235, 360), "4711", "black", ImageFont.load_default(72), "mm", stroke_width=2)
    (tmp_path / "other").mkdir()
    photos = [tmp_path / "runner.jpg", tmp_path / "other" / "runner.jpg"]
    for path in photos:
        portrait.save(path, quality=95)
    before = [path.read_bytes() for path in photos]
    # into the first photo's own folder: it must not be written over
    done = installation.run("read", *map(str, photos), "--annotate", str(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [path.read_bytes() for path in photos] == before
    drawn = [Path(line["annotated"]) for line in lines]
    assert sorted(path.name for path in drawn) == ["runner-2.jpg", "runner-3.jpg"]
    picture = Image.open(drawn[0])
    assert max(picture.size) >= 1200  # labels fit on small photos too
    scale = picture.width / lines[0]["width"]
    x, y, w, h = (side * scale for side in lines[0]["bibs"][0]["box"])
    assert _most_yellow(picture, (x - 12, y - 12, x + w + 12, y + h + 12)) > 150
    assert _most_yellow(picture, (x + w / 3, y + h / 3, x + w / 2, y + h / 2)) < 60


def test_read_names_a_start_list_that_is_missing(
    installation: Installation, tmp_path: Path
) -> None:
    missing = installation.run("read", "x.jpg", "--startlist", str(tmp_path / "none.csv"))
    assert missing.returncode == 1
    assert "none.csv" in missing.stderr


def _family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    return done.stderr.splitlines()


def _most_yellow(picture: Image.Image, box: tuple[float, float, float, float]) -> int:
    """How yellow (red and green over blue) the yellowest pixel of a box is."""
    pixels = np.asarray(picture.crop(tuple(map(round, box)))).astype(int)
    return int((np.minimum(pixels[..., 0], pixels[..., 1]) - pixels[..., 2]).max())


def test_a_password_is_made_or_read_from_standard_input(installation: Installation) -> None:
    made = installation.json("user", "create", "ann@example.org", "--org", "903")
    assert len(made["password"]) >= 10
    given = installation.run(
        "user", "create", "bob@example.org", "--org", "903", "--password-stdin", "--json",
        stdin="a long enough secret\n",
    )  # fmt: skip
    assert "secret" not in given.stdout + given.stderr


@pytest.mark.parametrize(
    ("words", "stdin", "encoding"),
    [
        (("org", "create", os.fsdecode(b"M\xfcller Lauf")), "", {}),
        (
            ("user", "create", "eve@example.org", "--org", "903", "--password-stdin"),
            os.fsdecode(b"lang\xfc genug\n"),
            {},
        ),
        (
            ("event", "create", "903", "Lauf für Müller"),
            "",
            {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        ),
    ],
    ids=["argument", "standard input", "locale"],
)
def test_what_is_no_text_in_utf_8_is_refused_in_one_line(
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    stdin: str,
    encoding: dict[str, str],
) -> None:
    for name, value in encoding.items():
        monkeypatch.setenv(name, value)
    done = installation.run(*words, stdin=stdin)
    assert done.returncode == 1
    assert _lines(done) == ["Error: What was given is not text in UTF-8."]


def test_a_password_for_nobody_is_refused_and_a_second_account_points_to_it(
    installation: Installation,
) -> None:
    nobody = installation.run("user", "password", "nobody@example.org")
    assert nobody.returncode == 1
    assert "There is no account for nobody@example.org." in nobody.stderr
    installation.json("user", "create", "cleo@example.org", "--org", "903")
    second = installation.run("user", "create", "cleo@example.org", "--org", "903")
    assert second.returncode == 1
    assert "fotofinish user password" in second.stderr


def test_doctor_finds_a_fresh_installation_well(installation: Installation) -> None:
    checks = installation.json("doctor")["checks"]
    assert {"database", "pgvector", "storage", "workers"} <= {c["subject"] for c in checks}
    assert all(check["ok"] for check in checks)
    folder = installation.folder / "data"
    assert checks[0]["detail"].startswith(f"the embedded database in {folder} (no FOTOFINISH_DAT")


@pytest.mark.parametrize("command", ["serve", "worker", "import"])
def test_a_face_embedder_that_is_missing_is_told_before_anything_starts(
    installation: Installation, photos: Path, command: str
) -> None:
    words = ("import", "456", str(photos)) if command == "import" else (command,)
    done = installation.run(*words, FACE_EMBEDDER=str(photos / "mine.onnx"))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: FOTOFINISH_FACE_EMBEDDER: ")
    assert "mine.onnx cannot be read (No such file or directory)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_doctor_says_what_to_try_when_only_participants_may_reach_the_bucket(
    installation: Installation, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    url = f"{s3_server.storage_url}&public_endpoint=http://127.0.0.1:9"
    told = installation.run("doctor", STORAGE_URL=url).stdout
    assert "ok   storage" in told
    assert "FAIL uploads from browsers: http://127.0.0.1:9 cannot be reached." in told
    assert "if it answers there, nothing is wrong; else correct public_endpoint" in told


def test_doctor_says_what_to_do_about_a_storage_without_keys(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    done = installation.run("doctor", STORAGE_URL="s3://photos?endpoint=http://127.0.0.1:9")
    told = done.stdout.splitlines()
    start = next(at for at, line in enumerate(told) if line.startswith("FAIL storage"))
    assert done.returncode == 1
    assert "AWS_SECRET_ACCESS_KEY in the environment (not in .env)." in told[start]
    assert "to mend it: check FOTOFINISH_STORAGE_URL, and the cloud's keys" in told[start + 1]
    assert told[start + 2] == "FAIL uploads from browsers: not tried"
    assert told[start + 3] == "       to mend it: mend the storage first"


@pytest.mark.parametrize("content", [None, b"no network at all"])
def test_doctor_loads_the_face_embedder_and_says_how_to_mend_it(
    installation: Installation, tmp_path: Path, content: bytes | None
) -> None:
    embedder = tmp_path / "mine.onnx"
    if content is not None:
        embedder.write_bytes(content)
    done = installation.run("doctor", FACE_EMBEDDER=str(embedder))
    assert done.returncode == 1
    assert "FAIL face embedder: The face model mine" in done.stdout
    assert "to mend it: name another file in FOTOFINISH_FACE_EMBEDDER" in done.stdout
    assert "Traceback" not in done.stderr


def test_workers_say_in_their_log_that_the_face_embedder_is_no_network(
    installation: Installation, tmp_path: Path
) -> None:
    embedder = tmp_path / "mine.onnx"
    embedder.touch()
    worker = installation.start("worker", "--concurrency", "1", FACE_EMBEDDER=str(embedder))
    assert worker.stderr is not None
    said = []
    for line in worker.stderr:
        said.append(line)
        if line.startswith("{"):
            break
    worker.send_signal(signal.SIGINT)
    worker.communicate(timeout=PATIENCE)
    assert "FOTOFINISH_FACE_EMBEDDER takes an ArcFace-style ONNX" in json.loads(said[-1])["message"]
    assert "Traceback" not in "".join(said)


def test_an_import_does_not_wait_for_workers_that_cannot_start(
    installation: Installation, photos: Path, tmp_path: Path
) -> None:
    embedder = tmp_path / "mine.onnx"
    embedder.touch()
    event = str(installation.json("event", "create", "903", "Unread")["event_id"])
    done = installation.run("import", event, str(photos), "--wait", FACE_EMBEDDER=str(embedder))
    assert done.returncode == 1
    assert "FOTOFINISH_FACE_EMBEDDER takes an ArcFace-style ONNX" in done.stderr
    assert done.stderr.endswith(
        "Error: Photos cannot be read: no worker starts; the messages above say why. "
        "What is stored stays.\n"
    )
    assert installation.json("import", event, str(photos), "--wait")["duplicates"] == 3
    assert installation.json("status", event)["ready"] == 2


def test_a_setting_that_does_not_fit_is_named_without_its_value(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = installation.run("status", "456", LINK_TTL="hunter2")
    assert done.returncode == 1
    assert "FOTOFINISH_LINK_TTL" in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PUBLIC_URL", "photos.example.org"),
        ("PUBLIC_URL", "ftp://photos.example.org"),
        ("TRUSTED_PROXIES", "10.0.0.1, nonsense"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("SELFIE_RETENTION_DAYS", "99999999999"),
        ("DATA_DIR", "/proc/nowhere"),
    ],
)
def test_a_setting_that_would_break_things_later_is_refused_at_once(
    installation: Installation, setting: str, value: str
) -> None:
    done = installation.run("status", "456", **{setting: value})
    assert done.returncode == 1
    assert f"FOTOFINISH_{setting}" in done.stderr
    assert "Traceback" not in done.stderr


TTL = "it has to be a whole number from 60 to 604800 (life of a download link, in seconds)."


@pytest.mark.parametrize(
    ("setting", "values", "message"),
    [
        ("LINK_TTL", ("1h", "60.5", "59", "604801", "1" * 30), TTL),
        ("MAX_PIXELS", ("50M", "0"), "it has to be a whole number, 1 or more (largest photo acc"),
        ("REQUEST_RATE", ("-1", "1,5", "inf", "nan"), "it has to be a number, 0 or more (API requ"),
        ("CHECK_ORIGINALS", ("maybe",), "it has to be true or false (ask the store for each orig"),
        ("METRICS_TOKEN", ("hunter2",), "whoever has it may read /metrics, so it has to have at"),
        ("PUBLIC_URL", ("photos.org",), "it has to be an address that begins with https:// or h"),
        ("TRUSTED_PROXIES", ("proxy",), "it has to be a list of addresses and networks with com"),
    ],
)
def test_a_setting_that_does_not_fit_is_told_as_it_is_typed_with_what_would_be_right(
    installation: Installation, setting: str, values: tuple[str, ...], message: str
) -> None:
    for value in values:
        done = installation.run("serve", **{setting: value})
        assert done.returncode == 1
        told = f"Error: This setting does not fit: FOTOFINISH_{setting}: {message}"
        assert done.stderr.startswith(told)
        assert len(_lines(done)) == 1
        assert "hunter2" not in done.stderr


def test_settings_that_do_not_fit_are_told_all_at_once(installation: Installation) -> None:
    (line,) = _lines(installation.run("serve", LINK_TTL="1h", SEARCH_BURST="0"))
    assert line.startswith("Error: These settings do not fit: FOTOFINISH_LINK_TTL: it has to be")
    assert ". FOTOFINISH_SEARCH_BURST: it has to be" in line


def test_an_env_file_that_is_no_text_is_told(installation: Installation) -> None:
    file = installation.folder / ".env"
    file.write_bytes(b"FOTOFINISH_LINK_TTL=\xff")
    done = installation.run("serve")
    file.unlink()
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The settings in the file .env cannot be read")
    assert len(_lines(done)) == 1


@pytest.mark.parametrize(
    ("given", "warnings"),
    [
        ({"LINK_TLL": "hunter2"}, ["FOTOFINISH_LINK_TLL … did you mean FOTOFINISH_LINK_TTL?"]),
        ({"PORT": "9000"}, ["FOTOFINISH_PORT … docs/production.md has them all."]),
        ({"LINK_TTL": "60", "API_KEY": "hunter2", "SPARE": ""}, []),
    ],
)
def test_a_misspelt_setting_is_told_with_the_nearest_one_and_stops_nothing(
    installation: Installation, given: dict[str, str], warnings: list[str]
) -> None:
    done = installation.run("doctor", "--json", **given)
    assert done.returncode == 0
    assert json.loads(done.stdout)["checks"]
    told = [line.replace(" is no setting and changes nothing;", " …") for line in _lines(done)]
    assert told == [f"Warning: {warning}" for warning in warnings]


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_misspelt_setting_of_the_env_file_is_told_at_start(
    installation: Installation, tmp_path: Path, command: str
) -> None:
    file = installation.folder / ".env"
    file.write_text("FOTOFINISH_METRIC_TOKEN=hunter2\nANOTHER=1\n")
    done = installation.run(command, STORAGE_URL="s4://photos")
    file.unlink()
    assert "did you mean FOTOFINISH_METRICS_TOKEN?" in _lines(done)[0]
    assert _lines(done)[1].startswith("Error: FOTOFINISH_STORAGE_URL has no form")
    assert "hunter2" not in done.stderr


def test_what_kubernetes_sets_beside_a_service_of_our_name_is_not_told_as_misspelt(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    given = {
        "SERVICE_HOST": "10.0.0.2",
        "SERVICE_PORT_HTTP": "8000",
        "PORT": "tcp://10.0.0.2:8000",
        "DATABASE_PORT_5432_TCP_ADDR": "10.0.0.3",
        "DATABASE_ULR": "hunter2",
    }
    assert [line.split()[1] for line in _lines(installation.run("doctor", **given))] == [
        "FOTOFINISH_DATABASE_ULR"
    ]


def test_an_address_with_a_path_is_told_to_be_none_for_pages(installation: Installation) -> None:
    with_path = installation.run("doctor", PUBLIC_URL="https://example.org/photos/")
    assert with_path.returncode == 0
    (warning,) = _lines(with_path)
    assert warning.startswith("Warning: FOTOFINISH_PUBLIC_URL has a path")
    assert not _lines(installation.run("doctor", PUBLIC_URL="https://photos.example.org/"))


def test_a_secret_key_that_can_be_guessed_is_refused_with_how_to_make_one(
    installation: Installation,
) -> None:
    done = installation.run("status", "456", SECRET_KEY="hunter2")
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "FOTOFINISH_SECRET_KEY" in said
    assert "at least 32 characters" in said
    assert "openssl rand -hex 32" in said
    assert "hunter2" not in said


def test_an_output_that_cannot_be_written_is_told_in_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "fotofinish", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert _lines(done) == ["Error: The output cannot be written: No space left on device."]


def test_a_selfie_that_is_missing_is_named(tmp_path: Path) -> None:
    words = "download . --url http://127.0.0.1:9 --org 1 --event 1 --key k --selfie nix.jpg"
    done = subprocess.run(
        [sys.executable, "-m", "fotofinish", *words.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert _lines(done) == ["Error: nix.jpg cannot be read: No such file or directory."]


@pytest.mark.parametrize("group", [(), ("org",), ("event",), ("key",), ("user",)])
def test_the_list_of_commands_cuts_no_sentence_short(group: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fotofinish", *group, "--help"],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
    )
    listed = done.stdout.partition("Commands:\n")[2].splitlines()
    assert listed
    assert all(line.endswith(".") and not line.endswith("..") for line in listed)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("worker", "with FOTOFINISH_DATABASE_URL and FOTOFINISH_STORAGE_URL as `serve` has them."),
        ("download", "the bib number, or else --selfie."),
        ("read", "Changes nothing: it is JSON anyway. --embeddings"),
    ],
)
def test_the_help_says_what_belongs_together_and_what_changes_nothing(
    command: str, told: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fotofinish", command, "--help"], capture_output=True, text=True
    )
    assert told in " ".join(done.stdout.split())


def test_serve_says_what_keeps_it_from_serving(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        for words, message in (
            (("--port", port), f"Port {port} is in use; choose another with --port."),
            (("--host", "203.0.113.7"), "203.0.113.7 is no address of this machine"),
            (("--host", "race..example"), "There is no host race..example"),
        ):
            done = installation.run("serve", "--no-worker", *words)
            assert done.returncode == 1
            assert done.stderr.startswith(f"Error: {message}")


def test_a_kept_key_that_is_none_is_refused_with_what_to_do(
    installation: Installation, tmp_path: Path
) -> None:
    (tmp_path / "secret.key").touch()
    given = {"DATA_DIR": str(tmp_path), "DATABASE_URL": installation.dsn}
    done = installation.run("serve", "--no-worker", **given)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: The file {tmp_path}/secret.key holds no key")
    assert "ends local links and passes to galleries that are out." in done.stderr
    assert len(_lines(done)) == 1


def test_a_key_is_made_after_a_full_disk_and_beside_what_a_killed_process_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(descriptor: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    settings = load_settings(data_dir=tmp_path)
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fill)
        with pytest.raises(OSError, match="No space left"):
            settings.signing_key()
    assert not list(tmp_path.iterdir())
    (tmp_path / f".secret.{os.getpid()}").touch()  # a container has the same ids each time
    key = settings.signing_key()
    assert settings.signing_key() == key
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:hunter2@127.0.0.1:1/photos", "does not answer (nobody listens there)."),
        ("postgresql://me:hun@ter2@127.0.0.1/photos", "@ is written %40"),
        ("postgresql://me:hun/ter2@127.0.0.1/photos", "/ %2F"),
        ("mysql://me:hunter2@127.0.0.1/photos", "is not a PostgreSQL address"),
        ("{dsn} dbname=nowhere", "does not answer (it has no such database or user)."),
        ("{dsn} user=nobody", "does not answer (it has no such database or user)."),
    ],
)
def test_a_database_that_does_not_answer_is_told_with_the_reason_and_no_piece_of_the_password(
    installation: Installation, url: str, message: str
) -> None:
    done = installation.run("serve", DATABASE_URL=url.format(dsn=installation.dsn))
    assert done.returncode == 1
    assert "FOTOFINISH_DATABASE_URL" in done.stderr
    assert message in done.stderr
    assert not any(piece in done.stderr for piece in ("ter2", "hun"))
    assert len(_lines(done)) == 1


def test_a_database_that_goes_away_meanwhile_is_told_with_what_to_do(
    installation: Installation,
) -> None:
    with psycopg.connect(installation.dsn) as locking:
        locking.execute("lock table event in access exclusive mode")
        command = installation.start("status", "456", DATABASE_URL=installation.dsn)
        with psycopg.connect(installation.dsn, autocommit=True) as connection:
            while not connection.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'"""
            ).rowcount:
                assert command.poll() is None
                time.sleep(0.02)
        _, said = command.communicate(timeout=PATIENCE)
    assert command.returncode == 1
    assert said.splitlines() == [
        "Error: The database went away. What is stored stays; run the same command again."
    ]


def test_a_data_folder_that_cannot_be_used_is_told_before_the_server_says_that_it_serves(
    installation: Installation,
) -> None:
    given = {
        "DATABASE_URL": installation.dsn,
        "STORAGE_URL": f"file://{installation.folder}/photos",
        "DATA_DIR": "/proc/nowhere",
    }
    done = installation.run("serve", "--no-worker", **given)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: FOTOFINISH_DATA_DIR: the folder /proc/nowhere cannot be")
    assert len(_lines(done)) == 1


def test_a_data_folder_below_home_is_one_for_photos_and_all_else(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    done = installation.run("doctor", DATA_DIR="~/races", DATABASE_URL=installation.dsn)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "races" / "storage").is_dir()
    assert not (installation.folder / "~").exists()
    refused = installation.run("doctor", DATA_DIR="~nobody-here/races")
    assert "FOTOFINISH_DATA_DIR: there is no such home folder" in refused.stderr


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("file:///proc/nowhere", "FOTOFINISH_STORAGE_URL: The storage folder failed: "),
        ("s4://photos", "FOTOFINISH_STORAGE_URL has no form that is known."),
        (
            "s3://photos?endpiont=https://s3.example.org",
            "FOTOFINISH_STORAGE_URL: unknown parameter",
        ),
    ],
)
def test_a_storage_that_cannot_be_opened_is_told_before_anything_starts(
    installation: Installation, command: str, url: str, message: str
) -> None:
    done = installation.run(command, STORAGE_URL=url)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {message}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("host", ["::1", "::", "0.0.0.0"])
def test_the_address_that_serve_prints_is_one_that_answers(
    installation: Installation, host: str
) -> None:
    try:
        with socket.create_server((host, 0), family=_family_of(host)) as free:
            port = free.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6")
    server = installation.start("serve", "--no-worker", "--host", host, "--port", str(port))
    assert server.stderr is not None
    try:
        url = server.stderr.readline().split()[2]
        # the socket takes connections before the line is printed
        assert httpx.get(f"{url}/healthz", trust_env=False, timeout=PATIENCE).status_code == 200
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=PATIENCE)


def test_a_server_that_signs_with_another_key_than_one_that_runs_says_so(
    installation: Installation,
) -> None:
    warned = {}
    with _answering(installation, "first key " * 4):
        for key in ("first key " * 4, "other key " * 4):
            with _answering(installation, key) as server:
                pass
            assert server.stderr is not None
            warned[key[:5]] = "Warning: another server on this database" in server.stderr.read()
    assert warned == {"first": False, "other": True}


@contextmanager
def _answering(installation: Installation, key: str) -> Iterator[subprocess.Popen[str]]:
    """A server that signs with this key and answers; it has ended behind the block."""
    port = str(free_port())
    server = installation.start("serve", "--no-worker", "--port", port, SECRET_KEY=key)
    assert server.stderr is not None
    try:
        server.stderr.readline()
        url = f"http://127.0.0.1:{port}/healthz"
        assert httpx.get(url, trust_env=False, timeout=PATIENCE).status_code == 200
        yield server
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(PATIENCE)


@pytest.mark.parametrize("words", [("serve", "--no-worker"), ("worker", "--concurrency", "1")])
@pytest.mark.parametrize("embedded", [True, False])
def test_a_start_says_which_database_it_works_with_and_no_password(
    installation: Installation, words: tuple[str, ...], embedded: bool
) -> None:
    port = ("--port", str(free_port())) if words[0] == "serve" else ()
    given = {} if embedded else {"DATABASE_URL": f"{installation.dsn} password=hunter2"}
    running = installation.start(*words, *port, **given)
    assert running.stderr is not None
    said = running.stderr.readline()
    running.send_signal(signal.SIGINT)
    assert "hunter2" not in said + running.communicate(timeout=PATIENCE)[1]
    folder = installation.folder / "data"
    if embedded:
        assert f"the embedded database in {folder} (no FOTOFINISH_DATABASE_URL is set)" in said
    else:
        assert f"the database fotofinish at {folder}/postgres, port 5432." in said


@pytest.mark.parametrize("command", ["fotofinish serve", "fotofinish.demo.run"])
@pytest.mark.parametrize("port", ["0", "80000"])
def test_a_port_that_none_can_be_is_refused(tmp_path: Path, command: str, port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split(), "--port", port],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_import_that_is_stopped_says_how_to_go_on(
    installation: Installation, tmp_path: Path
) -> None:
    # the last of this file: it leaves photos in the queue that others would wait behind
    noise = np.random.default_rng(3)
    for number in range(100):
        picture = noise.integers(0, 255, (200, 300, 3), dtype=np.uint8)
        (tmp_path / f"{number}.jpg").write_bytes(simplejpeg.encode_jpeg(picture))
    event = str(installation.json("event", "create", "903", "Stopped")["event_id"])
    importer = installation.start("import", event, str(tmp_path), "--wait")
    # asked of the database: where `fotofinish status` has started, all may be processed
    with psycopg.connect(installation.dsn, autocommit=True) as connection:
        while not connection.execute("select from photo where event_id = %s", [event]).rowcount:
            assert importer.poll() is None
            time.sleep(0.02)
    importer.send_signal(signal.SIGINT)
    _, said = importer.communicate(timeout=60)
    assert importer.returncode == 130
    assert "run the same command again" in said
    assert "Traceback" not in said
    again = installation.json("import", event, str(tmp_path))
    assert again["stored"] + again["duplicates"] == 100
    assert again["duplicates"] > 0
