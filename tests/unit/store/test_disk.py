"""The event loop waits for a quick disk only."""

from dataclasses import dataclass

from bot.store.disk import LONGEST, QUICK, SHORTEST, Disk


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def wait(disk: Disk, clock: Clock, seconds: float) -> None:
    with disk.timed():
        clock.now += seconds


def test_a_disk_is_taken_for_quick_until_it_was_slow() -> None:
    clock = Clock()
    disk = Disk(clock)
    assert disk.quick
    wait(disk, clock, QUICK / 2)
    assert disk.quick
    wait(disk, clock, QUICK * 2)
    assert not disk.quick


def test_a_slow_disk_is_tried_again_after_a_while_and_ever_more_seldom() -> None:
    clock = Clock()
    disk = Disk(clock)
    pauses = []
    for _ in range(12):
        wait(disk, clock, 1.0)
        slow_at = clock.now
        while not disk.quick:
            clock.now += SHORTEST / 4
        pauses.append(clock.now - slow_at)
    assert pauses[:3] == [SHORTEST, 2 * SHORTEST, 4 * SHORTEST]
    assert pauses[-1] == LONGEST


def test_one_that_was_quick_again_is_forgiven() -> None:
    clock = Clock()
    disk = Disk(clock)
    wait(disk, clock, 1.0)
    clock.now += SHORTEST
    wait(disk, clock, 0.0)
    wait(disk, clock, 1.0)
    clock.now += SHORTEST
    assert disk.quick
