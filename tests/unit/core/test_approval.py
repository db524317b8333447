"""The tally: distinct persons other than the requester, on this digest; a no ends it."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.core.approval import Tally, Vote, tally
from bot.core.principal import Who

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PERSONS = [Who("acme", f"p-{number}", f"Person {number}") for number in range(5)]
ANN = PERSONS[0]
DIGEST, OTHER = "a" * 64, "b" * 64

votes = st.lists(
    st.builds(Vote, st.sampled_from(PERSONS), st.booleans(), st.sampled_from([DIGEST, OTHER]), st.just(NOW)),
    max_size=8,
)
yeses = st.lists(
    st.builds(Vote, st.sampled_from(PERSONS), st.just(True), st.just(DIGEST), st.just(NOW)), max_size=8
)
needed = st.integers(1, 5)


def count(cast: list[Vote], number: int) -> Tally:
    return tally(tuple(cast), digest=DIGEST, requester=ANN, needed=number)


def yes(who: Who, digest: str = DIGEST) -> Vote:
    return Vote(who, True, digest, NOW)


@given(votes, needed)
def test_a_tally_counts_what_a_plain_set_counts(cast: list[Vote], number: int) -> None:
    heard = [vote for vote in cast if vote.digest == DIGEST and vote.approver.oid != ANN.oid]
    said_yes = {vote.approver.oid for vote in heard if vote.yes}
    denied = any(not vote.yes for vote in heard)
    counted = count(cast, number)
    assert {who.oid for who in counted.approvers} == said_yes
    assert len(counted.approvers) == len(said_yes)
    assert (counted.denied_by is not None) == denied
    assert counted.complete == (not denied and len(said_yes) >= number)
    assert counted.missing == max(0, number - len(said_yes))


@given(votes, needed, st.data())
def test_the_order_of_votes_makes_no_difference(cast: list[Vote], number: int, data: st.DataObject) -> None:
    one, other = count(cast, number), count(data.draw(st.permutations(cast)), number)
    assert set(one.approvers) == set(other.approvers)
    assert (one.denied_by is None, one.complete, one.missing) == (
        other.denied_by is None,
        other.complete,
        other.missing,
    )


@given(votes, st.booleans(), needed, st.data())
def test_P1_the_requesters_own_vote_changes_nothing(
    cast: list[Vote], says: bool, number: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(cast)))
    own = Vote(Who("ACME", "P-0", "Somebody else"), says, DIGEST, NOW)
    assert count([*cast[:place], own, *cast[place:]], number) == count(cast, number)


@given(yeses)
def test_P2_one_person_counts_once_however_often_they_vote(cast: list[Vote]) -> None:
    assert count(cast + cast, 5) == count(cast, 5)


def test_P2_a_person_with_two_spellings_and_two_names_is_one() -> None:
    twice = [yes(Who("acme", "p-1", "Max")), yes(Who("ACME", "P-1", "Max (Teams)"))]
    assert not count(twice, 2).complete
    assert count(twice, 2).missing == 1


def test_D2_the_same_object_id_in_another_tenant_is_somebody_else() -> None:
    assert count([yes(Who("acme", "p-1", "Max")), yes(Who("globex", "p-1", "Max"))], 2).complete


@given(
    st.lists(st.tuples(st.sampled_from(PERSONS[1:]), st.none() | st.sampled_from(PERSONS)), max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
)
def test_P12_each_right_and_each_person_counts_once_whoever_stands_in(
    cast: list[tuple[Who, Who | None]], void: list[bool]
) -> None:
    ballots = [
        Vote(who, True, DIGEST, NOW, holder=holder, void="Gone." if gone else "")
        for (who, holder), gone in zip(cast, void, strict=False)
        if who != holder
    ]
    counted = count(ballots, 5).counted
    used = [person for vote in counted for person in (vote.approver, vote.holder) if person]
    assert len(used) == len(set(used))
    assert ANN not in used
    assert not any(vote.void for vote in counted)
    own = {vote.approver for vote in ballots if not vote.void and vote.holder is None}
    assert own <= {vote.approver for vote in counted}


@given(yeses, needed)
def test_P3_void_votes_count_for_nothing(cast: list[Vote], number: int) -> None:
    assert count([replace(vote, void="Gone.") for vote in cast], number) == Tally((), None, number)


@given(votes, needed)
def test_P7_votes_on_another_digest_do_not_count(cast: list[Vote], number: int) -> None:
    stale = [Vote(vote.approver, vote.yes, OTHER, NOW) for vote in cast]
    assert count(cast + stale, number) == count(cast, number)
    assert count(stale, number) == Tally((), None, number)


@given(yeses, st.sampled_from(PERSONS[1:]), st.data())
def test_a_no_ends_it_however_many_said_yes(cast: list[Vote], who: Who, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(cast)))
    counted = count([*cast[:place], Vote(who, False, DIGEST, NOW), *cast[place:]], 1)
    assert counted.denied_by == who
    assert not counted.complete


def test_the_first_no_is_the_one_that_is_named() -> None:
    noes = [Vote(PERSONS[2], False, DIGEST, NOW), Vote(PERSONS[1], False, DIGEST, NOW)]
    assert count(noes, 1).denied_by == PERSONS[2]
