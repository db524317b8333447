"""Watching: what a source said counts for a short while, and what isn't known is not so, in words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.errors import Unavailable
from bot.oncall.schedule import FILE
from bot.oncall.watch import FRESH, Watch
from bot.ports import Situation
from tests.unit.oncall.test_schedule import OLU, TENANT

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ROTA, STATUS = "https://rota.example.com/now", "https://status.example.com/now"
ON_CALL = frozenset({f"{TENANT}/{OLU}".lower()})
UNKNOWN = "Who is on call can't be learnt at the moment ({}), so nothing that depends on it is allowed."


class Sources:
    """What sources answer; an error is raised."""

    def __init__(self) -> None:
        self.now = NOW
        self.answers: dict[str, object] = {
            ROTA: {"on_call": [OLU]},
            STATUS: {"incident": "Mail is down"},
        }

    async def ask(self, address: str) -> object:
        answer = self.answers[address]
        if isinstance(answer, Exception):
            raise answer
        return answer


def watch(path: Path, sources: Sources) -> Watch:
    """Return a watch over both sources."""
    (path / FILE).write_text(f'tenant = "{TENANT}"\non_call = "{ROTA}"\nincident = "{STATUS}"\n')
    return Watch(path / FILE, lambda: sources.now, sources.ask)


async def test_what_the_sources_say_is_known(tmp_path: Path) -> None:
    watching = watch(tmp_path, Sources())
    await watching.refresh()
    assert watching.situation(NOW) == Situation(ON_CALL, "Mail is down")


def test_before_a_source_was_asked_it_is_unknown(tmp_path: Path) -> None:
    situation = watch(tmp_path, Sources()).situation(NOW)
    assert (situation.on_call, situation.incident, len(situation.unknown)) == (frozenset(), "", 2)
    assert situation.unknown[0] == UNKNOWN.format("it has not been asked yet")


async def test_a_source_that_falls_silent_is_believed_for_a_short_while(tmp_path: Path) -> None:
    sources = Sources()
    watching = watch(tmp_path, sources)
    await watching.refresh()
    sources.answers[ROTA] = Unavailable("rota.example.com doesn't answer")
    await watching.refresh()
    assert watching.situation(NOW + FRESH).on_call == ON_CALL
    later = watching.situation(NOW + FRESH + timedelta(microseconds=1))
    assert later.on_call == frozenset()
    assert later.unknown[0] == UNKNOWN.format("rota.example.com doesn't answer")


async def test_X17_an_answer_from_the_future_is_not_believed(tmp_path: Path) -> None:
    watching = watch(tmp_path, Sources())
    await watching.refresh()
    assert watching.situation(NOW - timedelta(seconds=1)).unknown[0] == UNKNOWN.format(
        "it last answered too long ago"
    )


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"on_call": None},
        {"on_call": OLU},
        {"on_call": ["olu"]},
        {"on_call": [{"id": OLU}]},
        "on call",
    ],
)
async def test_an_answer_of_another_form_makes_nobody_be_on_call(tmp_path: Path, answer: object) -> None:
    sources = Sources()
    sources.answers[ROTA] = answer
    watching = watch(tmp_path, sources)
    await watching.refresh()
    situation = watching.situation(NOW)
    assert situation.on_call == frozenset()
    assert len(situation.unknown) == 1


@pytest.mark.parametrize(("answer", "incident"), [({"incident": None}, ""), ({"incident": ""}, "")])
async def test_no_incident_is_an_answer_too(tmp_path: Path, answer: Mapping[str, object], incident: str) -> None:
    sources = Sources()
    sources.answers[STATUS] = answer
    watching = watch(tmp_path, sources)
    await watching.refresh()
    assert watching.situation(NOW) == Situation(ON_CALL, incident)


async def test_a_broken_file_makes_everything_unknown_until_it_is_mended(tmp_path: Path) -> None:
    watching = watch(tmp_path, Sources())
    good = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text("[[shift")
    await watching.refresh()
    assert "oncall.toml:1: This isn't valid TOML" in watching.situation(NOW).unknown[0]
    (tmp_path / FILE).write_text(good)
    await watching.refresh()
    assert watching.situation(NOW).on_call == ON_CALL
