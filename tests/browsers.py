"""The browser of tests and benchmarks: Debian's Chromium without a window, driven by Playwright.

Its headless shell is preferred: the same engine without the desktop browser around it, which takes
two thirds of the processor's time of every page (3 instead of 9 seconds for twelve windows).
"""

from __future__ import annotations

import shutil
from typing import Any

from playwright.sync_api import Browser, BrowserType

NAMES = ("chromium-headless-shell", "chromium")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def launch(chromium: BrowserType, *flags: str, **options: Any) -> Browser:
    """A browser with these flags besides; FileNotFoundError where there is none."""
    command = next(filter(None, map(shutil.which, NAMES)), None)
    if command is None:
        raise FileNotFoundError("Chromium is not installed (make system-packages).")
    return chromium.launch(executable_path=command, args=[*FLAGS, *flags], **options)
