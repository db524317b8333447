"""Whether the disk is quick: then the event loop waits for it itself, which costs less than another thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

QUICK = 0.003  # seconds that a wait may take and still hold nobody up
SHORTEST, LONGEST = 0.5, 60.0  # seconds in which a disk that was slow is not tried again


class Disk:
    """Remembers how long the disk took. One that is slow again and again is tried ever more seldom."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._again = clock()
        self._pause = SHORTEST

    @property
    def quick(self) -> bool:
        """Say whether to wait for it on the event loop."""
        return self._clock() >= self._again

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Watch how long the disk takes for as long as the context lasts."""
        begun = self._clock()
        try:
            yield
        finally:
            self._note(self._clock() - begun)

    def _note(self, took: float) -> None:
        if took <= QUICK:
            self._pause = SHORTEST
            return
        self._again = self._clock() + self._pause
        self._pause = min(self._pause * 2, LONGEST)
