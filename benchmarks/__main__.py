"""`make bench`: every benchmark, one table a subject, and all figures in one JSON file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks import (
    bibs,
    decoding,
    faces,
    gallery,
    growth,
    importing,
    links,
    originals,
    pages,
    processing,
    selfies,
    signing,
)

FIGURES = Path("bench.json")


def main() -> None:
    """Run them all, the quick ones first; figures go to `bench.json` after each."""
    figures: dict[str, float] = {}
    for run in (
        signing.main,
        decoding.main,
        lambda: faces.main([]),
        lambda: links.main([]),
        lambda: processing.main([]),
        pages.main,
        gallery.main,
        selfies.main,
        importing.main,
        originals.main,
        lambda: bibs.main([]),
        growth.main,
    ):
        figures |= run()
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
        sys.stdout.flush()
    print(f"\nAll figures are in {FIGURES}.")


if __name__ == "__main__":
    main()
