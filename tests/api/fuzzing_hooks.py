"""Loaded by schemathesis (`SCHEMATHESIS_HOOKS`): its selfies are pictures, one with a face."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote, unquote

import schemathesis
from hypothesis import strategies
from PIL import Image

from fotofinish.demo.portrait import portrait_path
from fotofinish.web.api.openapi import PATH_PARAMETERS


def _encoded(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG")
    return file.getvalue()


# Eileen Collins, NASA (public domain), as scikit-image ships her
_ASTRONAUT = portrait_path()
_SELFIES = (_encoded(Image.open(str(_ASTRONAUT))), _encoded(Image.new("RGB", (64, 48), "grey")))

schemathesis.openapi.media_type("image/jpeg", strategies.sampled_from(_SELFIES))


@schemathesis.hook
def filter_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> bool:
    """Pass over bibs that are too long only when percent-encoded.

    When a link fills in another parameter, schemathesis measures the encoded form against
    `maxLength` and then takes the right answer for a wrong one (as in its issue 2983).
    """
    bib = unquote(str((path_parameters or {}).get("bib", "")))
    return not len(bib) <= PATH_PARAMETERS["bib"]["maxLength"] < len(quote(bib, safe=""))


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Pass over forms with lists: sent, those of none or one look like no field or one field."""
    form = case.media_type == "multipart/form-data" and isinstance(case.body, dict)
    return not (form and any(isinstance(value, list) for value in case.body.values()))
