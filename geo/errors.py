"""The few kinds of error that users meet; the command line and the web turn them into answers."""


class AncuError(Exception):
    """An error whose message is written for the person who caused or must mend it."""


class UsageError(AncuError):
    """A setting, option or parameter is wrong."""


class NotFoundError(AncuError):
    """What was asked for does not exist."""


class RejectedError(AncuError):
    """Input was read and refused; nothing of it was stored.

    `problems` holds (line or None, reason) pairs, the first few of all of them.
    """

    def __init__(self, message: str, problems: list[tuple[int | None, str]] | None = None):
        super().__init__(message)
        self.problems = problems or []


class ConflictError(AncuError):
    """A record with the same identity and other content is already stored."""


class SignInError(AncuError):
    """Nobody is signed in, or not with what this needs; signing in helps."""


class ForbiddenError(AncuError):
    """The person who asks may not do this, or not there; signing in again does not help."""


class UnavailableError(AncuError):
    """Something that the service needs does not answer: the database, PostGIS, the network."""
