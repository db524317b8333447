"""The chain: whatever is done to a row of it, the check names the sequence number."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.audit import GENESIS, Draft, Entry, Tag, read_reference, seal, verify
from bot.core.principal import Who

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANN = Who("acme", "ann-1", "Ann")
MEAN = '",:{}[]\\\n\r\x00ab'

facts = st.dictionaries(st.text("abc", min_size=1), st.text() | st.integers(-9, 9) | st.none(), max_size=3)
drafts = st.builds(Draft, st.sampled_from(Tag), st.just(ANN), st.text(), st.just(NOON), facts)


def chained(facts: list[Draft], since: tuple[int, str] = (0, GENESIS)) -> list[Entry]:
    sequence, previous = since
    entries: list[Entry] = []
    for draft in facts:
        sequence += 1
        entries.append(seal(draft, sequence, previous))
        previous = entries[-1].hash
    return entries


chains = st.lists(drafts, min_size=2, max_size=8).map(chained)


def place_in(data: st.DataObject, entries: list[Entry], *, last: bool = True) -> int:
    return data.draw(st.integers(0, len(entries) - (1 if last else 2)), label="place")


@given(chains)
def test_an_untouched_chain_holds(entries: list[Entry]) -> None:
    verdict = verify(entries)
    assert (verdict.holds, verdict.broken_at, verdict.fault) == (len(entries), None, "")
    assert verdict.head == entries[-1].hash


@given(chains, st.data())
def test_a_chain_holds_part_by_part(entries: list[Entry], data: st.DataObject) -> None:
    cut = place_in(data, entries)
    first = verify(entries[:cut])
    assert verify(entries[cut:], since=(first.holds, first.head)).head == verify(entries).head


@given(chains, st.data())
def test_A1_a_deleted_row_is_named(entries: list[Entry], data: st.DataObject) -> None:
    place = place_in(data, entries, last=False)
    verdict = verify(entries[:place] + entries[place + 1 :])
    assert (verdict.holds, verdict.broken_at) == (place, place + 1)
    assert str(place + 1) in verdict.fault


EDITS: dict[str, Callable[[Entry], Any]] = {
    "at": lambda entry: entry.at + timedelta(microseconds=1),
    "tag": lambda entry: f"{entry.tag}!",
    "tenant": lambda entry: f"{entry.tenant}!",
    "actor": lambda entry: f"{entry.actor}!",
    "actor_name": lambda entry: f"{entry.actor_name}!",
    "subject": lambda entry: f"{entry.subject}!",
    "facts": lambda entry: {**entry.facts, "more": True},
    "previous": lambda entry: "f" * 64,
    "hash": lambda entry: "f" * 64,
    "sequence": lambda entry: entry.sequence + 1,
}


def test_the_edits_below_touch_every_field() -> None:
    assert set(EDITS) == set(Entry.__dataclass_fields__)


@pytest.mark.parametrize("field", EDITS)
@given(entries=chains, data=st.data())
def test_A1_an_edited_row_is_named(field: str, entries: list[Entry], data: st.DataObject) -> None:
    place = place_in(data, entries)
    edit = {field: EDITS[field](entries[place])}
    entries[place] = replace(entries[place], **edit)
    verdict = verify(entries)
    assert (verdict.holds, verdict.broken_at) == (place, place + 1)
    assert str(place + 1) in verdict.fault


@given(chains, st.data())
def test_A1_an_edit_with_a_hash_to_match_breaks_the_row_after_it(
    entries: list[Entry], data: st.DataObject
) -> None:
    place = place_in(data, entries, last=False)
    edited = replace(entries[place], subject=f"{entries[place].subject}!")
    entries[place] = replace(edited, hash=edited.computed())
    assert verify(entries).broken_at == place + 2


@given(chains, st.data())
def test_A1_an_edit_mended_in_the_row_after_it_breaks_that_row(entries: list[Entry], data: st.DataObject) -> None:
    place = place_in(data, entries, last=False)
    edited = replace(entries[place], subject=f"{entries[place].subject}!")
    entries[place] = replace(edited, hash=edited.computed())
    entries[place + 1] = replace(entries[place + 1], previous=entries[place].hash)
    assert verify(entries).broken_at == place + 2


@given(chains, drafts)
def test_A6_a_number_that_was_never_written_is_named(entries: list[Entry], draft: Draft) -> None:
    count = len(entries)
    verdict = verify([*entries, seal(draft, count + 2, entries[-1].hash)])
    assert (verdict.holds, verdict.broken_at) == (count, count + 1)


@given(chains, st.data())
def test_A1_two_rows_that_changed_places_are_named_at_the_first(entries: list[Entry], data: st.DataObject) -> None:
    one = place_in(data, entries, last=False)
    other = data.draw(st.integers(one + 1, len(entries) - 1), label="other")
    entries[one], entries[other] = entries[other], entries[one]
    assert verify(entries).broken_at == one + 1


@given(chains, drafts, st.data())
def test_A1_an_inserted_row_takes_a_number_that_is_named(
    entries: list[Entry], forged: Draft, data: st.DataObject
) -> None:
    place = place_in(data, entries)
    entries.insert(place, seal(forged, place + 1, entries[place].previous))
    assert verify(entries).broken_at == place + 1


@given(chains, st.data())
def test_A1_a_duplicated_row_is_named(entries: list[Entry], data: st.DataObject) -> None:
    place = place_in(data, entries)
    verdict = verify([*entries[: place + 1], *entries[place:]])
    assert (verdict.holds, verdict.broken_at) == (place + 1, place + 1)


@given(chains, st.data())
def test_A1_a_row_copied_to_any_place_ends_the_check_there(entries: list[Entry], data: st.DataObject) -> None:
    place, copied = place_in(data, entries), place_in(data, entries)
    entries.insert(place, entries[copied])
    verdict = verify(entries)
    assert verdict.broken_at is not None
    assert verdict.holds == place + (place == copied)


@given(chains, drafts, st.data())
def test_A2_a_truncated_and_continued_chain_has_another_head(
    entries: list[Entry], draft: Draft, data: st.DataObject
) -> None:
    kept = entries[: place_in(data, entries)]
    since = (len(kept), kept[-1].hash if kept else GENESIS)
    count = len(entries) - len(kept)
    forged = chained([replace(draft, subject=f"forged {number}") for number in range(count)], since)
    verdict = verify(kept + forged)
    assert verdict.broken_at is None
    assert verdict.head != verify(entries).head


@given(st.text(MEAN, min_size=1), st.data())
def test_A8_no_text_reaches_over_into_the_next_field(text: str, data: st.DataObject) -> None:
    one, other = data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True))

    def sealed(cut: int) -> str:
        actor = Who("acme", "ann-1", text[:cut])
        return seal(Draft(Tag.RUN_STARTED, actor, text[cut:], NOON), 1, GENESIS).hash

    assert sealed(one) != sealed(other)


@given(st.text(MEAN, min_size=1), st.data())
def test_A8_no_fact_makes_another_facts_bytes(text: str, data: st.DataObject) -> None:
    one, other = data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True))

    def sealed(cut: int) -> str:
        written = {"reason": text[:cut], "summary": text[cut:]}
        return seal(Draft(Tag.RUN_STARTED, ANN, "R-1", NOON, written), 1, GENESIS).hash

    assert sealed(one) != sealed(other)


def test_A8_a_fact_that_looks_like_an_entry_stays_a_fact() -> None:
    real = seal(Draft(Tag.RUN_STARTED, ANN, "R-1", NOON, {"reason": "x", "state": "failed"}), 1, GENESIS)
    fake = seal(Draft(Tag.RUN_STARTED, ANN, "R-1", NOON, {"reason": 'x","state":"failed'}), 1, GENESIS)
    line = seal(Draft(Tag.RUN_STARTED, ANN, "R-1", NOON, {"reason": "x\nAUD-000002"}), 1, GENESIS)
    assert len({real.hash, fake.hash, line.hash}) == 3


@given(drafts, st.integers(1, 10**12 - 1))
def test_a_reference_is_read_back(draft: Draft, sequence: int) -> None:
    entry = seal(draft, sequence, GENESIS)
    expected = (sequence, entry.hash[:6])
    assert read_reference(entry.reference) == expected
    assert read_reference(f" {entry.reference.lower()} ") == expected


def test_a_reference_looks_like_the_one_in_the_design() -> None:
    entry = replace(chained([Draft(Tag.RUN_STARTED, ANN, "R-1", NOON)])[0], sequence=123, hash="9f3a2c" + "0" * 58)
    assert entry.reference == "AUD-000123-9f3a2c"


def test_a_reference_may_leave_out_zeros_and_hash() -> None:
    assert read_reference("AUD-123") == (123, "")


@pytest.mark.parametrize(
    "text", ["", "AUD", "AUD-", "AUD-x", "AUD-1-9f3a2", "AUD-1-9f3a2cc", "R-7K3M9QX4", "AUD-1 2"]
)
def test_what_is_no_reference_reads_as_none(text: str) -> None:
    assert read_reference(text) is None
