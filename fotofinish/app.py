"""Puts the web application together: routes, error answers, and what they work with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from fotofinish.database.connection import Database, open_pool
from fotofinish.delivery.files import serve_file
from fotofinish.events.guesses import GuessBuckets
from fotofinish.events.uses import EventUses, open_event_uses
from fotofinish.faces.searching import open_selfie_desk
from fotofinish.organisations.rates import Rate, RateLimiter
from fotofinish.photos.direct_uploads import DirectUploads
from fotofinish.photos.keys import event_of_original
from fotofinish.photos.uploads import Uploads
from fotofinish.queue import make_queue
from fotofinish.settings import Settings
from fotofinish.storage.cloud import CloudStore
from fotofinish.storage.direct import open_direct_bucket
from fotofinish.storage.links import open_linker
from fotofinish.storage.stores import open_store
from fotofinish.web.api.routes import api_routes
from fotofinish.web.body_room import BodyRoom
from fotofinish.web.dashboard.pages import dashboard_routes
from fotofinish.web.errors import ERROR_HANDLERS
from fotofinish.web.gallery.pages import gallery_routes
from fotofinish.web.health import health_routes
from fotofinish.web.metrics import Metrics
from fotofinish.web.observation import Observation
from fotofinish.web.password_checks import PasswordChecks
from fotofinish.web.readiness import Readiness
from fotofinish.web.services import Services, open_key_uses


def note_download(uses: EventUses, key: str) -> None:
    """Count an original that is sent; previews are not counted."""
    if (event_id := event_of_original(key)) is not None:
        uses.downloaded(event_id, 1)


def create_app(settings: Settings, database: Database) -> Starlette:
    """The whole server as one ASGI application; it opens its services when it is started.

    Raises SettingsError at start when the storage setting does not fit.
    """

    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            store = open_store(settings)
            linker = open_linker(settings, store)
            pool = await stack.enter_async_context(open_pool(database))
            queue = make_queue(database.dsn)
            bucket = await stack.enter_async_context(open_direct_bucket(store))
            app.state.services = Services(
                settings=settings,
                pool=pool,
                store=store,
                linker=linker,
                queue=queue,
                uploads=Uploads(
                    settings.data_dir / "uploads",
                    pool,
                    store,
                    queue,
                    max_bytes=settings.max_upload_bytes,
                ),
                direct_uploads=None
                if bucket is None or not isinstance(store, CloudStore)
                else DirectUploads(pool, store, bucket, queue, max_bytes=settings.max_upload_bytes),
                key_uses=await stack.enter_async_context(open_key_uses(pool)),
                uses=await stack.enter_async_context(open_event_uses(pool)),
                rates=RateLimiter(
                    pool,
                    {
                        "request": Rate(settings.request_rate, settings.request_burst),
                        "search": Rate(settings.search_rate, settings.search_burst),
                    },
                ),
                guesses=GuessBuckets(pool),
                body_room=BodyRoom(),
                password_checks=PasswordChecks(),
                readiness=Readiness(pool, store),
                metrics=metrics,
                selfies=await stack.enter_async_context(open_selfie_desk(settings, pool)),
            )
            app.state.store, app.state.linker = store, linker
            app.state.downloaded = partial(note_download, app.state.services.uses)
            yield

    app = Starlette(
        routes=[
            *api_routes(),
            *health_routes(),
            *dashboard_routes(),
            *gallery_routes(),
            Route("/files/{key:path}", serve_file, methods=["GET"]),
        ],
        middleware=[Middleware(Observation, metrics=metrics)],
        exception_handlers=ERROR_HANDLERS,
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # another address is another address, and answers 404
    return app
