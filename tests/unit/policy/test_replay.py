"""Replaying the log: other policies are asked exactly what was asked then, and every difference is found."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.cli.replaying import report
from bot.core.audit import GENESIS, Draft, Entry, Tag, seal
from bot.core.canonical import Json
from bot.core.decision import Permit, untold
from bot.core.principal import Who
from bot.policy.cedar import CedarPolicy
from bot.policy.replay import REFUSED, Gone, Replayed, replay
from tests.unit.policy.samples import NOW, SHIPPED, catalog

ANN, MAX, OLU = Who("acme", "ann", "Ann"), Who("acme", "max", "Max"), Who("acme", "olu", "Olu")
LONG_AGO = NOW - timedelta(days=40)


class Log:
    """A log being written."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, tag: Tag, who: Who, run: str, at: datetime = NOW, **facts: Json) -> None:
        previous = self.entries[-1].hash if self.entries else GENESIS
        self.entries.append(seal(Draft(tag, who, run, at, facts), len(self.entries) + 1, previous))

    def ask(
        self,
        tag: Tag,
        who: Who,
        run: str,
        action: str,
        *roles: str,
        at: datetime = NOW,
        arguments: Mapping[str, Json] | None = None,
        break_glass: bool = False,
        **facts: Json,
    ) -> None:
        request: Json = {
            "action": action,
            "arguments": arguments or {"account": "alice"},
            "door": "chat",
            "break_glass": break_glass,
        }
        self.write(tag, who, run, at, action=action, request=request, roles=list(roles), **facts)


def changed(tmp_path: Path, old: str = "", new: str = "") -> CedarPolicy:
    """Return the shipped policies with one text in place of another."""
    found = False
    for path in SHIPPED.iterdir():
        text = path.read_text()
        found |= old in text
        (tmp_path / path.name).write_text(text.replace(old, new) if old else text)
    assert found
    return CedarPolicy(tmp_path)


def again(policy: CedarPolicy, log: Log) -> list[Replayed | Gone]:
    """Replay the last 30 days."""
    return list(replay(policy.bench(), catalog(), log.entries, NOW - timedelta(days=30)))


def ranks(policy: CedarPolicy, log: Log) -> list[tuple[int, int]]:
    return [(one.before, one.after) for one in again(policy, log) if isinstance(one, Replayed)]


@pytest.fixture
def log() -> Log:
    """Return what an ordinary day writes."""
    written = Log()
    written.ask(Tag.REQUEST_PERMITTED, ANN, "R-0", "unlock-account", "helpdesk", at=LONG_AGO)
    written.ask(Tag.REQUEST_PERMITTED, ANN, "R-1", "unlock-account", "helpdesk")
    written.ask(Tag.REQUEST_NEEDS_APPROVAL, ANN, "R-2", "reset-password", "helpdesk", approvals_needed=1)
    written.write(Tag.REQUEST_APPROVED, MAX, "R-2", action="reset-password", roles=["manager"], vote="yes")
    written.write(Tag.RUN_STARTED, Who("deputy", "deputy"), "R-2", action="reset-password")
    written.ask(Tag.REQUEST_REFUSED, OLU, "R-3", "show-account", "oncall")
    return written


def test_by_the_same_policies_everything_is_the_same(log: Log) -> None:
    policy = CedarPolicy(SHIPPED)
    assert ranks(policy, log) == [(0, 0), (1, 1), (0, 0), (REFUSED, REFUSED)]
    assert list(report(again(policy, log))) == []


def test_a_tightened_rule_names_who_loses_and_the_runs_it_would_have_stopped(tmp_path: Path, log: Log) -> None:
    tightened = changed(tmp_path, 'resource.risk == "change" && context.approvals >= 1', "false")
    lines = list(report(again(tightened, log)))
    assert lines[0] == "Who loses"
    assert lines[1].split() == ["Ann", "reset-password", "1", "×", "1", "approval", "→", "refused"]
    assert lines[2] == "Runs that would have been refused"
    assert lines[3].split()[0] == "R-2"
    assert "No policy lets Helpdesk run this action." in lines[3]
    assert len(lines) == 4


def test_a_loosened_rule_names_who_gains(tmp_path: Path, log: Log) -> None:
    loosened = changed(tmp_path, 'principal in Deputy::Role::"helpdesk"', "principal")
    lines = list(report(again(loosened, log)))
    assert [line.split() for line in lines] == [
        ["Who", "gains"],
        ["Olu", "show-account", "1", "×", "refused", "→", "at", "once"],
    ]


def test_an_approval_that_would_not_count_is_named(tmp_path: Path, log: Log) -> None:
    policy = changed(tmp_path, 'principal in Deputy::Role::"manager"', 'principal in Deputy::Role::"engineer"')
    lines = list(report(again(policy, log)))
    at = lines.index("Approvals that would not have counted")
    assert lines[at + 1].split()[0] == "R-2"
    assert "Max" in lines[at + 1]


def test_an_approval_in_somebodys_place_is_left_out(log: Log) -> None:
    log.write(Tag.APPROVAL_GRANTED, OLU, "R-2", action="reset-password", roles=["oncall"], in_place_of="acme/max")
    assert len(again(CedarPolicy(SHIPPED), log)) == 4


