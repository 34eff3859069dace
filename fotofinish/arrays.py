"""What is passed from decoders to models and from models on: the types, under one name each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""Rows, columns and three channels, blue first; or rows and columns of one channel."""

Floats = npt.NDArray[np.float32]

Box = tuple[float, float, float, float]
"""Left, top, width, height, in pixels."""


def as_pixels(given: object) -> Pixels:
    """What a library gives for pixels, as an array of bytes; copied only where it is none."""
    return np.asarray(given, dtype=np.uint8)
