"""Comparing two runs: what differs is said, what nobody may see isn't."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.core.action import Script
from bot.core.card import Button, Card, Table, Text, Verb
from bot.core.cards import run_card
from bot.core.errors import Damaged, Invalid, NotFound
from bot.core.principal import Account
from bot.core.run import Run, State
from bot.core.work import Exit, ExitReason
from tests.fakes.company import PLACE, Company


async def done(company: Company, who: str, text: str) -> str:
    """Have somebody's request carried out, a minute after the last."""
    company.clock.pass_(60)
    run = await company.say(who, text)
    await company.work()
    return run


def rows(card: Card) -> dict[str, tuple[str, str]]:
    (table,) = [block for block in card.blocks if isinstance(block, Table)]
    return {name: (before, after) for name, before, after in table.rows}


def changes(card: Card) -> dict[str, str]:
    return {block.title: block.text for block in card.blocks if isinstance(block, Text)}


async def test_a_run_is_compared_with_the_one_before() -> None:
    company = Company()
    company.puppets.says["look.py"] = b"disk 41 %\nall well\n"
    first = await done(company, "ann", "look")
    company.puppets.says["look.py"] = b"disk 97 %\nall well\n"
    company.puppets.acts["look.py"] = lambda work: Exit(ExitReason.EXITED, 1, None, 0.3)
    second = await done(company, "abe", "look")
    card = await company.card("ann", f"compare {second}")
    assert card.title == "Look: two runs compared"
    assert card.lead == (
        "Both asked for exactly the same. They ended differently. So the reason is not in the request: "
        "it is in what the script found."
    )
    found = rows(card)
    assert found["Exit code"] == ("0", "1")
    assert found["Asked by"] == ("Ann", "Abe")
    assert "Script" not in found
    ((title, diff),) = changes(card).items()
    assert title == "How what they said differs: 1 line added, 1 removed"
    assert {"-disk 41 %", "+disk 97 %", " all well"} <= set(diff.splitlines())
    assert await company.card("ann", f"compare {second} {first}") == card


async def test_a_changed_script_is_named_and_shown() -> None:
    company = Company()
    await done(company, "ann", "look")
    changed = Script("look.py", b"# look twice")
    company.shelf.actions["look"] = replace(company.shelf.actions["look"], script=changed)
    second = await done(company, "ann", "look")
    card = await company.card("ann", f"compare {second}")
    assert card.lead == "They differ in “Script”. They ended the same way and said the same."
    assert rows(card)["Script"][1] == changed.sha[:12]
    assert changes(card)["How the script was changed: 1 line added, 1 removed"].endswith("-# look\n+# look twice")


async def test_what_was_asked_for_the_same_is_compared_rather_than_what_was_last() -> None:
    company = Company()
    company.rules.needs["change"] = 0
    first = await done(company, "ann", "change alice")
    bob = await done(company, "ann", "change bob")
    third = await done(company, "ann", "change alice")
    card = await company.card("ann", f"compare {third}")
    (table,) = [block for block in card.blocks if isinstance(block, Table)]
    assert table.heads == ("", first, third)
    assert card.facts[0].value == "Account, Target, Credential and Script"
    card = await company.card("ann", f"compare {third} {bob}")
    assert card.lead == "They differ in “Account”. They ended the same way and said the same."
    assert rows(card)["Account"] == ("bob", "alice")


async def test_a_repeated_run_has_a_button_that_compares_it_with_what_it_repeats() -> None:
    company = Company()
    first = await done(company, "ann", "look")
    again = await company.press("ann", Button("", Verb.RERUN, first))
    await company.work()
    assert [one.verb for one in run_card(await company.run(first)).buttons] == [Verb.RERUN]
    (compare,) = [one for one in run_card(await company.run(again)).buttons if one.verb is Verb.COMPARE]
    account = Account("local", "ann")
    reply = await company.desk.press(account, PLACE, compare.verb, compare.subject, "", company.delivery())
    assert reply.card
    assert reply.card.facts[0].value == f"{first} and {again}"
    assert reply.card.blocks == ()  # nothing differs


async def test_the_sentence_that_each_ended_with_is_compared_too() -> None:
    company = Company()
    company.puppets.acts["look.py"] = lambda work: Exit(ExitReason.EXITED, 0, "alice is unlocked.", 0.3)
    await done(company, "ann", "look")
    company.puppets.acts["look.py"] = lambda work: Exit(ExitReason.EXITED, 0, "alice was not locked.", 0.3)
    card = await company.card("ann", f"compare {await done(company, 'ann', 'look')}")
    assert card.lead == "Both asked for exactly the same. They ended the same way."
    assert rows(card)["Result"] == ("alice is unlocked.", "alice was not locked.")


