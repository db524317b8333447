"""What goes wrong as an HTTP status (RFC 9110, section 15), for every door that speaks HTTP."""

from collections.abc import Mapping

from bot.core.errors import Conflict, Damaged, DeputyError, Invalid, NotFound, Refused, Unavailable

_STATUS: Mapping[type[DeputyError], int] = {
    Invalid: 400,
    Refused: 403,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
    Damaged: 503,
}


def status_of(error: DeputyError) -> int:
    """Return the status of an error, or of what it is a kind of."""
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
