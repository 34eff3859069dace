"""What keeps a benchmark to a folder of its own, whatever is configured outside of it."""

from __future__ import annotations

import os
from pathlib import Path

from fotofinish.settings import Settings, load_settings


def forget_configuration() -> None:
    """From now on nothing is configured by the environment of this process and its children."""
    for name in [name for name in os.environ if name.startswith("FOTOFINISH_")]:
        del os.environ[name]


def private_settings(folder: Path, **settings: object) -> Settings:
    """Settings with everything in this folder but what is given."""
    forget_configuration()
    return load_settings(env_file=None, data_dir=folder, **settings)
