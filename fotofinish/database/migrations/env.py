"""Alembic's entry point: runs on the connection it is handed, in one transaction."""

from alembic import context

from fotofinish.bibs import tables as bibs
from fotofinish.database.metadata import metadata
from fotofinish.events import tables as events
from fotofinish.faces import tables as faces
from fotofinish.linking import tables as linking
from fotofinish.organisations import tables as organisations
from fotofinish.photos import tables as photos

TABLES = (organisations, events, photos, bibs, faces, linking)

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
