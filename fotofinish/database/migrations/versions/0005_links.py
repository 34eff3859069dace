"""Faces and bibs together: what each face wears, which matches are links, and what is due."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# When a whole event is deleted nothing of it is due any more: the event is gone by then.
FACES = """
create function link_due_new_faces() returns trigger language plpgsql as $$
begin
  insert into link_due (event_id, photo_id) select distinct event_id, photo_id from new_face;
  return null;
end $$;
create trigger link_due_new_faces after insert on face
referencing new table as new_face for each statement execute function link_due_new_faces();

create function link_due_old_faces() returns trigger language plpgsql as $$
begin
  insert into link_due (event_id, photo_id, bib)
  select distinct event_id, photo_id, bib from old_face
  join event on event.id = event_id where bib is not null;
  return null;
end $$;
create trigger link_due_old_faces after delete on face
referencing old table as old_face for each statement execute function link_due_old_faces();
"""

TAGS = """
create function link_due_new_tags() returns trigger language plpgsql as $$
begin
  insert into link_due (event_id, photo_id)
  select distinct event_id, photo_id from new_tag where source <> 'linked';
  return null;
end $$;
create trigger link_due_new_tags after insert on bib_tag
referencing new table as new_tag for each statement execute function link_due_new_tags();
create trigger link_due_changed_tags after update on bib_tag
referencing new table as new_tag for each statement execute function link_due_new_tags();

create function link_due_old_tags() returns trigger language plpgsql as $$
begin
  insert into link_due (event_id, photo_id, bib)
  select distinct event_id, photo_id, bib from old_tag
  join event on event.id = event_id where source <> 'linked';
  return null;
end $$;
create trigger link_due_old_tags after delete on bib_tag
referencing old table as old_tag for each statement execute function link_due_old_tags();
"""

SWITCH = """
create function link_switched() returns trigger language plpgsql as $$
begin
  if new.link_faces then
    insert into link_due (event_id, photo_id)
    select event_id, id from photo where event_id = new.id and state = 'ready';
  else
    delete from bib_tag where event_id = new.id and source = 'linked';
    delete from selfie_match where event_id = new.id and linked;
  end if;
  return null;
end $$;
create trigger link_switched after update of link_faces on event
for each row when (old.link_faces is distinct from new.link_faces)
execute function link_switched();
"""

FILL = "insert into link_due (event_id, photo_id) select event_id, id from photo"


def upgrade() -> None:
    """Add the columns; all photos there are, are due."""
    op.add_column(
        "event",
        sa.Column("link_faces", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column("face", sa.Column("bib", sa.Text(), nullable=True))
    op.add_column(
        "face",
        sa.Column("bib_unclear", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_face_bib", "face", ["event_id", "bib"], postgresql_where=sa.text("bib is not null")
    )
    op.add_column(
        "selfie_match",
        sa.Column("linked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_bib_tag_linked",
        "bib_tag",
        ["event_id", "bib"],
        postgresql_where=sa.text("source = 'linked'"),
    )
    op.create_table(
        "link_due",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=False),
        sa.Column("bib", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_due")),
    )
    op.create_index("ix_link_due_event_id", "link_due", ["event_id", "id"])
    for script in (FACES, TAGS, SWITCH, FILL):
        op.get_bind().exec_driver_sql(script.replace("%", "%%"))
