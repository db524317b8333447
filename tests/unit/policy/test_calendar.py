"""calendar.toml: business hours and freezes in a time zone, to the minute, and every slip named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.decision import Deny, Permit
from bot.core.errors import Invalid
from bot.policy import calendar
from bot.policy.cedar import CedarPolicy
from tests.unit.policy.samples import NOW, PERMIT_ALL, action, ask, folder, person

BERLIN = """
zone = "Europe/Berlin"
business_hours = ["08:00", "18:00"]
holidays = [2026-12-25]

[[freeze]]
name = "Year-end closing"
from = 2026-12-18
until = 2027-01-06
reason = "Finance closes the books."
"""
FROZEN = (
    '@id("rest") @reason("Changes rest: {freeze}.") forbid (principal, action, resource) '
    "when { context has freeze };"
)


def moment(text: str) -> calendar.Moment:
    """Return how a moment in UTC looks in Berlin."""
    return calendar.parse(BERLIN).at(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("utc", "business"),
    [
        ("2026-11-23T06:59", False),
        ("2026-11-23T07:00", True),
        ("2026-11-23T16:59", True),
        ("2026-11-23T17:00", False),
        ("2026-11-22T09:00", False),
        ("2026-12-25T09:00", False),
        ("2026-07-01T06:00", True),
        ("2026-07-01T16:00", False),
    ],
    ids=["early", "opens", "last", "closed", "sunday", "holiday", "summer time", "summer evening"],
)
def test_business_hours_are_those_of_the_zone(utc: str, business: bool) -> None:
    assert moment(utc).business is business


@pytest.mark.parametrize(
    ("utc", "frozen"),
    [
        ("2026-12-17T22:59:59.999", False),
        ("2026-12-17T23:00", True),
        ("2027-01-06T22:59:59.999", True),
        ("2027-01-06T23:00", False),
    ],
)
def test_a_freeze_of_days_is_from_midnight_to_midnight(utc: str, frozen: bool) -> None:
    assert moment(utc).freeze == ("Year-end closing" if frozen else "")


def test_X17_hours_and_weekdays_are_those_of_the_zone(tmp_path: Path) -> None:
    rule = PERMIT_ALL.replace(";", " when { context.hour == 0 && context.weekday == 2 };")
    policy = CedarPolicy(folder(tmp_path, rule, calendar__toml='zone = "Europe/Berlin"'))
    night = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert isinstance(policy.decide(ask(person(), action("x"), now=night)), Permit)
    assert isinstance(policy.decide(ask(person(), action("x"), now=night - timedelta(hours=1))), Deny)


def test_a_freeze_is_told_in_its_own_words(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL, FROZEN, calendar__toml=BERLIN))
    assert isinstance(policy.decide(ask(person(), action("x"))), Permit)
    decision = policy.decide(ask(person(), action("x"), now=datetime(2026, 12, 24, tzinfo=UTC)))
    assert isinstance(decision, Deny)
    assert decision.reasons[0].sentence == (
        "Changes rest: Year-end closing, until 7 Jan 2027, 00:00 (Europe/Berlin): Finance closes the books."
    )


def test_without_a_calendar_it_is_never_business_time_and_nothing_rests() -> None:
    found = calendar.parse("").at(NOW)
    assert (found.business, found.freeze, found.local.hour) == (False, "", 9)


def test_P10_a_new_freeze_is_a_new_version(tmp_path: Path) -> None:
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL))
    before = policy.version()
    (tmp_path / calendar.FILE).write_text(BERLIN)
    assert policy.version() != before


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("Europe/Berlin", "Berlin", 2, "“zone” takes a time zone"),
        ("Europe/Berlin", "../etc/passwd", 2, "“zone” takes a time zone"),
        ('"18:00"', '"07:00"', 3, "“business_hours” takes"),
        ('"18:00"', "18", 3, "“business_hours” takes"),
        ("holidays", "free_days", 4, "“free_days” is unknown"),
        ("[2026-12-25]", "2026-12-25", 4, "“holidays” takes"),
        ("[2026-12-25]", '["2026-12-25"]', 4, "“holidays” takes"),
        ("reason", "because", 6, "has no “reason”"),
        ("reason", 'why = "x"\nreason', 10, "“why” is unknown"),
        ("2027-01-06", "2026-11-06", 9, "ends before it begins"),
        ("2027-01-06", "9999-12-31", 9, "beyond what a calendar holds"),
        ("2027-01-06", '"soon"', 9, "“until” takes a day"),
        ('"Finance closes the books."', '""', 10, "“reason” takes words"),
        ("[[freeze]]", "[freeze]", 6, "a table of its own"),
        ("[[freeze]]", "[[freeze", 6, "isn't valid TOML"),
    ],
)
def test_a_slip_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in BERLIN
    policy = CedarPolicy(folder(tmp_path, PERMIT_ALL, calendar__toml=BERLIN.replace(old, new)))
    with pytest.raises(Invalid, match=rf"calendar\.toml:{line}: .*{words}"):
        policy.version()
    assert isinstance(policy.decide(ask(person(), action("x"))), Deny)


def test_every_slip_in_a_freeze_is_named_at_once() -> None:
    text = BERLIN.replace("until = 2027-01-06", 'until = "soon"\nwhy = 1').replace('"Year-end closing"', "1")
    with pytest.raises(Invalid) as fault:
        calendar.parse(text.replace("reason", "because"))
    lines = [one.where.rpartition(":")[2] for one in (fault.value, *fault.value.others)]
    assert sorted(lines) == sorted(["6", "7", "9", "10", "11"])


def test_freezes_that_overlap_are_one() -> None:
    other = '[[freeze]]\nname = "Move"\nfrom = 2027-01-06T12:00:00Z\nuntil = 2027-01-10\nreason = "x"\n'
    with pytest.raises(Invalid, match=r"calendar\.toml:12: .*overlap: make them one"):
        calendar.parse(f"{BERLIN}\n{other}")
