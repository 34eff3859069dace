"""Recognition alone, for `fotofinish read`: photos in, one mapping a photo out. No database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fotofinish.annotating import Annotator
from fotofinish.bibs.listed import StartList
from fotofinish.errors import FotofinishError
from fotofinish.photos.decoding import decode
from fotofinish.photos.formats import HEAD_BYTES, sniff
from fotofinish.photos.processing import WORKING_LONG_SIDE
from fotofinish.recognition import PhotoReading, Recogniser
from fotofinish.settings import Settings


def read_photos(
    settings: Settings,
    photos: Sequence[Path],
    *,
    embeddings: bool,
    start_list: StartList | None = None,
    annotate: Path | None = None,
) -> Iterator[dict[str, object]]:
    """What each photo shows, boxes in pixels of the upright original.

    With `annotate`, a folder, each photo is drawn there with what was read. A photo that cannot be
    read gives `{"file", "error"}`; the others go on. Raises InvalidValue when the folder cannot be
    made.
    """
    annotator = None if annotate is None else Annotator(annotate, photos)
    recogniser = Recogniser(embedder_path=settings.face_embedder)
    for path in photos:
        try:
            data = path.read_bytes()
            decoded = decode(
                data,
                sniff(data[:HEAD_BYTES]),
                max_pixels=settings.max_pixels,
                target_long_side=WORKING_LONG_SIDE,
            )
            reading = recogniser.read(decoded.pixels, decoded.width, decoded.height, start_list)
            drawn = annotator and annotator.save(path, decoded, reading)
        except FotofinishError as error:
            yield {"file": str(path), "error": error.message}
        except OSError as error:
            yield {"file": str(path), "error": f"Cannot be read: {error.strerror}."}
        else:
            yield {
                "file": str(path),
                **_as_json(reading, embeddings=embeddings),
                **({"annotated": str(drawn)} if drawn else {}),
            }


def _as_json(reading: PhotoReading, *, embeddings: bool) -> dict[str, object]:
    return {
        "width": reading.width,
        "height": reading.height,
        "bibs": [
            {
                "bib": bib.bib,
                "confidence": round(float(bib.confidence), 4),
                "box": [round(float(side), 1) for side in bib.box],
            }
            for bib in reading.bibs
        ],
        "faces": [
            {
                "box": [round(float(side), 1) for side in face.box],
                "confidence": round(float(face.score), 4),
            }
            | (
                {"embedding": face.embedding.tolist()}
                if embeddings and face.embedding is not None
                else {}
            )
            for face in reading.faces
        ],
    }
