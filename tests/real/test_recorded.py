"""Recognition of real photos is not worse than it once was: see `benchmarks/recorded.json`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.recorded import MOST_FALL, RECORDED, measure
from fotofinish.vision.networks import Precision, fast_precisions


@pytest.mark.parametrize("precision", fast_precisions())
def test_accuracy_has_not_fallen_by_more_than_a_point(
    shared_data: Path, precision: Precision
) -> None:
    recorded = json.loads(RECORDED.read_text())[precision]
    now = measure(precision)
    assert now.keys() == recorded.keys(), "write the file anew: python -m benchmarks.recorded"
    fallen = {
        name: f"{figure:.3f} -> {now[name]:.3f}"
        for name, figure in recorded.items()
        if now[name] < figure - MOST_FALL
    }
    assert not fallen
