"""A button pressed by somebody impatient."""

from __future__ import annotations

from playwright.sync_api import Locator


def press_twice(button: Locator) -> None:
    """Press, and once more while the answer is on its way; returns when both have been sent."""
    button.evaluate(
        """button => new Promise((done) => {
             button.click()
             setTimeout(() => { button.click(); setTimeout(done, 500) }, 500)
           })"""
    )
