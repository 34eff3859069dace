"""The dashboard's routes."""

from __future__ import annotations

from starlette.routing import Route

from fotofinish.web.dashboard.account_page import AccountPage
from fotofinish.web.dashboard.developer import DeveloperPage
from fotofinish.web.dashboard.direct_upload import DirectUploadCalls
from fotofinish.web.dashboard.event_deletion import EventDeletion
from fotofinish.web.dashboard.event_list import EventList
from fotofinish.web.dashboard.event_page import EventPage
from fotofinish.web.dashboard.gallery_page import GalleryPage, read_picture_form
from fotofinish.web.dashboard.ids import register_ids
from fotofinish.web.dashboard.numbers_page import NumbersPage
from fotofinish.web.dashboard.people import JoiningPage, PeoplePage
from fotofinish.web.dashboard.photo_grid import PhotoGrid
from fotofinish.web.dashboard.photo_page import PhotoPage
from fotofinish.web.dashboard.removal_page import RemovalPage
from fotofinish.web.dashboard.setting_up import SettingUp
from fotofinish.web.dashboard.shell import Shell
from fotofinish.web.dashboard.signing_in import SigningIn
from fotofinish.web.dashboard.startlist_page import StartlistPage, read_list_form
from fotofinish.web.dashboard.upload_page import UploadPage
from fotofinish.web.dashboard.watermark_page import WatermarkPage


