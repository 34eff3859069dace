"""The process that stops the embedded PostgreSQL when its last user is gone.

Started by `embedded.py`, never by hand: `python -m fotofinish.database.guardian DATA_DIR`.
"""

from __future__ import annotations

import fcntl
import sys
from pathlib import Path

from fotofinish.database import embedded


def main(data_dir: Path) -> None:
    """Wait until no process holds the server, then stop it while nobody can join."""
    with embedded.guardian_lock(data_dir).open("w") as guardian:
        try:
            fcntl.flock(guardian, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        with embedded.users_lock(data_dir).open("w") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            embedded.stop(data_dir / "postgres")
            guardian.close()  # before the users' lock: whoever waits on it must find no guardian


if __name__ == "__main__":
    main(Path(sys.argv[1]))
