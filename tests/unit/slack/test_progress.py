"""A running script's last lines: one update at a time and conversation, the newest lines, and none too late."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import pytest

from bot.chat.slack.client import TooFast
from bot.chat.slack.progress import EARLY, Progress
from bot.core.card import Card
from bot.service.posts import Posted

PACE = 0.05
CARD = Card("It runs", run="R-1")


class Slack:
    """What is updated there, in its order; each update takes as long as `gate` is closed."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str, float]] = []
        self.fails: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def update(self, *, channel: str, ts: str, blocks: Any, text: str) -> None:
        await self.gate.wait()
        if self.fails:
            raise self.fails.pop(0)
        self.shown.append((channel, str(blocks), asyncio.get_running_loop().time()))

    async def until(self, look: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not look():
                await asyncio.sleep(0.001)

    def last(self, lines: str) -> bool:
        return bool(self.shown) and lines in self.shown[-1][1]


@pytest.fixture
async def slack() -> Slack:
    return Slack()


@pytest.fixture
async def progress(slack: Slack) -> AsyncIterator[Progress]:
    progress = Progress(slack.update, PACE)
    yield progress
    await progress.close()


async def test_of_many_lines_the_newest_are_shown_and_no_faster_than_the_pace(
    slack: Slack, progress: Progress
) -> None:
    progress.begin("R-1", Posted("C1", "1.1"), CARD)
    for number in range(100):
        progress.tell("R-1", f"line {number:03d}")
        await asyncio.sleep(0.002)
    await slack.until(lambda: slack.last("line 099"))
    times = [at for _, _, at in slack.shown]
    assert 2 <= len(times) <= 100 * 0.01 / PACE
    assert all(later - earlier >= PACE * 0.9 for earlier, later in pairwise(times))


async def test_two_runs_of_one_conversation_share_its_pace_and_another_conversation_has_its_own(
    slack: Slack, progress: Progress
) -> None:
    for run, conversation in (("R-1", "C1"), ("R-2", "C1"), ("R-3", "C2")):
        progress.begin(run, Posted(conversation, run), CARD)
        progress.tell(run, f"lines of {run}")
    await slack.until(lambda: len(slack.shown) == 3)
    assert [channel for channel, _, _ in slack.shown] == ["C1", "C2", "C1"]
    assert slack.shown[2][2] - slack.shown[0][2] >= PACE * 0.9


async def test_when_a_run_ends_the_update_on_its_way_arrives_first_and_no_other_follows(
    slack: Slack, progress: Progress
) -> None:
    progress.begin("R-1", Posted("C1", "1.1"), CARD)
    slack.gate.clear()
    progress.tell("R-1", "on its way")
    await asyncio.sleep(0.01)
    progress.tell("R-1", "too late")
    ending = asyncio.create_task(progress.end("R-1"))
    await asyncio.sleep(0.01)
    assert not ending.done()
    slack.gate.set()
    await ending
    progress.tell("R-1", "much too late")
    await asyncio.sleep(3 * PACE)
    assert [("late" in blocks, "on its way" in blocks) for _, blocks, _ in slack.shown] == [(False, True)]


async def test_lines_that_come_before_their_card_are_shown_with_it_and_not_those_of_too_many(
    slack: Slack, progress: Progress
) -> None:
    for number in range(EARLY + 1):
        progress.tell(f"R-{number}", "first lines")
        progress.tell(f"R-{number}", f"lines of {number}")
    for number in (0, 1, EARLY):
        progress.begin(f"R-{number}", Posted(f"C{number}", "1.1"), CARD)
    await slack.until(lambda: len(slack.shown) == 2)
    await asyncio.sleep(2 * PACE)
    assert [(one, f"lines of {one[1:]}" in blocks) for one, blocks, _ in slack.shown] == [
        ("C1", True),
        (f"C{EARLY}", True),
    ]


async def test_where_slack_wants_a_pause_the_newest_lines_are_shown_after_it(
    slack: Slack, progress: Progress
) -> None:
    progress.begin("R-1", Posted("C1", "1.1"), CARD)
    slack.fails.append(TooFast("chat.update", 0.3))
    asked = asyncio.get_running_loop().time()
    for lines in ("first", "second", "third"):
        progress.tell("R-1", lines)
        await asyncio.sleep(0.01)
    await slack.until(lambda: slack.shown)
    assert slack.last("third")
    assert slack.shown[0][2] - asked >= 0.29
