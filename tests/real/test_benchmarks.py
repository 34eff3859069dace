"""`make bench` is run seldom: that it can be started is seen here."""

from __future__ import annotations

import importlib


def test_every_benchmark_can_be_started() -> None:
    assert callable(importlib.import_module("benchmarks.__main__").main)
