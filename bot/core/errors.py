"""Every error Deputy raises on purpose. Its text is a sentence for a person.

    DeputyError
    ├── Invalid       something given is wrong; `where` names file, line and field
    ├── Refused       a rule says no; `reasons` says why and what to do next
    │   └── Unlinked  a chat account that belongs to no known person (any more): it has to be linked
    ├── NotFound      no such thing, or none that this person may see
    ├── Conflict      somebody else was first: a compare-and-set was lost
    │   └── Busy      another run holds a lock that this one needs; it waits
    ├── Unavailable   a backend can't be reached or written
    └── Damaged       stored data doesn't hold: a hash, a seal, the database file

Backends map their own errors onto these; nothing else crosses a port.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class DeputyError(Exception):
    """A failure with a plain sentence for the person who sees it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class Invalid(DeputyError):
    """Something given is wrong. `where` is `file`, `file:line`, `file:line: field`, or empty.

    `others` is what else was found to be wrong along with it.
    """

    def __init__(self, sentence: str, where: str = "") -> None:
        super().__init__(f"{where}: {sentence}" if where else sentence)
        self.where = where
        self.others: tuple[Invalid, ...] = ()


class Refused(DeputyError):
    """A rule says no."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons: Sequence[str] = reasons


class Unlinked(Refused):
    """A chat account belongs to no known person, or was linked too long ago: no rights until it is."""


class NotFound(DeputyError):
    """No such thing, or none that this person may see: the two read alike on purpose."""


class Conflict(DeputyError):
    """A compare-and-set was lost: the state is another by now."""


class Busy(Conflict):
    """Another run holds a lock that this one needs: it waits, nothing is wrong."""


class Unavailable(DeputyError):
    """A backend can't be reached or written; nothing was done. `pause` is how many seconds it asks for."""

    def __init__(self, sentence: str, pause: float = 0.0) -> None:
        super().__init__(sentence)
        self.pause = pause


class Damaged(DeputyError):
    """Stored data doesn't hold."""


@contextmanager
def gathered() -> Iterator[list[Invalid]]:
    """Yield a list for faults; where it holds some at the end, raise the first, with the others."""
    faults: list[Invalid] = []
    yield faults
    if faults:
        faults[0].others = (*faults[0].others, *faults[1:])
        raise faults[0]


@contextmanager
def noted(faults: list[Invalid]) -> Iterator[None]:
    """Put a fault that is found meanwhile into `faults`, with its others."""
    try:
        yield
    except Invalid as fault:
        faults += (fault, *fault.others)
        fault.others = ()