def test_an_approval_after_it_had_waited_for_long_counts_as_it_did_then(log: Log) -> None:
    log.ask(Tag.REQUEST_NEEDS_APPROVAL, ANN, "R-8", "reset-password", "helpdesk", approvals_needed=1)
    log.write(Tag.APPROVAL_ESCALATED, Who("deputy", "deputy"), "R-8", action="reset-password")
    log.write(Tag.REQUEST_APPROVED, OLU, "R-8", action="reset-password", roles=["engineer"], vote="yes")
    assert list(report(again(CedarPolicy(SHIPPED), log))) == []


def test_who_approves_is_on_call_as_they_were_then(tmp_path: Path, log: Log) -> None:
    policy = changed(
        tmp_path,
        "when { context.escalated || context.delegated };",
        "when { context.onCall && context has incident };",
    )
    for run, on_call in (("R-7", True), ("R-8", False)):
        log.ask(Tag.REQUEST_NEEDS_APPROVAL, ANN, run, "reset-password", "helpdesk", approvals_needed=1)
        vote: dict[str, Json] = {"action": "reset-password", "roles": ["engineer"], "incident": "Mail is down"}
        log.write(Tag.REQUEST_APPROVED, OLU, run, **vote, on_call=on_call)
    (_, *refused) = report(again(policy, log))
    assert [line.split()[0] for line in refused] == ["R-8"]


def test_what_was_unknown_then_is_so_again(log: Log) -> None:
    log.ask(
        *(Tag.REQUEST_NEEDS_APPROVAL, OLU, "R-8", "restart-service", "engineer"),
        arguments={"service": "mail"},
        approvals_needed=1,
        unknown=["Who is on call can't be learnt."],
    )
    last = again(CedarPolicy(SHIPPED), log)[-1]
    assert isinstance(last, Replayed)
    assert (last.before, last.after, untold(last.decision)) == (1, 1, ("Who is on call can't be learnt.",))


def test_time_arguments_and_what_went_on_are_those_of_then() -> None:
    log = Log()
    frozen = datetime.fromisoformat("2025-12-24T09:00:00Z")
    log.ask(Tag.REQUEST_REFUSED, ANN, "R-1", "unlock-account", "helpdesk", at=frozen)
    years = {"path": "/srv", "days": 400}
    log.ask(
        Tag.REQUEST_NEEDS_APPROVAL, OLU, "R-2", "clean-old-files", "oncall", arguments=years, approvals_needed=1
    )
    log.ask(
        *(Tag.REQUEST_PERMITTED, OLU, "R-3", "restart-service", "engineer"),
        arguments={"service": "mail"},
        on_call=True,
        incident="Mail is down",
    )
    log.ask(Tag.REQUEST_NEEDS_APPROVAL, OLU, "R-4", "unlock-account", "helpdesk", agent=True, approvals_needed=1)
    found = list(replay(CedarPolicy(SHIPPED).bench(), catalog(), log.entries, frozen))
    assert [one.after for one in found if isinstance(one, Replayed)] == [REFUSED, 1, 0, 1]


def test_an_emergency_counts_against_the_next_one_until_it_is_reviewed() -> None:
    log, policy = Log(), CedarPolicy(SHIPPED)
    for number in range(3):
        log.ask(Tag.REQUEST_PERMITTED, OLU, f"R-{number}", "clean-old-files", "oncall", break_glass=True)
        log.write(Tag.RUN_STARTED, Who("deputy", "deputy"), f"R-{number}", action="clean-old-files")
        if number == 1:
            log.write(Tag.EMERGENCY_REVIEWED, MAX, "R-0", finding="fine")
            log.write(Tag.EMERGENCY_REVIEWED, MAX, "R-1", finding="fine")
    assert [after for _, after in ranks(policy, log)] == [0, REFUSED, 0]


def test_what_the_catalogue_no_longer_has_is_told(log: Log) -> None:
    log.ask(Tag.REQUEST_PERMITTED, ANN, "R-9", "paint-it-black", "helpdesk")
    found = again(CedarPolicy(SHIPPED), log)
    assert found[-1] == Gone("R-9", "paint-it-black")
    assert list(report(found))[-1].split() == ["paint-it-black", "1", "decision"]


def test_entries_of_another_form_are_no_decisions() -> None:
    log = Log()
    log.write(Tag.SECRET_SET, ANN, "directory", version=1)
    log.write(Tag.REQUEST_PERMITTED, ANN, "R-1", request="none", action="look")
    log.write(Tag.APPROVAL_GRANTED, MAX, "R-unknown", roles=["manager"])
    assert [type(one) for one in again(CedarPolicy(SHIPPED), log)] == [Gone, Gone]


def test_a_decision_says_which_policies_made_it(log: Log) -> None:
    first = again(CedarPolicy(SHIPPED), log)[0]
    assert isinstance(first, Replayed)
    assert isinstance(first.decision, Permit)
    assert [reason.policy for reason in first.decision.reasons] == ["helpdesk-unlocks-accounts"]
