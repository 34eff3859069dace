"""Many faces of an event compared at once: cosines by products of matrices, outside the database.

pgvector compares one pair after another; a product does 20 times as many in that time, and it runs
in a thread. Faces are read page by page, so that memory does not grow with the event.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, LiteralString
from uuid import UUID

import numpy as np
import numpy.typing as npt
from psycopg import AsyncConnection, sql

from fotofinish.linking.deciding import LEAST_QUALITY

PAGE = 8192  # faces: 4 MB of vectors of 128 numbers
ROWS = 256  # so many times a page of cosines at once: 8 MB

Vectors = npt.NDArray[np.float32]
Which = Literal["bib is not null", "bib is null and not bib_unclear"]
WORN: Which = "bib is not null"
FREE: Which = "bib is null and not bib_unclear"


@dataclass(frozen=True, slots=True)
class Templates:
    """Templates of one model: `vectors` (n, dimensions), float32 of length 1, and whose (n)."""

    keys: list[UUID]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Alike:
    """Pairs (n): the row of the one, the face's id of the other, and their cosine."""

    rows: npt.NDArray[np.intp]
    ids: npt.NDArray[np.int64]
    cosines: npt.NDArray[np.float32]

    def those(self, which: npt.NDArray[np.bool_]) -> Alike:
        """The pairs at which `which` (n) is true."""
        return Alike(self.rows[which], self.ids[which], self.cosines[which])


async def faces_alike(
    connection: AsyncConnection,
    event_id: int,
    model: str,
    vectors: Vectors,
    which: Which,
    least: float,
) -> Alike:
    """The event's faces of this kind, good enough to be compared, as near to a row as `least`."""
    found = [Alike(np.empty(0, np.intp), np.empty(0, np.int64), np.empty(0, np.float32))]
    async for ids, page in _pages(connection, event_id, model, which):
        found += await asyncio.to_thread(_compare, vectors, ids, page, least)
    return Alike(
        np.concatenate([pairs.rows for pairs in found]),
        np.concatenate([pairs.ids for pairs in found]),
        np.concatenate([pairs.cosines for pairs in found]),
    )


async def nearest(vectors: Vectors, others: Templates | None) -> npt.NDArray[np.float32]:
    """The cosine (n) of each of these vectors (n, dimensions) to the nearest other; -1: none."""
    best = np.full(len(vectors), -1, np.float32)
    if others is not None:
        await asyncio.to_thread(_raise_to_nearest, best, vectors, others.vectors)
    return best


async def templates_by_model(
    connection: AsyncConnection, query: LiteralString, values: Mapping[str, object]
) -> dict[str, Templates]:
    """Those that the query gives: model, whose, and the embedding, which is not null."""
    found: defaultdict[str, tuple[list[UUID], list[bytes]]] = defaultdict(lambda: ([], []))
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(query, values)
        for model, key, embedding in await cursor.fetchall():
            keys, embeddings = found[model]
            keys.append(key)
            embeddings.append(embedding)
    return {
        model: Templates(keys, _vectors(embeddings)) for model, (keys, embeddings) in found.items()
    }


async def _pages(
    connection: AsyncConnection, event_id: int, model: str, which: Which
) -> AsyncIterator[tuple[npt.NDArray[np.int64], Vectors]]:
    """Ids and vectors of the event's faces of this kind that are good enough to be compared."""
    query = sql.SQL(
        """select id, embedding from face
           where event_id = %(event)s and model = %(model)s and id > %(after)s
             and quality >= %(quality)s and embedding is not null and {}
           order by id limit %(page)s"""
    ).format(sql.SQL(which))
    values = {"event": event_id, "model": model, "quality": LEAST_QUALITY, "page": PAGE}
    after = 0
    async with connection.cursor(binary=True) as cursor:
        while True:
            await cursor.execute(query, values | {"after": after})
            faces = await cursor.fetchall()
            if not faces:
                return
            ids = np.array([face_id for face_id, _ in faces])
            yield ids, _vectors([embedding for _, embedding in faces])
            after = int(ids[-1])


def _vectors(embeddings: Sequence[bytes]) -> Vectors:
    """From pgvector's binary form: four bytes before the halves, whose high bytes come first."""
    halves = np.frombuffer(b"".join(embeddings), dtype=">f2").reshape(len(embeddings), -1)
    return halves[:, 2:].astype(np.float32)


def _compare(
    vectors: Vectors, ids: npt.NDArray[np.int64], page: Vectors, least: float
) -> list[Alike]:
    found = []
    for start in range(0, len(vectors), ROWS):
        cosines = (vectors[start : start + ROWS] @ page.T).ravel()
        (near,) = np.nonzero(cosines >= least)
        rows, columns = np.divmod(near, len(ids))
        found.append(Alike(rows + start, ids[columns], cosines[near]))
    return found


def _raise_to_nearest(best: npt.NDArray[np.float32], vectors: Vectors, others: Vectors) -> None:
    for start in range(0, len(vectors), ROWS):
        rows = slice(start, start + ROWS)
        for page in range(0, len(others), PAGE):
            cosines = vectors[rows] @ others[page : page + PAGE].T
            np.maximum(best[rows], cosines.max(axis=1), out=best[rows])
