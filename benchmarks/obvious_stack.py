"""`original-photos` as it is written most often, to compare with: FastAPI's synchronous route,
SQLAlchemy's ORM, boto3 for the links, a response model.

Written as its authors would wish: one engine, one S3 client, no query in a loop, indexes as ours.
Every link is signed; nothing is checked in the store.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import boto3
from botocore.config import Config
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker


class Base(DeclarativeBase):
    """Declares the columns that this endpoint reads."""


class ApiKey(Base):
    __tablename__ = "api_key"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    digest: Mapped[bytes]
    active: Mapped[bool]


class Event(Base):
    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    bib_search: Mapped[bool]


class Photo(Base):
    __tablename__ = "photo"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_id: Mapped[int]
    extension: Mapped[str]
    captured_at: Mapped[datetime | None]


class BibTag(Base):
    __tablename__ = "bib_tag"
    photo_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("photo.id"), primary_key=True)
    bib: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[int]
    captured_at: Mapped[datetime | None]
    visible: Mapped[bool]


class OriginalsRequest(BaseModel):
    method: str
    identifier: str


class PresignedUrl(BaseModel):
    url: str
    filename: str


class FailedUrl(BaseModel):
    image_id: str
    error: str
    path: str | None


class Pagination(BaseModel):
    total: int
    currentPage: int
    totalPages: int
    hasNextPage: bool
    hasPreviousPage: bool
    page_size: int


class Originals(BaseModel):
    presigned_urls: list[PresignedUrl]
    failed_urls: list[FailedUrl]
    total_images: int
    successful_count: int
    failed_count: int
    identifier: str | None
    message: str | None
    pagination: Pagination


def create_app(database_url: str, endpoint: str, bucket: str, keys: dict[str, str]) -> FastAPI:
    """The application; `database_url` is SQLAlchemy's."""
    app = FastAPI()
    sessions = sessionmaker(create_engine(database_url, pool_size=10, max_overflow=30))
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )

    def session() -> Iterator[Session]:
        with sessions() as opened:
            yield opened

    @app.post("/api/v1/ext/{org_id}/event/{event_id}/original-photos", response_model=Originals)
    def original_photos(
        org_id: int,
        event_id: int,
        body: OriginalsRequest,
        x_api_key: Annotated[str, Header()],
        db: Session = Depends(session),
        page: Annotated[int, Query(ge=1)] = 1,
        page_size: Annotated[int, Query(ge=1, le=60)] = 30,
    ) -> Any:
        digest = hashlib.sha256(x_api_key.encode()).digest()
        key = db.scalar(select(ApiKey).where(ApiKey.digest == digest, ApiKey.active))
        if key is None or key.org_id != org_id:
            raise HTTPException(403)
        event = db.get(Event, event_id)
        if event is None or event.org_id != org_id or not event.bib_search:
            raise HTTPException(403)
        tagged = (
            BibTag.event_id == event_id,
            BibTag.bib == body.identifier.strip().upper(),
            BibTag.visible,
        )
        total = db.scalar(select(func.count()).select_from(BibTag).where(*tagged)) or 0
        photos = db.scalars(
            select(Photo)
            .join(BibTag, BibTag.photo_id == Photo.id)
            .where(*tagged)
            .order_by(BibTag.captured_at, BibTag.photo_id)
            .offset((page - 1) * page_size)
            .limit(page_size)
        ).all()
        urls = []
        for photo in photos:
            filename = f"{photo.id}.{photo.extension}"
            url = s3.generate_presigned_url(
                "get_object",
                Params={"Bucket": bucket, "Key": f"imgs/{event_id}/large/{filename}"},
                ExpiresIn=3600,
            )
            urls.append(PresignedUrl(url=url, filename=filename))
        pages = -(-total // page_size)
        return Originals(
            presigned_urls=urls,
            failed_urls=[],
            total_images=len(urls),
            successful_count=len(urls),
            failed_count=0,
            identifier=body.identifier,
            message=None if total else f"No images found for bib {body.identifier}",
            pagination=Pagination(
                total=total,
                currentPage=page,
                totalPages=pages,
                hasNextPage=page < pages,
                hasPreviousPage=page > 1,
                page_size=page_size,
            ),
        )

    return app
