"""What is looked at before photos are served or read: mistakes that would else show much later."""

from __future__ import annotations

from pathlib import Path

from fotofinish.errors import SettingsError
from fotofinish.settings import Settings


def refuse_mistakes(settings: Settings) -> None:
    """Raise SettingsError, with how to mend it, for what no start can work with.

    Quick, and so not thorough: what a model is good for is said by `fotofinish doctor`.
    """
    if settings.face_embedder is not None:
        _refuse_unreadable(settings.face_embedder)


def _refuse_unreadable(embedder: Path) -> None:
    try:
        embedder.open("rb").close()
    except OSError as error:
        raise SettingsError(
            f"FOTOFINISH_FACE_EMBEDDER: {embedder} cannot be read ({error.strerror}). Name an "
            "ArcFace-style ONNX for 112x112 pixels, or nothing for the packaged one."
        ) from None
