"""Links that are switched on again are looked for on all photos: one that failed when it was read
again still has what was known of it."""

from alembic import op

revision = "0022"
down_revision = "0021"

SWITCH = """
create or replace function link_switched() returns trigger language plpgsql as $$
begin
  delete from link_due where event_id = new.id;
  if new.link_faces then
    insert into link_due (event_id, photo_id)
    select event_id, id from photo where event_id = new.id;
  else
    delete from bib_tag where event_id = new.id and source = 'linked';
    delete from selfie_match where event_id = new.id and linked;
  end if;
  return null;
end $$;
"""


def upgrade() -> None:
    """Change the function of the trigger."""
    op.execute(SWITCH)
