"""Loaded by schemathesis (`SCHEMATHESIS_HOOKS`): its selfies are pictures, one with a face."""

from __future__ import annotations

import io
from importlib import metadata

import schemathesis
from hypothesis import strategies
from PIL import Image

from fotofinish.web.api.endpoints import KINDS


def _encoded(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG")
    return file.getvalue()


# Eileen Collins, NASA (public domain), as scikit-image ships her
_ASTRONAUT = metadata.distribution("scikit-image").locate_file("skimage/data/astronaut.png")
_SELFIES = (_encoded(Image.open(str(_ASTRONAUT))), _encoded(Image.new("RGB", (64, 48), "grey")))

for kind in KINDS:
    schemathesis.openapi.media_type(kind.content_type, strategies.sampled_from(_SELFIES))