async def test_whoever_ran_it_before_a_run_that_started_at_once_has_the_button_too() -> None:
    company = Company()
    first, second = await done(company, "ann", "look"), await done(company, "abe", "look")
    assert [one.verb for one in run_card(await company.run(first)).buttons] == [Verb.RERUN]
    assert [one.verb for one in run_card(await company.run(second)).buttons] == [Verb.RERUN, Verb.COMPARE]


async def test_a_request_that_never_ran_is_nothing_to_compare_with() -> None:
    company = Company()
    refused, withdrawn = await company.say("zed", "look"), await company.say("ann", "look")
    await company.say("ann", f"cancel {withdrawn}")
    assert [(await company.run(one)).state for one in (refused, withdrawn)] == [State.REFUSED, State.CANCELLED]
    look = await done(company, "ann", "look")
    assert [one.verb for one in run_card(await company.run(look)).buttons] == [Verb.RERUN]
    with pytest.raises(NotFound, match="no earlier run of look"):
        await company.say("ann", f"compare {look}")


async def test_the_repetition_of_what_never_ran_is_compared_with_what_did() -> None:
    company = Company()
    withdrawn = await company.say("ann", "look")
    await company.say("ann", f"cancel {withdrawn}")
    again = await company.press("ann", Button("", Verb.RERUN, withdrawn))
    await company.work()
    assert [one.verb for one in run_card(await company.run(again)).buttons] == [Verb.RERUN]
    with pytest.raises(NotFound, match="no earlier run of look that you may see"):
        await company.say("ann", f"compare {again}")
    with pytest.raises(Invalid, match=f"{withdrawn} never ran"):
        await company.say("ann", f"compare {again} {withdrawn}")


async def test_what_waited_is_compared_with_what_ran_meanwhile_though_it_was_asked_for_later() -> None:
    company = Company()
    waiting = await company.say("ann", "change alice")
    company.rules.needs["change"] = 0
    meanwhile = await done(company, "ann", "change bob")
    company.clock.pass_(60)
    await company.press("max", Button("", Verb.APPROVE, waiting))
    await company.work()
    assert Verb.COMPARE in [one.verb for one in run_card(await company.run(waiting)).buttons]
    (table,) = [one for one in (await company.card("ann", f"compare {waiting}")).blocks if isinstance(one, Table)]
    assert table.heads == ("", meanwhile, waiting)


async def test_a_run_starts_also_where_the_runs_before_can_not_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = Company()
    await done(company, "ann", "look")
    company.ports.comparable.clear()

    runs = company.store.runs

    async def damaged(**asked: Any) -> Sequence[Run]:
        if asked.get("action"):
            raise Damaged("The run R-00000002 can't be read.")
        return await runs(**asked)

    monkeypatch.setattr(company.store, "runs", damaged)
    second = await done(company, "ann", "look")
    assert (await company.run(second)).state is State.SUCCEEDED
    assert [one.verb for one in run_card(await company.run(second)).buttons] == [Verb.RERUN]


async def test_what_a_private_action_said_is_not_compared() -> None:
    company = Company()
    company.shelf.actions["look"] = replace(company.shelf.actions["look"], private=True)
    company.puppets.says["look.py"] = b"password one"
    await done(company, "ann", "look")
    company.puppets.says["look.py"] = b"password two"
    card = await company.card("ann", f"compare {await done(company, 'ann', 'look')}")
    assert not changes(card)
    assert "password" not in str(card)
    assert card.footnote == "What a private action said is not compared."
    assert "said the same" not in card.lead


async def test_A9_nobody_compares_what_they_may_not_see() -> None:
    company = Company()
    first, second = await done(company, "ann", "look"), await done(company, "ann", "look")
    for text in (f"compare {second}", f"compare {second} {first}"):
        with pytest.raises(NotFound, match="that you may see"):
            await company.say("zed", text)


async def test_a_run_that_has_not_ended_is_compared_as_far_as_it_is() -> None:
    company = Company()
    await done(company, "ann", "look")
    company.clock.pass_(60)
    waiting = await company.say("ann", "look")
    card = await company.card("ann", f"compare {waiting}")
    assert card.lead == f"Both asked for exactly the same. {waiting} has not ended yet."


async def test_what_can_not_be_compared_says_why() -> None:
    company = Company()
    look, hold = await done(company, "ann", "look"), await company.say("ann", "hold")
    with pytest.raises(NotFound, match=f"no earlier run of look that you may see, to compare {look} with"):
        await company.say("ann", f"compare {look}")
    with pytest.raises(Invalid, match=f"{look} differs in nothing from itself"):
        await company.say("ann", f"compare {look} {look}")
    with pytest.raises(Invalid, match="only runs of one action can be compared"):
        await company.say("ann", f"compare {look} {hold}")
    with pytest.raises(Invalid, match="Name the run"):
        await company.say("ann", "compare")
