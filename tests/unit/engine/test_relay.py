"""Lines of running scripts for every process: the newest of each run, in words that PostgreSQL takes."""

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from bot.core.run import Place
from bot.engine.relay import LONGEST, Relay, word

PLACE = Place("slack", "C0OPS")
PACE = 0.05


class Line:
    """What was sent, and a relay that sends it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.relay = Relay(self.send, PACE)

    async def send(self, said: str) -> None:
        self.sent.append(said)

    @property
    def heard(self) -> list[tuple[str, str]]:
        heard: list[tuple[str, str]] = []
        self.relay.hear(lambda place, run, lines: heard.append((run, lines)))
        for one in self.sent:
            self.relay.heard(one)
        return heard


async def test_of_many_lines_the_newest_of_each_run_are_said_once_in_a_pace() -> None:
    line = Line()
    for number in range(50):
        for run in ("R-1", "R-2"):
            line.relay.progress(PLACE, run, f"line {number}")
        await asyncio.sleep(0.002)
    await asyncio.sleep(2 * PACE)
    assert line.heard[-2:] == [("R-1", "line 49"), ("R-2", "line 49")]
    assert 4 <= len(line.sent) <= 2 * (2 + 50 * 0.02 / PACE)
    await line.relay.close()


async def test_a_closed_relay_says_no_more() -> None:
    line = Line()
    line.relay.progress(PLACE, "R-1", "line")
    await line.relay.close()
    await asyncio.sleep(PACE)
    assert line.sent == []


@given(st.text(max_size=12_000) | st.text(st.sampled_from("\n\U0001f600"), min_size=3_000, max_size=4_000))
def test_a_word_is_short_enough_for_postgresql_and_keeps_the_last_lines(lines: str) -> None:
    said = word(PLACE, "R-1", lines)
    assert said.isascii()
    assert len(said) <= LONGEST
    *where, kept = json.loads(said)
    assert where == ["slack", "C0OPS", "R-1"]
    assert lines.endswith(kept)
    assert bool(kept) == bool(lines) or lines.endswith("\n")


def test_what_no_deputy_said_is_passed_over() -> None:
    line = Line()
    line.sent = ["", "{}", "[]", "[1, 2]", "null", "7", word(PLACE, "R-1", "line")]
    assert line.heard == [("R-1", "line")]
