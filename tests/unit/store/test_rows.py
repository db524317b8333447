"""Values survive the way into a row and back, and damaged rows are named."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import canonical
from bot.core.approval import Vote
from bot.core.background import Background, FileChange, Past
from bot.core.errors import Damaged, Invalid
from bot.core.principal import Who
from bot.core.request import Request
from bot.core.run import Outcome, Place, Run, State
from bot.store.rows import UNREADABLE, moment, read_entry, read_run, run_row
from tests.unit.store.values import NOW, a_run

text = st.text(st.characters(), max_size=20)  # lone surrogates and control characters too
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC) | zones
)
moments = moments.map(lambda at: at.replace(fold=0))  # no zone here has an hour that comes twice
names = st.dictionaries(text, text, max_size=3)
whos = st.builds(Who, text, text, text)
texts = st.lists(text, max_size=3).map(tuple)
whole = st.integers(-(2**53) + 1, 2**53 - 1)
values = text | whole | st.booleans() | texts
results = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
requests = st.builds(
    Request,
    requester=whos,
    action=text,
    arguments=st.dictionaries(text, values, max_size=4),
    target=text,
    script=text,
    interpreter=text,
    policy_version=text,
    expires_at=moments,
    nonce=text,
    door=text,
    libraries=names,
    verify=st.none() | text,
    credentials=names,
    reason=text,
)
votes = st.builds(Vote, whos, st.booleans(), text, moments, text, texts, st.none() | whos, text)
backgrounds = st.builds(
    Background,
    since=text,
    before=names,
    after=names,
    changes=st.lists(st.builds(FileChange, text, text, whole, whole, st.booleans()), max_size=2).map(tuple),
    past=st.lists(st.builds(Past, moments, text, text, text), max_size=2).map(tuple),
)
runs = st.builds(
    Run,
    id=text,
    request=requests,
    digest=text,
    title=text,
    risk=text,
    place=st.builds(Place, text, text),
    state=st.sampled_from(State),
    created=moments,
    private=st.booleans(),
    idempotent=st.booleans(),
    needed=whole,
    approver_roles=texts,
    seats=texts,
    votes=st.lists(votes, max_size=3).map(tuple),
    reasons=texts,
    policies=texts,
    could=texts,
    reminded=st.booleans(),
    escalated=st.booleans(),
    background=backgrounds,
    attempt=whole,
    worker=text,
    started=st.none() | moments,
    ended=st.none() | moments,
    ended_by=st.none() | whos,
    outcome=st.builds(
        Outcome, result=results, seconds=st.floats(0, 1e6), output=text, verified=st.none() | st.booleans()
    ),
    revision=whole,
    rerun_of=text,
    comparable=st.booleans(),
    labels=names,
)


@given(runs)
@settings(max_examples=40)
def test_a_run_comes_back_from_its_row_as_it_was(run: Run) -> None:
    back = read_run(run.id, run_row(run)["document"])

    assert back == run
    assert repr(back) == repr(run)  # equality leaves the names of persons out, and 1 == True


def test_the_columns_beside_the_document_are_what_is_searched_by() -> None:
    row = run_row(a_run("R-9", requester=Who("Contoso", "O-1", "Olga")))

    assert (row["id"], row["requester"], row["action"]) == ("R-9", "contoso/o-1", "unlock-account")
    assert (row["state"], row["revision"]) == ("queued", 1)


@pytest.mark.parametrize("document", ["", "{", "[]", "null", "{}", '{"id": "R-1"}', "[" * 10_000])
def test_a_document_that_is_no_run_is_named_as_damaged(document: str) -> None:
    with pytest.raises(Damaged, match="R-1"):
        read_run("R-1", document)


@pytest.mark.parametrize("field", ["state", "created", "place", "votes", "request"])
def test_a_run_with_an_impossible_field_is_named_as_damaged(field: str) -> None:
    document = json.loads(run_row(a_run())["document"]) | {field: "impossible"}

    with pytest.raises(Damaged, match="R-1"):
        read_run("R-1", json.dumps(document))


@given(st.dictionaries(text, results, max_size=3) | results, st.booleans(), st.booleans())
def test_A1_only_facts_in_canonical_form_are_readable(facts: Any, escaped: bool, spaced: bool) -> None:
    written = json.dumps(
        facts, ensure_ascii=escaped, sort_keys=True, separators=(", ", ":") if spaced else (",", ":")
    )
    row = (1, NOW.isoformat(), *["text"] * 5, written, "", "")

    try:
        canonical_text = canonical.encode(facts).decode() if isinstance(facts, dict) else None
    except Invalid:
        canonical_text = None
    read = read_entry(row)  # type: ignore[arg-type]

    assert (read.facts == UNREADABLE) == (written != canonical_text)
    assert read.facts in (UNREADABLE, facts)


@given(moments, moments)
def test_moments_sort_as_text_as_they_do_in_time(one: datetime, other: datetime) -> None:
    assert (moment(one) < moment(other)) == (one < other)
