"""Face templates of photos: biometric data, kept in the database and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np
import numpy.typing as npt
from psycopg import AsyncConnection

from fotofinish.vision.faces import FaceReading


def as_halfvec(embedding: npt.NDArray[np.float32]) -> str:
    """An embedding as pgvector's text form; cast to `halfvec` in the query."""
    return "[" + ",".join(f"{value:.6g}" for value in embedding.tolist()) + "]"


async def replace_faces(
    connection: AsyncConnection,
    event_id: int,
    photo_id: UUID,
    faces: Sequence[FaceReading],
    *,
    model: str,
) -> None:
    """Make these the photo's faces; runs inside the caller's transaction.

    A face whose quality does not do for matching is kept without a template. Matches that are
    linked rest on the photo's bibs, and follow those.
    """
    await connection.execute("delete from face where photo_id = %s", [photo_id])
    await connection.execute(
        "delete from selfie_match where photo_id = %s and not linked", [photo_id]
    )
    if not faces:
        return
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """insert into face (photo_id, event_id, box, score, quality, model, embedding)
               values (%s, %s, %s, %s, %s, %s, %s::halfvec)""",
            [
                [
                    photo_id,
                    event_id,
                    list(map(float, face.box)),
                    float(face.score),
                    float(face.quality),
                    model,
                    None if face.embedding is None else as_halfvec(face.embedding),
                ]
                for face in faces
            ],
        )
