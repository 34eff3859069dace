"""The embedded PostgreSQL: as root and as an ordinary user, shared, and gone when unused."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from fotofinish.database.connection import open_database
from fotofinish.errors import StorageError
from fotofinish.settings import Settings, load_settings

HOLDER = textwrap.dedent(
    """
    import sys, time
    from fotofinish.database.connection import open_database
    from fotofinish.settings import load_settings

    with open_database(load_settings(data_dir=sys.argv[1])) as database:
        print(database.dsn, flush=True)
        time.sleep(600)
    """
)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ff-"))
    yield folder
    _eventually(lambda: not _servers(folder))
    shutil.rmtree(folder, ignore_errors=True)


def test_data_survives_a_restart(data_dir: Path) -> None:
    settings = load_settings(data_dir=data_dir)
    with open_database(settings) as database, psycopg.connect(database.dsn) as connection:
        connection.execute("insert into organisation (name) values ('kept')")
    _eventually(lambda: not _servers(data_dir))
    with open_database(settings) as database, psycopg.connect(database.dsn) as connection:
        assert connection.execute("select name from organisation").fetchall() == [("kept",)]


@pytest.mark.parametrize("with_what_it_started", [True, False])
def test_a_first_start_that_was_killed_is_made_up_for(
    data_dir: Path, with_what_it_started: bool
) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLDER, str(data_dir)], start_new_session=True)
    _eventually((data_dir / "postgres" / "PG_VERSION").exists)
    if with_what_it_started:
        os.killpg(first.pid, signal.SIGKILL)
    first.kill()
    first.wait()
    assert not (data_dir / "postgres" / "postmaster.opts").exists()
    with (
        open_database(load_settings(data_dir=data_dir)) as database,
        psycopg.connect(database.dsn) as connection,
    ):
        assert connection.execute("show max_connections").fetchone() == ("200",)


def test_a_backup_that_was_put_in_place_is_kept_though_it_never_ran_here(data_dir: Path) -> None:
    settings = load_settings(data_dir=data_dir)
    with open_database(settings) as database, psycopg.connect(database.dsn) as connection:
        connection.execute("insert into organisation (name) values ('kept')")
    _eventually(lambda: not _servers(data_dir))
    (data_dir / "postgres" / "postmaster.opts").unlink()  # pg_basebackup leaves it out
    with open_database(settings) as database, psycopg.connect(database.dsn) as connection:
        assert connection.execute("select name from organisation").fetchall() == [("kept",)]


def test_server_stops_when_its_last_user_stops_and_not_before(data_dir: Path) -> None:
    first, second = _hold(data_dir), _hold(data_dir)
    assert len(_servers(data_dir)) == 1
    first.terminate()
    first.wait()
    time.sleep(0.5)
    assert _servers(data_dir)
    second.terminate()
    second.wait()
    assert _eventually(lambda: not _servers(data_dir))


def test_server_stops_even_when_its_last_user_is_killed(data_dir: Path) -> None:
    holder = _hold(data_dir)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert _eventually(lambda: not _servers(data_dir))


def test_server_stops_though_its_guardian_was_killed_meanwhile(data_dir: Path) -> None:
    holder = _hold(data_dir)
    assert _eventually(lambda: bool(_waiting_guardians(data_dir)))
    killed = _waiting_guardians(data_dir)
    for guardian in killed:
        guardian.kill()
    assert _eventually(lambda: any(one not in killed for one in _waiting_guardians(data_dir)))
    holder.kill()
    holder.wait()
    assert _eventually(lambda: not _servers(data_dir))


@pytest.mark.parametrize("all_of_it", [True, False], ids=["all of it", "its parent process"])
def test_starts_again_after_the_server_itself_was_killed(data_dir: Path, all_of_it: bool) -> None:
    holder = _hold(data_dir)
    for server in _servers(data_dir):
        for process in (*(server.children(recursive=True) if all_of_it else ()), server):
            with suppress(psutil.NoSuchProcess):  # the others end by themselves meanwhile
                process.kill()
    holder.kill()
    holder.wait()
    with open_database(load_settings(data_dir=data_dir)) as database:
        assert _answers(database.dsn)


def test_comes_back_for_who_uses_it_when_it_was_killed(data_dir: Path) -> None:
    holder = _spawn(data_dir)
    dsn = _dsn(holder)
    (server,) = _servers(data_dir)
    server.kill()
    assert _eventually(lambda: server.pid not in {one.pid for one in _servers(data_dir)})
    assert _eventually(lambda: _answers_by_now(dsn))
    holder.terminate()
    holder.wait()


def test_two_processes_may_start_it_at_the_same_moment(data_dir: Path) -> None:
    holders = [_spawn(data_dir) for _ in range(3)]
    dsns = {_dsn(holder) for holder in holders}
    assert len(dsns) == 1
    assert len(_servers(data_dir)) == 1
    for holder in holders:
        holder.kill()
        holder.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_runs_for_an_ordinary_user_too(data_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    try:
        subprocess.run([sys.executable, "-c", ""], **_as(nobody), check=True)
    except OSError:
        pytest.skip("this Python lies in a folder that only root may enter")
    holder = _spawn(data_dir, **_as(nobody))
    assert _dsn(holder)
    assert {server.username() for server in _servers(data_dir)} == {"nobody"}
    holder.kill()
    holder.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize(
    ("owner", "way"), [("nobody", "sudo -u nobody fotofinish"), ("root", "give it to pgserver")]
)
def test_a_command_as_root_leaves_another_users_database_as_it_is_and_says_so(
    data_dir: Path, owner: str, way: str
) -> None:
    pgdata = data_dir / "postgres"
    pgdata.mkdir(mode=0o700)
    (pgdata / "PG_VERSION").write_text("18\n")
    (pgdata / "postmaster.opts").touch()
    uid = pwd.getpwnam(owner).pw_uid
    for path in (pgdata, *pgdata.iterdir()):
        os.chown(path, uid, -1)
    with (
        pytest.raises(StorageError) as caught,
        open_database(load_settings(data_dir=data_dir)),
    ):
        pass
    assert f"belongs to the user {owner}" in caught.value.message
    assert way in caught.value.message
    assert {path.stat().st_uid for path in (pgdata, *pgdata.iterdir())} == {uid}


def test_a_server_that_does_not_start_is_told_with_what_postgresql_said(
    data_dir: Path, postgres: str
) -> None:
    pgdata = data_dir / "postgres"
    pgdata.mkdir(mode=0o700)
    (pgdata / "PG_VERSION").write_text("18\n")
    (pgdata / "postmaster.opts").touch()
    (pgdata / "postgresql.conf").write_text("max_connections = many\n")
    (pgdata / "log").write_text("2026-01-01 [1] FATAL:  an old story\n")
    users = Path(conninfo_to_dict(postgres)["host"]).stat()  # who may run a server here
    for path in (pgdata, *pgdata.iterdir()):
        os.chown(path, users.st_uid, users.st_gid)
    with (
        pytest.raises(StorageError) as caught,
        open_database(load_settings(data_dir=data_dir)),
    ):
        pass
    assert "postgresql.conf" in caught.value.message
    assert "an old story" not in caught.value.message


def test_nobody_else_gets_at_the_socket_however_long_the_path(data_dir: Path) -> None:
    for folder in (data_dir, data_dir / ("race photos " * 13)):
        with open_database(load_settings(data_dir=folder)) as database:
            assert _answers(database.dsn)
            assert _socket_dir(database.dsn).stat().st_mode & 0o077 == 0
            assert len(_servers(folder)) == 1
        assert _eventually(lambda folder=folder: not _servers(folder))  # type: ignore[misc]
    _socket_dir(database.dsn).rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_socket_folder_that_somebody_else_made_is_refused(data_dir: Path) -> None:
    settings = load_settings(data_dir=data_dir / ("x" * 150))
    with open_database(settings) as database:
        socket_dir = _socket_dir(database.dsn)
    _eventually(lambda: not _servers(settings.data_dir))
    os.chown(socket_dir, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(StorageError) as caught, open_database(settings):
        pass
    assert "FOTOFINISH_DATA_DIR" in caught.value.message
    socket_dir.rmdir()


def test_an_unreachable_database_is_named_without_its_password() -> None:
    url = "postgresql://somebody:hunter2@127.0.0.1:1/none"
    with pytest.raises(StorageError) as caught, open_database(_settings(url)):
        pass
    assert "FOTOFINISH_DATABASE_URL" in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    "said",
    [
        "sorry, too many clients already",
        "remaining connection slots are reserved for roles with the SUPERUSER attribute",
        'too many connections for role "fotofinish"',
    ],
)
def test_a_database_that_has_no_connection_left_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    def refuse(_: str) -> bool:
        raise psycopg.OperationalError(f"connection failed: FATAL:  {said}")

    monkeypatch.setattr("fotofinish.database.connection.migrate", refuse)
    with (
        pytest.raises(StorageError) as caught,
        open_database(_settings("postgresql://somebody@127.0.0.1/any")),
    ):
        pass
    assert "it has too many connections" in caught.value.message


def _settings(url: str) -> Settings:
    return load_settings(database_url=url)


def _as(user: pwd.struct_passwd) -> dict[str, Any]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _spawn(data_dir: Path, **identity: Any) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "HOME"}
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        **identity,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def _dsn(holder: subprocess.Popen[str]) -> str:
    assert holder.stdout is not None
    return holder.stdout.readline().strip()


def _hold(data_dir: Path) -> subprocess.Popen[str]:
    holder = _spawn(data_dir)
    assert _answers(_dsn(holder))
    return holder


def _answers(dsn: str) -> bool:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select 1").fetchone() == (1,)


def _socket_dir(dsn: str) -> Path:
    return Path(str(conninfo_to_dict(dsn)["host"]))


def _waiting_guardians(data_dir: Path) -> list[psutil.Process]:
    words = ["fotofinish.database.guardian", str(data_dir.resolve())]
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline()[2:] == words and process.status() == psutil.STATUS_SLEEPING:
                found.append(process)
    return found


def _servers(data_dir: Path) -> list[psutil.Process]:
    wanted = str(data_dir.resolve() / "postgres")
    found = []
    for process in psutil.process_iter():
        try:
            if "postgres" in process.name() and wanted in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def _eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def _answers_by_now(dsn: str) -> bool:
    with suppress(psycopg.OperationalError):
        return _answers(dsn)
    return False
