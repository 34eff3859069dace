"""The domain's exceptions, and the HTTP status each one answers with.

Raised where the fact is known; turned into HTTP in one place (`web/errors.py`) and into a line on
the terminal in another (`cli/command.py`). The message is for people: no stack, SQL, secret or
server path.
"""


class FotofinishError(Exception):
    """Base of everything this package raises on purpose."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(FotofinishError):
    """The request is not of the documented form at all (not JSON, no upload, no UUID)."""

    status = 400


class NotAuthenticated(FotofinishError):
    """No credentials came with the request."""

    status = 401


class NotAllowed(FotofinishError):
    """The credentials are wrong, or do not reach this organisation, event or feature."""

    status = 403


class NotFound(FotofinishError):
    """There is no such thing, or not any more."""

    status = 404


class TooSlow(FotofinishError):
    """What was announced did not arrive in time."""

    status = 408


class Conflict(FotofinishError):
    """It clashes with what is already there."""

    status = 409


class TooLarge(FotofinishError):
    """More bytes or pixels than the settings allow."""

    status = 413


class UploadBusy(Conflict):
    """Another request writes to this upload; a little later it may be free."""

    status = 423


class InvalidValue(FotofinishError):
    """Well-formed, but a value is out of its range."""

    status = 422


class RateExceeded(FotofinishError):
    """A key made more requests than its rate allows; `wait` in seconds, until the next may come."""

    status = 429

    def __init__(self, wait: float) -> None:
        super().__init__("Too many requests with this key. Try again after a pause.")
        self.wait = wait


class ReaderBusy(FotofinishError):
    """More selfies are waiting than will be read soon."""

    status = 429


class NoRoom(FotofinishError):
    """So much is being sent at once that there is no memory for more."""

    status = 503


class StorageFull(FotofinishError):
    """The disk has no room left."""

    status = 507


class UnsupportedFormat(FotofinishError):
    """The bytes are not a photo of a kind we take; the message names the kind if known."""

    status = 400


class UndecodablePhoto(FotofinishError):
    """The photo is damaged or hostile; the message says what is wrong in plain words."""

    status = 400


class StorageError(FotofinishError):
    """The object store did not do what was asked; the message names no secret."""

    status = 503


class StorageRefused(StorageError):
    """The object store answers that it will not: no such bucket, other credentials. Waiting does
    not mend it."""


class ObjectMissing(StorageError):
    """There is no object under this key."""

    status = 404


class ModelError(FotofinishError):
    """A model file is missing or is not the one we know (checksum)."""


class SettingsError(FotofinishError):
    """A setting has a value we cannot work with; the message says how to mend it."""
