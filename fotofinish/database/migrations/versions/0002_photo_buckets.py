"""Numbers of photos a minute of capture, kept by triggers, and the gallery's order as an index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BUCKET = """
create function photo_bucket_minute(captured_at timestamptz) returns timestamptz
language sql immutable parallel safe
return coalesce(date_bin('1 minute', captured_at, 'epoch'), 'infinity');

create function photo_bucket_prefix(captured_at timestamptz, id uuid) returns uuid
language sql immutable parallel safe
return case when captured_at is null
            then overlay('00000000-0000-0000-0000-000000000000'
                         placing substr(id::text, 1, 2) from 1 for 2)::uuid
            else '00000000-0000-0000-0000-000000000000'::uuid end;
"""

# A bucket has up to eight rows, chosen by connection, so that workers with photos of the same
# minute do not wait for each other. Sorted, so that two statements cannot block one another.
ADD = """
create function photo_bucket_add() returns trigger language plpgsql as $$
begin
  insert into photo_bucket (event_id, minute, prefix, slot, photos)
  select event_id, photo_bucket_minute(captured_at), photo_bucket_prefix(captured_at, id),
         pg_backend_pid() % 8, count(*)
  from new_photo where state = 'ready' and not hidden
  group by 1, 2, 3 order by 1, 2, 3
  on conflict (event_id, minute, prefix, slot)
  do update set photos = photo_bucket.photos + excluded.photos;
  return null;
end $$;
create trigger photo_bucket_add after insert on photo
referencing new table as new_photo for each statement execute function photo_bucket_add();
"""

CHANGE = """
create function photo_bucket_change() returns trigger language plpgsql as $$
begin
  insert into photo_bucket (event_id, minute, prefix, slot, photos)
  select event_id, photo_bucket_minute(captured_at), photo_bucket_prefix(captured_at, id),
         pg_backend_pid() % 8, sum(one)
  from (select event_id, captured_at, id, 1 as one from new_photo
        where state = 'ready' and not hidden
        union all
        select event_id, captured_at, id, -1 from old_photo
        where state = 'ready' and not hidden) changed
  group by 1, 2, 3 having sum(one) <> 0 order by 1, 2, 3
  on conflict (event_id, minute, prefix, slot)
  do update set photos = photo_bucket.photos + excluded.photos;
  return null;
end $$;
create trigger photo_bucket_change after update on photo
referencing old table as old_photo new table as new_photo
for each statement execute function photo_bucket_change();
"""

# When a whole event is deleted its buckets go too, and must not come back.
REMOVE = """
create function photo_bucket_remove() returns trigger language plpgsql as $$
begin
  insert into photo_bucket (event_id, minute, prefix, slot, photos)
  select event_id, photo_bucket_minute(captured_at), photo_bucket_prefix(captured_at, old_photo.id),
         pg_backend_pid() % 8, -count(*)
  from old_photo join event on event.id = old_photo.event_id
  where state = 'ready' and not hidden
  group by 1, 2, 3 order by 1, 2, 3
  on conflict (event_id, minute, prefix, slot)
  do update set photos = photo_bucket.photos + excluded.photos;
  return null;
end $$;
create trigger photo_bucket_remove after delete on photo
referencing old table as old_photo for each statement execute function photo_bucket_remove();
"""

FILL = """
insert into photo_bucket (event_id, minute, prefix, slot, photos)
select event_id, photo_bucket_minute(captured_at), photo_bucket_prefix(captured_at, id), 0, count(*)
from photo where state = 'ready' and not hidden group by 1, 2, 3;
"""


def upgrade() -> None:
    """Create the counts and fill them."""
    op.drop_index("ix_photo_gallery", "photo")
    op.create_index(
        "ix_photo_gallery",
        "photo",
        ["event_id", sa.text("coalesce(captured_at, 'infinity')"), "id"],
        postgresql_include=["captured_at", "width", "height"],
        postgresql_where=sa.text("state = 'ready' and not hidden"),
    )
    op.create_table(
        "photo_bucket",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prefix", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("photos", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_photo_bucket_event_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "event_id", "minute", "prefix", "slot", name=op.f("pk_photo_bucket")
        ),
    )
    for script in (BUCKET, ADD, CHANGE, REMOVE, FILL):
        op.get_bind().exec_driver_sql(script.replace("%", "%%"))
