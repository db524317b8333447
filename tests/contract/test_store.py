"""What every store promises: a new one is one more parameter of the fixture `store`."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.action import Script
from bot.core.approval import Absence
from bot.core.audit import GENESIS
from bot.core.errors import Busy, Conflict, DeputyError, Invalid, NotFound
from bot.core.linking import LIFE, Link, Linking, Stage
from bot.core.principal import Account, Who
from bot.core.run import Place, State
from bot.ports import Change, Delivery, Output, Waiting
from bot.store.database import SqlStore, open_store
from tests.fakes.postgres import Cluster
from tests.unit.store.values import (
    NOW,
    OLGA,
    PLACE,
    SCRIPT,
    a_change,
    a_draft,
    a_post,
    a_run,
    a_secret,
    verified,
)

LATER = NOW + timedelta(minutes=1)


def sqlite(request: pytest.FixtureRequest) -> Path | str:
    folder: Path = request.getfixturevalue("tmp_path")
    return folder / "deputy.db"


def postgresql(request: pytest.FixtureRequest) -> Path | str:
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.database(request.getfixturevalue("template")))


@pytest.fixture(params=[sqlite, postgresql], ids=lambda one: one.__name__)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[SqlStore]:
    store = await open_store(request.param(request))
    yield store
    await store.close()


def keys(waiting: list[Waiting]) -> list[str]:
    return [one.post.key for one in waiting]


# ---- one change ----------------------------------------------------------------------------------


async def test_all_of_a_change_is_there_afterwards(store: SqlStore) -> None:
    run, output, secret = a_run(), Output("R-1", "done"), a_secret()
    delivery = Delivery("d-1", "c" * 64)

    change = a_change(
        run, posts=(a_post(),), scripts=(SCRIPT,), output=output, delivery=delivery, secrets=(secret,)
    )
    (entry,) = await store.commit(change)

    assert await store.run("R-1") == run
    assert [one.computed() for one in await store.entries()] == [entry.hash]
    assert await store.head() == (1, entry.hash)
    assert [one.post.card.audit for one in await store.outbox(NOW)] == [entry.reference]
    assert await store.script(SCRIPT.sha) == SCRIPT.content
    assert await store.output("R-1") == output
    assert await store.delivered_before(delivery) == "R-1"
    assert await store.secret("directory") == secret


@pytest.mark.parametrize(
    "part",
    [
        {"run": a_run("R-0")},
        {"run": a_run("R-2", revision=4)},
        {"delivery": Delivery("d-0", "c")},
        {"secrets": (a_secret("old"),)},
        {"rewrapped": (a_secret("gone"),)},
    ],
    ids=["run exists", "run is at another revision", "delivered before", "secret exists", "secret is gone"],
)
async def test_A7_of_a_change_that_conflicts_nothing_is_there_afterwards(
    store: SqlStore, part: dict[str, object]
) -> None:
    before = a_change(a_run("R-0"), delivery=Delivery("d-0", "c"), secrets=(a_secret("old"),))
    await store.commit(before)
    head = await store.head()
    whole = a_change(a_run(), posts=(a_post(),), scripts=(SCRIPT,), delivery=Delivery("d-1", "c"))

    with pytest.raises(Conflict, match=r"[nN]othing was done"):
        await store.commit(replace(whole, **{"secrets": (a_secret(),), **part}))

    assert await store.head() == head
    assert len(await store.entries()) == 1
    assert await store.outbox(NOW) == []
    assert await store.delivered_before(Delivery("d-1", "c")) is None
    assert await store.secret("directory") is None
    assert [run.id for run in await store.runs()] == ["R-0"]
    with pytest.raises(NotFound):
        await store.script(SCRIPT.sha)


async def test_a_new_run_may_come_with_its_first_two_steps_and_hold_a_lock_from_then_on(store: SqlStore) -> None:
    begun = a_run("R-1", state=State.RUNNING, revision=2)
    entries = (a_draft(), a_draft())
    change = Change(entries=entries, run=begun, steps=2, locks=("account:alice",), limits={"action look": 1})
    written = await store.commit(change)

    assert await store.run("R-1") == begun
    assert [entry.hash for entry in await store.entries()] == [entry.hash for entry in written]
    assert (await verified(store)).holds == 2
    with pytest.raises(Busy):
        await store.commit(a_change(a_run("R-2", state=State.RUNNING), locks=("account:alice",)))
    with pytest.raises(Busy):
        await store.commit(a_change(a_run("R-2", state=State.RUNNING), limits={"action look": 1}))
    await store.commit(a_change(replace(begun, state=State.SUCCEEDED, revision=3, started=NOW)))
    await store.commit(a_change(a_run("R-2", state=State.RUNNING), locks=("account:alice",)))


async def test_X13_of_two_who_write_a_new_run_with_its_start_one_does(store: SqlStore) -> None:
    begun = replace(a_change(a_run("R-1", state=State.RUNNING, revision=2)), steps=2)
    answers = await asyncio.gather(store.commit(begun), store.commit(begun), return_exceptions=True)

    assert [isinstance(answer, Conflict) for answer in answers] == [False, True]
    with pytest.raises(Conflict):
        await store.commit(replace(begun, run=a_run("R-1", state=State.RUNNING, revision=5)))


async def test_A7_a_step_that_breaks_halfway_leaves_nothing(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("bot.store.outbox.put", crash)
    with pytest.raises(MemoryError):
        await store.commit(a_change(a_run(), posts=(a_post(),)))

    assert await store.runs() == []
    assert await store.head() == (0, GENESIS)


async def test_half_a_character_is_refused_and_nothing_is_written(store: SqlStore) -> None:
    for change in (a_change(output=Output("R-1", "\ud800")), Change((a_draft(reason="\ud800"),))):
        with pytest.raises(Invalid, match="half of a character"):
            await store.commit(change)

    assert await store.head() == (0, GENESIS)


async def test_a_conflict_takes_no_change_along_that_is_written_at_the_same_time(store: SqlStore) -> None:
    await store.commit(a_change(a_run("R-0")))

    answers = await asyncio.gather(
        *(store.commit(a_change(a_run(f"R-{number % 5}"))) for number in range(10)), return_exceptions=True
    )

    assert sum(isinstance(answer, Conflict) for answer in answers) == 6
    assert {run.id for run in await store.runs()} == {f"R-{number}" for number in range(5)}
    assert (await verified(store)).holds == 5


async def test_what_was_called_off_before_its_turn_is_not_written(store: SqlStore) -> None:
    commits = [asyncio.create_task(store.commit(a_change(a_run(f"R-{number}")))) for number in range(3)]
    await asyncio.sleep(0)
    commits[1].cancel()

    await asyncio.gather(*commits, return_exceptions=True)

    assert {run.id for run in await store.runs()} == {"R-0", "R-2"}
    assert (await verified(store)).holds == 2


# ---- runs ----------------------------------------------------------------------------------------


async def test_P5_of_fifty_commits_of_one_revision_exactly_one_wins(store: SqlStore) -> None:
    await store.commit(a_change(a_run()))
    rivals = [a_run(revision=2, worker=f"w-{number}") for number in range(50)]

    answers = await asyncio.gather(*(store.commit(a_change(run)) for run in rivals), return_exceptions=True)

    (winner,) = [run for run, answer in zip(rivals, answers, strict=True) if not isinstance(answer, Conflict)]
    assert await store.run("R-1") == winner
    assert (await verified(store)).holds == 2


async def test_a_lock_is_held_until_its_run_is_no_longer_running(store: SqlStore) -> None:
    first, second = a_run("R-1", state=State.RUNNING, started=NOW), a_run("R-2", state=State.RUNNING, started=NOW)
    await store.commit(a_change(first, locks=("account:alice", "target:dc1")))
    with pytest.raises(Busy):
        await store.commit(a_change(second, locks=("target:dc1", "account:bob")))
    with pytest.raises(NotFound):
        await store.run("R-2")
    await store.commit(a_change(a_run("R-3", state=State.RUNNING, started=NOW), locks=("account:bob",)))
    await store.commit(a_change(replace(first, state=State.INTERRUPTED, revision=2)))
    await store.commit(a_change(second, locks=("target:dc1",)))
    assert (await store.run("R-2")).state is State.RUNNING


async def test_an_unknown_run_is_not_found(store: SqlStore) -> None:
    with pytest.raises(NotFound, match="R-404"):
        await store.run("R-404")


async def test_runs_come_newest_first_by_state_and_requester(store: SqlStore) -> None:
    bob = Who("contoso", "o-2", "Bob")
    for run in (
        a_run("R-1", state=State.FAILED),
        a_run("R-2", requester=bob),
        a_run("R-3", created=NOW - timedelta(days=1)),
    ):
        await store.commit(a_change(run))

    async def found(**by: object) -> list[str]:
        return [run.id for run in await store.runs(**by)]  # type: ignore[arg-type]

    assert await found() == ["R-3", "R-2", "R-1"]
    assert await found(limit=2) == ["R-3", "R-2"]
    assert await found(states=[State.QUEUED]) == ["R-3", "R-2"]
    assert await found(states=iter([State.FAILED, State.QUEUED])) == ["R-3", "R-2", "R-1"]
    assert await found(requester=Who("CONTOSO", "O-1")) == ["R-3", "R-1"]
    assert await found(requester=bob, states=[State.FAILED]) == []


async def test_a_run_is_found_by_its_new_state_after_a_change(store: SqlStore) -> None:
    await store.commit(a_change(a_run()))
    await store.commit(a_change(a_run(state=State.RUNNING, revision=2)))

    assert await store.runs(states=[State.QUEUED]) == []
    assert [run.revision for run in await store.runs(states=[State.RUNNING])] == [2]


async def test_usage_counts_one_persons_runs_by_action(store: SqlStore) -> None:
    for number, action in enumerate(("unlock-account", "unlock-account", "disk-usage")):
        await store.commit(a_change(a_run(f"R-{number}", action=action)))
    await store.commit(a_change(a_run("R-9", requester=Who("contoso", "o-2"))))

    assert await store.usage(OLGA) == {"unlock-account": 2, "disk-usage": 1}


async def test_a_script_is_kept_once_however_often_it_is_asked_for(store: SqlStore) -> None:
    other = Script("renamed.py", SCRIPT.content)
    await store.commit(a_change(scripts=(SCRIPT, SCRIPT)))
    await store.commit(a_change(scripts=(other,)))

    assert await store.script(SCRIPT.sha) == SCRIPT.content


async def test_an_output_replaces_the_one_of_an_earlier_attempt(store: SqlStore) -> None:
    private = Output("R-1", sealed=b"\x00\xff", expires=LATER)
    await store.commit(a_change(a_run(), output=Output("R-1", "first")))
    await store.commit(a_change(output=private))

    assert await store.output("R-1") == private
    assert await store.output("R-2") is None


async def test_outputs_are_forgotten_when_their_time_is_over(store: SqlStore) -> None:
    for name, expires in (("R-1", NOW), ("R-2", LATER), ("R-3", None)):
        await store.commit(a_change(a_run(name), output=Output(name, "text", expires=expires)))

    assert await store.forget_outputs(NOW) == 1
    assert await store.output("R-1") is None
    assert await store.output("R-2")
    assert await store.output("R-3")


async def test_resealing_replaces_what_is_sealed_unless_it_is_another_by_now(store: SqlStore) -> None:
    first, second = (Output(run, sealed=run.encode(), expires=LATER) for run in ("R-1", "R-2"))
    for output in (first, second, Output("R-3", "plain")):
        await store.commit(a_change(a_run(output.run), output=output))
    assert await store.sealed_outputs() == [first, second]

    newer = Output("R-2", sealed=b"of another attempt", expires=LATER)
    await store.commit(a_change(output=newer))
    await store.commit(a_change(resealed=((first, b"anew"), (second, b"never"))))

    assert await store.sealed_outputs() == [Output("R-1", sealed=b"anew", expires=LATER), newer]


# ---- the inbox -----------------------------------------------------------------------------------


async def test_I8_a_delivery_is_acted_on_once_however_often_it_comes(store: SqlStore) -> None:
    deliveries = [a_change(a_run(f"R-{number}"), delivery=Delivery("d-1", "c")) for number in range(20)]

    answers = await asyncio.gather(*(store.commit(change) for change in deliveries), return_exceptions=True)

    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert len(await store.runs()) == 1


async def test_W3_the_same_delivery_leads_to_the_same_run_and_another_content_is_refused(store: SqlStore) -> None:
    assert await store.delivered_before(Delivery("d-1", "c")) is None
    await store.commit(a_change(a_run(), delivery=Delivery("d-1", "c")))
    await store.commit(Change((), delivery=Delivery("d-2", "c")))

    assert await store.delivered_before(Delivery("d-1", "c")) == "R-1"
    assert await store.delivered_before(Delivery("d-2", "c")) == ""
    with pytest.raises(Conflict, match="another content"):
        await store.delivered_before(Delivery("d-1", "x"))


# ---- the audit chain -----------------------------------------------------------------------------


async def test_A6_two_hundred_parallel_appends_leave_no_gap_and_no_fork(store: SqlStore) -> None:
    commits = [Change((a_draft(f"R-{number}"), a_draft(f"R-{number}"))) for number in range(100)]

    written = await asyncio.gather(*(store.commit(change) for change in commits))

    assert sorted(entry.sequence for pair in written for entry in pair) == list(range(1, 201))
    verdict = await verified(store)
    assert (verdict.holds, verdict.broken_at) == (200, None)
    assert await store.head() == (200, verdict.head)


async def test_a_clock_set_back_breaks_no_chain(store: SqlStore) -> None:
    await store.commit(Change((a_draft(), replace(a_draft(), at=NOW - timedelta(hours=1)))))

    assert (await verified(store)).broken_at is None


async def test_entries_are_read_page_by_page_and_by_subject(store: SqlStore) -> None:
    await store.commit(Change(tuple(a_draft(subject) for subject in ("R-1", "R-2", "R-1", "R-1"))))

    async def found(**by: object) -> list[int]:
        return [entry.sequence for entry in await store.entries(**by)]  # type: ignore[arg-type]

    assert await found() == [1, 2, 3, 4]
    assert await found(after=1, limit=2) == [2, 3]
    assert await found(subject="R-1", after=1) == [3, 4]
    assert await found(after=4) == []


async def test_A8_a_NUL_within_a_fact_comes_back(store: SqlStore) -> None:
    (written,) = await store.commit(Change((a_draft(reason="a\x00b"),)))

    assert (await store.entries())[0].facts == {"reason": "a\x00b"}
    assert (await verified(store)).head == written.hash


@pytest.mark.parametrize("text", ["a\nb\r\x1b", '{"x": 1}', "ünïcødé 🎉", "\u2028' OR 1=1 --"])
async def test_A8_a_fact_comes_back_as_it_was_whatever_it_holds(store: SqlStore, text: str) -> None:
    (written,) = await store.commit(Change((a_draft(text, reason=text),)))

    (read,) = await store.entries(subject=text)

    assert read == written
    assert (await verified(store)).holds == 1


# ---- the outbox ----------------------------------------------------------------------------------


async def test_only_the_newest_post_of_a_key_and_place_is_due(store: SqlStore) -> None:
    elsewhere = Place("local", "other")
    posts = (a_post("R-1", "old"), a_post("R-2"), a_post("R-1", "new"), a_post("R-1", place=elsewhere))
    await store.commit(a_change(posts=posts[:2]))
    await store.commit(a_change(posts=posts[2:]))

    due = list(await store.outbox(NOW))

    assert keys(due) == ["R-2", "R-1", "R-1"]
    assert [one.post.card.title for one in due][1] == "new"
    assert keys(list(await store.outbox(NOW, limit=1))) == ["R-2"]


async def test_a_post_comes_back_as_it_was_but_for_its_audit_reference(store: SqlStore) -> None:
    post = a_post(only="contoso/o-1")
    stamped = replace(a_post("other"), card=replace(post.card, audit="AUD-000007-abcdef"))
    (entry,) = await store.commit(a_change(posts=(post, stamped)))

    first, second = await store.outbox(NOW)

    assert first.post == replace(post, card=replace(post.card, audit=entry.reference))
    assert (second.post, second.attempts) == (stamped, 0)


async def test_R10_a_postponed_post_waits_and_none_of_its_run_overtakes_it(store: SqlStore) -> None:
    posts = (a_post("R-1", run="R-1"), a_post("R-1:result", run="R-1"), a_post("R-2", run="R-2"), a_post("note"))
    await store.commit(a_change(posts=posts))
    first = (await store.outbox(NOW))[0]

    await store.postpone(first.id, LATER)

    assert keys(list(await store.outbox(NOW))) == ["R-2", "note"]
    due = list(await store.outbox(LATER))
    assert keys(due) == ["R-1", "R-1:result", "R-2", "note"]
    assert [one.attempts for one in due] == [1, 0, 0, 0]


async def test_a_delivered_post_is_not_due_again(store: SqlStore) -> None:
    await store.commit(a_change(posts=(a_post("R-1"), a_post("R-2"))))
    first, second = await store.outbox(NOW)

    await store.posted([first.id])
    await store.postpone(first.id, NOW)

    assert [one.id for one in await store.outbox(LATER)] == [second.id]


async def test_a_post_overtaken_by_a_newer_one_while_it_was_delivered_stays_overtaken(store: SqlStore) -> None:
    await store.commit(a_change(posts=(a_post(title="old"),)))
    (old,) = await store.outbox(NOW)
    await store.commit(a_change(posts=(a_post(title="new"),)))

    await store.postpone(old.id, LATER)

    assert [one.post.card.title for one in await store.outbox(LATER)] == ["new"]


# ---- the vault's rows ----------------------------------------------------------------------------


async def test_the_newest_version_of_a_secret_is_found_where_none_is_named(store: SqlStore) -> None:
    first, second, other = a_secret(), a_secret(version=2), a_secret("mail")
    await store.commit(a_change(secrets=(second, other, first)))

    assert await store.secret("directory") == second
    assert await store.secret("directory", 1) == first
    assert await store.secret("directory", 3) is None
    assert await store.secrets() == [second, other]
    assert await store.all_secret_rows() == [first, second, other]


async def test_of_two_who_set_the_same_version_one_loses(store: SqlStore) -> None:
    rivals = [a_change(secrets=(a_secret(ciphertext=text),)) for text in (b"one", b"two")]

    answers = await asyncio.gather(*(store.commit(change) for change in rivals), return_exceptions=True)

    assert sum(isinstance(answer, Conflict) for answer in answers) == 1


async def test_rewrapping_replaces_the_wrapped_key_and_nothing_else(store: SqlStore) -> None:
    await store.commit(a_change(secrets=(a_secret(), a_secret(version=2))))

    new = a_secret(key_id="key-2", wrapped_key=b"anew", ciphertext=b"never", created=LATER)
    await store.commit(a_change(rewrapped=(new,)))

    assert await store.secret("directory", 1) == a_secret(key_id="key-2", wrapped_key=b"anew")
    assert await store.secret("directory", 2) == a_secret(version=2)


async def test_removing_a_secret_removes_its_versions_and_those_of_the_same_change(store: SqlStore) -> None:
    await store.commit(a_change(secrets=(a_secret(), a_secret("mail"))))

    await store.commit(a_change(secrets=(a_secret(version=2),), removed_secrets=("directory", "unknown")))

    assert await store.all_secret_rows() == [a_secret("mail")]


# ---- absences ------------------------------------------------------------------------------------

MIA, MAX = Who("contoso", "o-2", "Mia"), Who("contoso", "o-3", "Max")


async def test_an_absence_lasts_until_its_moment_those_that_end_first_before_the_others(store: SqlStore) -> None:
    long, short = Absence(OLGA, MIA, NOW + timedelta(days=2)), Absence(MIA, MAX, NOW + timedelta(days=1))
    await store.commit(a_change(away=long))
    await store.commit(a_change(away=short))

    assert await store.absences(NOW) == [short, long]
    assert [one.deputy.name for one in await store.absences(NOW)] == ["Max", "Mia"]
    assert await store.absences(short.until) == [long]
    assert await store.absences(long.until) == []


async def test_a_new_absence_takes_the_place_of_the_last_and_who_is_back_has_none(store: SqlStore) -> None:
    await store.commit(a_change(away=Absence(OLGA, MIA, LATER)))
    await store.commit(a_change(away=Absence(Who("CONTOSO", "O-1"), MAX, LATER)))
    assert [one.deputy for one in await store.absences(NOW)] == [MAX]

    await store.commit(a_change(back=OLGA))

    assert await store.absences(NOW) == []


async def test_the_runs_of_one_action_are_found_newest_first(store: SqlStore) -> None:
    for number, action in enumerate(("unlock", "reset", "unlock")):
        await store.commit(a_change(a_run(f"R-{number}", action=action)))

    assert [run.id for run in await store.runs(action="unlock")] == ["R-2", "R-0"]
    assert [run.id for run in await store.runs(action="unlock", limit=1)] == ["R-2"]
    assert await store.runs(action="other") == []


# ---- links ---------------------------------------------------------------------------------------

SLACK = Account("slack", "T1/U1", "olga")


def a_linking(ticket: str = "t-1", account: Account = SLACK, **changed: Any) -> Linking:
    return replace(Linking(account, ticket, NOW), **changed)


async def test_a_link_is_found_by_its_account_and_by_its_person(store: SqlStore) -> None:
    link = Link(SLACK, OLGA, NOW)
    other = Link(Account("teams", "29:1x"), OLGA, LATER)
    await store.commit(a_change(link=other))
    await store.commit(a_change(link=link))
    await store.commit(a_change(link=Link(Account("slack", "T1/U2"), Who("contoso", "o-2"), NOW)))

    assert await store.link(SLACK) == link
    assert await store.links(Who("CONTOSO", "O-1")) == [link, other]
    assert (await store.links(OLGA))[0].account.id == "T1/U1"
    assert await store.link(Account("slack", "T1/U3")) is None


async def test_D6_an_account_spelt_otherwise_has_the_same_link(store: SqlStore) -> None:
    await store.commit(a_change(link=Link(Account("Slack", " t1/u1"), OLGA, NOW)))
    await store.commit(a_change(link=Link(SLACK, Who("contoso", "o-2"), LATER)))

    assert await store.links(OLGA) == []
    found = await store.link(Account("SLACK", "T1/u1 "))
    assert found
    assert (found.who, found.since) == (Who("contoso", "o-2"), LATER)


async def test_a_link_that_was_taken_back_is_gone(store: SqlStore) -> None:
    await store.commit(a_change(link=Link(SLACK, OLGA, NOW)))

    await store.commit(a_change(unlinked=Account("slack", "t1/u1")))

    assert await store.link(SLACK) is None


async def test_a_linking_comes_back_as_it_went(store: SqlStore) -> None:
    account = Account("teams", "29:1x", "Olga", OLGA)
    flow = {"state": "s", "scope": ["openid"], "claims_challenge": None}
    first = a_linking(account=account)
    full = replace(
        first, stage=Stage.SIGNED_IN, browser="b", flow=flow, who=OLGA, code="7K3M9Q", misses=2, revision=2
    )
    await store.commit(Change((), linking=first))
    await store.commit(Change((), linking=full))

    assert await store.linking(account) == full
    found = await store.linking_by("t-1")
    assert found
    assert (found.account.name, found.account.who, found.who) == ("Olga", OLGA, OLGA)
    assert await store.linking_by("t-2") is None


async def test_a_new_linking_takes_the_place_of_its_accounts_last_and_of_those_that_are_over(
    store: SqlStore,
) -> None:
    other = Account("slack", "T1/U2")
    await store.commit(Change((), linking=a_linking()))
    await store.commit(Change((), linking=a_linking("t-2", other)))
    await store.commit(Change((), linking=a_linking("t-3", since=NOW + LIFE - timedelta(microseconds=1))))

    assert await store.linking_by("t-1") is None
    assert await store.linking(other)
    await store.commit(Change((), linking=a_linking("t-4", Account("slack", "T1/U3"), since=NOW + LIFE)))
    assert await store.linking(other) is None


async def test_of_two_who_take_the_same_step_of_a_linking_one_loses(store: SqlStore) -> None:
    await store.commit(Change((), linking=a_linking()))
    rivals = [Change((), linking=a_linking(browser=name, revision=2)) for name in ("one", "two")]

    answers = await asyncio.gather(*(store.commit(change) for change in rivals), return_exceptions=True)

    assert sum(isinstance(answer, Conflict) for answer in answers) == 1


async def test_a_step_of_a_linking_that_was_replaced_is_lost_with_all_that_goes_with_it(store: SqlStore) -> None:
    await store.commit(Change((), linking=a_linking()))
    await store.commit(Change((), linking=a_linking("t-2")))

    with pytest.raises(Conflict, match="newer link"):
        await store.commit(a_change(linking=a_linking(revision=2), link=Link(SLACK, OLGA, NOW)))

    assert await store.link(SLACK) is None
    assert await store.entries() == []


# ---- the timeline --------------------------------------------------------------------------------


async def test_the_same_card_again_changes_no_message(store: SqlStore) -> None:
    post = a_post(only="contoso/o-1")
    first = await store.show(post, NOW)

    assert await store.show(post, LATER) == first
    assert (first.version, first.card, first.only, first.at) == (1, post.card, post.only, NOW)
    assert await store.messages(PLACE) == [first]


async def test_another_card_updates_its_message_in_place(store: SqlStore) -> None:
    first = await store.show(a_post(title="old", only="contoso/o-1"), NOW)
    await store.say(PLACE, "Olga", "hello", "m-1", NOW)

    second = await store.show(a_post(title="new", only="contoso/o-1"), LATER)

    assert (second.id, second.version, second.at, second.only) == (first.id, 2, NOW, "contoso/o-1")
    assert [message.card.title if message.card else message.text for message in await store.messages(PLACE)] == [
        "new",
        "hello",
    ]


async def test_a_message_is_seen_by_those_whom_its_newest_card_is_for(store: SqlStore) -> None:
    await store.show(a_post(), NOW)

    assert (await store.show(a_post(only="contoso/o-1"), NOW)).only == "contoso/o-1"


async def test_words_said_twice_under_one_key_are_there_once(store: SqlStore) -> None:
    said = await asyncio.gather(*(store.say(PLACE, "Olga", f"text {n}", "m-1", NOW) for n in range(5)))

    assert len(set(said)) == 1
    assert await store.messages(PLACE) == [said[0]]
    assert (said[0].author, said[0].text, said[0].card) == ("Olga", "text 0", None)


async def test_the_newest_messages_of_a_place_come_in_order(store: SqlStore) -> None:
    for number in range(5):
        await store.say(PLACE, "Olga", str(number), f"m-{number}", NOW)
    await store.say(Place("local", "other"), "Olga", "elsewhere", "m-1", NOW)

    assert [message.text for message in await store.messages(PLACE, limit=3)] == ["2", "3", "4"]


async def test_every_refusal_is_a_sentence_that_ends(store: SqlStore) -> None:
    await store.commit(a_change(a_run(), delivery=Delivery("d-1", "c"), secrets=(a_secret(),)))
    wrong = (
        a_change(a_run()),
        a_change(a_run(revision=9)),
        a_change(delivery=Delivery("d-1", "c")),
        a_change(secrets=(a_secret(),)),
        a_change(rewrapped=(a_secret("gone"),)),
    )
    for change in wrong:
        with pytest.raises(DeputyError, match=r"^[A-Z].*\.$"):
            await store.commit(change)


# ---- many processes ------------------------------------------------------------------------------


async def test_no_more_runs_than_there_are_places_run_at_once(store: SqlStore) -> None:
    runs = [a_run(f"R-{number}", state=State.RUNNING, started=NOW) for number in range(4)]
    places = {"action look": 2, "target dc1": 3}
    await store.commit(a_change(runs[0], limits=places))
    await store.commit(a_change(runs[1], limits=places))
    with pytest.raises(Busy, match="R-2 waits"):
        await store.commit(a_change(runs[2], limits=places))
    with pytest.raises(NotFound):
        await store.run("R-2")
    await store.commit(a_change(runs[3], limits={"target dc1": 3}))
    await store.commit(a_change(replace(runs[0], state=State.FAILED, revision=2)))
    await store.commit(a_change(runs[2], limits=places))
    with pytest.raises(Busy):
        await store.commit(a_change(a_run("R-9", state=State.RUNNING, started=NOW), limits={"target dc1": 3}))


async def test_a_worker_counts_on_until_it_leaves(store: SqlStore) -> None:
    assert await store.beats() == {}
    for name in ("a", "b", "a"):
        await store.beat(name)
    assert await store.beats() == {"a": 2, "b": 1}
    await store.leave(["a"])
    assert await store.beats() == {"b": 1}
    await store.beat("a")
    assert (await store.beats())["a"] == 1


async def test_a_running_script_is_asked_to_stop_by_who_asks_first_and_once_it_ended_by_nobody(
    store: SqlStore,
) -> None:
    run, bob = a_run("R-1", state=State.RUNNING, started=NOW), Who("contoso", "o-2", "Bob")
    assert not await store.ask_stop("R-1", OLGA)
    await store.commit(a_change(run))
    assert await store.ask_stop("R-1", bob)
    assert await store.ask_stop("R-1", OLGA)
    assert await store.asked_to_stop(["R-1", "R-2"]) == {"R-1": bob}
    assert await store.asked_to_stop([]) == {}
    await store.commit(a_change(replace(run, state=State.CANCELLED, revision=2)))
    assert await store.asked_to_stop(["R-1"]) == {}
    assert not await store.ask_stop("R-1", bob)


async def test_P6_only_what_waits_and_is_over_is_late_the_oldest_first(store: SqlStore) -> None:
    ends = {"R-1": 2, "R-2": 1, "R-3": 3, "R-4": 1}
    for name, minutes in ends.items():
        state = State.QUEUED if name == "R-4" else State.AWAITING_APPROVAL
        await store.commit(a_change(a_run(name, state=state, expires_at=NOW + timedelta(minutes=minutes))))
    assert [run.id for run in await store.late(NOW + timedelta(minutes=2))] == ["R-2", "R-1"]
    assert [run.id for run in await store.late(NOW + timedelta(minutes=2), limit=1)] == ["R-2"]
    assert await store.queued(5) == ["R-4"]


async def test_I2_what_is_done_with_is_tidied_away_and_what_waits_or_is_young_stays(store: SqlStore) -> None:
    old, young = Delivery("d-1", "c" * 64), Delivery("d-2", "c" * 64)
    await store.commit(a_change(a_run("R-1"), posts=(a_post("a"), a_post("b")), delivery=old))
    later = Change((replace(a_draft(), at=LATER),), delivery=young, posts=(a_post("c"),))
    await store.commit(later)
    waiting = await store.outbox(LATER)
    await store.posted([one.id for one in waiting if one.post.key != "b"])
    await store.tidy(LATER)
    assert await store.delivered_before(old) is None
    assert await store.delivered_before(young) == ""
    assert keys(list(await store.outbox(LATER))) == ["b"]
    await store.commit(Change((a_draft(),), posts=(a_post("d"),)))
    assert max(one.id for one in await store.outbox(LATER)) > max(one.id for one in waiting)