def dashboard_routes() -> list[Route]:
    """Every route of the dashboard, with what they share; `app.state.services` serves them all."""
    register_ids()
    shell = Shell()
    door, events, event = SigningIn(shell), EventList(shell), EventPage(shell)
    keys = DeveloperPage(shell)
    upload, grid, photo = UploadPage(shell), PhotoGrid(shell), PhotoPage(shell)
    direct = DirectUploadCalls()
    set_up, people, joining = SettingUp(shell), PeoplePage(shell), JoiningPage(shell)
    startlist = StartlistPage(shell)
    numbers = NumbersPage(shell)
    account, deletion = AccountPage(shell), EventDeletion(shell)
    gallery, mark, removal = GalleryPage(shell), WatermarkPage(shell), RemovalPage(shell)
    page, form, call = shell.page, shell.form, shell.call
    return [
        Route("/sign-in", door.ask, methods=["GET"]),
        Route("/sign-in", door.sign_in, methods=["POST"]),
        Route("/sign-out", form(door.sign_out), methods=["POST"]),
        Route("/", page(events.show), methods=["GET"]),
        Route("/events/new", page(events.ask), methods=["GET"]),
        Route("/events", form(events.create), methods=["POST"]),
        Route("/events/{event_id:id}", page(event.show), methods=["GET"]),
        Route("/events/{event_id:id}/live", page(event.live), methods=["GET"]),
        Route("/events/{event_id:id}/retry", form(event.retry), methods=["POST"]),
        Route("/events/{event_id:id}/settings", page(event.ask), methods=["GET"]),
        Route("/events/{event_id:id}/settings", form(event.save), methods=["POST"]),
        Route("/events/{event_id:id}/photos", page(grid.show), methods=["GET"]),
        Route("/events/{event_id:id}/photos/part", page(grid.part), methods=["GET"]),
        Route("/events/{event_id:id}/photos/marks", page(grid.marks), methods=["GET"]),
        Route("/events/{event_id:id}/photos/change", form(grid.change), methods=["POST"]),
        Route("/events/{event_id:id}/photos/{photo_id:uuid}", page(photo.show), methods=["GET"]),
        Route(
            "/events/{event_id:id}/photos/{photo_id:uuid}/original",
            page(photo.original),
            methods=["GET"],
        ),
        Route(
            "/events/{event_id:id}/photos/{photo_id:uuid}", form(photo.correct), methods=["POST"]
        ),
        Route("/events/{event_id:id}/numbers", page(numbers.show), methods=["GET"]),
        Route("/events/{event_id:id}/delete", page(deletion.ask), methods=["GET"]),
        Route("/events/{event_id:id}/delete", form(deletion.delete), methods=["POST"]),
        Route("/events/{event_id:id}/upload", page(upload.show), methods=["GET"]),
        Route("/events/{event_id:id}/uploads", call(upload.begin), methods=["POST"]),
        Route("/events/{event_id:id}/uploads/known", call(upload.known), methods=["POST"]),
        Route(
            "/events/{event_id:id}/uploads/{upload_id:uuid}",
            call(upload.handle),
            methods=["HEAD", "PATCH", "DELETE"],
        ),
        Route("/events/{event_id:id}/direct", call(direct.begin), methods=["POST"]),
        Route("/events/{event_id:id}/direct/check", call(direct.check), methods=["POST"]),
        Route(
            "/events/{event_id:id}/direct/{upload_id:uuid}", call(direct.go_on), methods=["POST"]
        ),
        Route(
            "/events/{event_id:id}/direct/{upload_id:uuid}/finish",
            call(direct.finish),
            methods=["POST"],
        ),
        Route("/events/{event_id:id}/startlist", page(startlist.show), methods=["GET"]),
        Route(
            "/events/{event_id:id}/startlist",
            form(startlist.replace, read_list_form),
            methods=["POST"],
        ),
        Route(
            "/events/{event_id:id}/startlist/preview",
            form(startlist.preview, read_list_form),
            methods=["POST"],
        ),
        Route("/events/{event_id:id}/startlist/remove", form(startlist.remove), methods=["POST"]),
        Route("/events/{event_id:id}/startlist/correct", form(startlist.correct), methods=["POST"]),
        Route("/events/{event_id:id}/removals", page(removal.show), methods=["GET"]),
        Route("/events/{event_id:id}/removals", form(removal.settle), methods=["POST"]),
        Route("/events/{event_id:id}/gallery", page(gallery.show), methods=["GET"]),
        Route("/events/{event_id:id}/gallery", form(gallery.save), methods=["POST"]),
        Route("/events/{event_id:id}/gallery/link", form(gallery.renew_link), methods=["POST"]),
        Route(
            "/events/{event_id:id}/gallery/picture",
            form(gallery.set_picture, read_picture_form, gallery.refuse_picture),
            methods=["POST"],
        ),
        Route(
            "/events/{event_id:id}/watermark/picture",
            form(mark.set_picture, read_picture_form, mark.refuse_picture),
            methods=["POST"],
        ),
        Route("/events/{event_id:id}/gallery/sheet", page(gallery.sheet), methods=["GET"]),
        Route("/events/{event_id:id}/gallery/qr.{kind}", page(gallery.qr_code), methods=["GET"]),
        Route("/events/{event_id:id}/gallery/{kind}.png", page(gallery.picture), methods=["GET"]),
        Route("/events/{event_id:id}/watermark", page(mark.show), methods=["GET"]),
        Route("/events/{event_id:id}/watermark", form(mark.save), methods=["POST"]),
        Route("/events/{event_id:id}/watermark/preview", page(mark.preview), methods=["GET"]),
        Route("/developer", page(keys.show), methods=["GET"]),
        Route("/developer/keys", form(keys.create), methods=["POST"]),
        Route("/developer/keys/{key_id:id}/switch", form(keys.switch), methods=["POST"]),
        Route("/developer/keys/{key_id:id}/delete", form(keys.delete), methods=["POST"]),
        Route("/set-up", shell.open_page(set_up.ask), methods=["GET"]),
        Route("/set-up", shell.open_form(set_up.settle), methods=["POST"]),
        Route("/join", shell.open_page(joining.ask), methods=["GET"]),
        Route("/join", shell.open_form(joining.join), methods=["POST"]),
        Route("/people", page(people.show), methods=["GET"]),
        Route("/people/invitations", form(people.invite), methods=["POST"]),
        Route(
            "/people/invitations/{invitation_id:uuid}/revoke", form(people.revoke), methods=["POST"]
        ),
        Route("/people/{account_id:uuid}/role", form(people.set_role), methods=["POST"]),
        Route("/people/{account_id:uuid}/remove", form(people.remove), methods=["POST"]),
        Route("/account", page(account.show), methods=["GET"]),
        Route("/account/password", form(account.set_password), methods=["POST"]),
        Route("/account/sessions/end-others", form(account.end_others), methods=["POST"]),
        Route("/account/sessions/{session_id:uuid}/end", form(account.end), methods=["POST"]),
        Route("/static/{name}", shell.static.serve, methods=["GET"]),
    ]
