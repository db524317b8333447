"""Every error has a status; what is a kind of another has that one's."""

import pytest

from bot.core.errors import Conflict, Damaged, DeputyError, Invalid, NotFound, Refused, Unavailable, Unlinked
from bot.core.http_status import status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("x"), 400),
        (Refused("x"), 403),
        (Unlinked("x"), 403),
        (NotFound("x"), 404),
        (Conflict("x"), 409),
        (Unavailable("x"), 503),
        (Damaged("x"), 503),
    ],
)
def test_an_error_has_a_status(error: DeputyError, status: int) -> None:
    assert status_of(error) == status
