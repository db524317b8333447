"""Asking for actions, in memory."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.core.action import Risk
from bot.core.card import Table
from bot.core.decision import NeedsApproval, Reason
from bot.core.errors import Conflict, Invalid, NotFound
from bot.core.form import to_json
from bot.core.parameter import Kind, Parameter
from bot.core.principal import Account
from bot.core.work import Exit, ExitReason
from bot.service.choices import MOST
from tests.fakes.company import PLACE, Company, action


async def test_a_permitted_request_is_queued_runs_and_tells_its_audit_reference() -> None:
    company = Company()
    run = await company.say("ann", "look")
    assert await company.state(run) == "queued"
    await company.work()
    assert await company.state(run) == "succeeded"
    assert await company.tags(run) == ["request:permitted", "run:started", "run:succeeded"]
    (post,) = await company.told(run)
    assert post.only == ""
    assert post.card.lead == "Done."
    assert post.card.audit.startswith("AUD-000003-")


async def test_a_denied_request_is_refused_audited_and_told_to_the_asker_alone() -> None:
    company = Company()
    run = await company.say("zed", "look")
    await company.work()
    assert await company.state(run) == "refused"
    assert company.puppets.started == []
    (post,) = await company.told(run)
    assert post.only == "acme/zed"
    assert post.card.lead == "No policy allows you to run this. Ask the desk, who may."
    assert await company.tags(run) == ["request:refused"]


async def test_a_missing_argument_opens_the_form_and_changes_nothing() -> None:
    company = Company()
    reply = await company.desk.say(Account("local", "ann"), PLACE, "change", company.delivery())
    assert reply.form
    assert reply.run == ""
    assert await company.tags() == []


async def test_a_form_promises_no_fewer_approvals_than_what_is_filled_in_may_need() -> None:
    company = Company()
    reply = await company.desk.say(Account("local", "ann"), PLACE, "change", company.delivery())
    assert reply.form
    assert reply.form.approval.startswith("It needs at least 1 approval")


async def test_a_wrong_argument_opens_the_form_with_the_fault_at_its_field() -> None:
    company = Company()
    reply = await company.desk.say(Account("local", "ann"), PLACE, "change acount=alice", company.delivery())
    assert reply.form
    form = to_json(reply.form)
    assert "“acount” is not a parameter" in str(form["note"])
    assert form["fields"][0]["fault"] == "“Account” is needed."  # type: ignore[index,call-overload]


async def test_a_plain_word_fills_the_one_parameter_that_is_missing() -> None:
    company = Company()
    run = await company.run(await company.say("ann", "change alice reason=locked"))
    assert run.request.arguments == {"account": "alice"}
    assert run.request.reason == "locked"


async def test_an_unknown_action_names_the_nearest_one_that_i_may_run() -> None:
    company = Company()
    with pytest.raises(NotFound, match="Did you mean change"):
        await company.say("ann", "chnge alice")
    with pytest.raises(NotFound, match="Type /deputy"):
        await company.say("zed", "zzz alice")


async def test_I8_W3_the_same_delivery_five_times_at_once_is_one_request() -> None:
    company = Company()
    delivery = company.delivery("same")
    runs = await asyncio.gather(*(company.say("ann", "look", delivery) for _ in range(5)))
    assert len(set(runs)) == 1
    await company.work()
    assert len(company.puppets.started) == 1


async def test_W3_a_delivery_with_another_content_is_a_conflict() -> None:
    company = Company()
    await company.say("ann", "look", company.delivery("same", "one"))
    with pytest.raises(Conflict):
        await company.say("ann", "look", company.delivery("same", "two"))


async def test_a_secret_is_never_taken_from_a_typed_command() -> None:
    company = Company()
    reply = await company.desk.say(
        Account("local", "ann"), PLACE, "secretive token=hunter2222", company.delivery()
    )
    assert reply.form
    assert "not typed in a command" in reply.form.fields[0].fault
    assert "hunter2222" not in str(to_json(reply.form))


async def test_V3_a_secret_from_a_form_reaches_the_script_and_nothing_that_is_stored() -> None:
    company = Company()
    company.puppets.says["secretive.py"] = b"I was given hunter2222\n"
    filled = await company.desk.fill(
        Account("local", "ann"), PLACE, "secretive", {"token": "hunter2222"}, "", company.delivery()
    )
    await company.work()
    (work,) = company.puppets.started
    assert work.arguments["token"].reveal() == "hunter2222"  # type: ignore[union-attr]
    run = await company.run(filled.run)
    entries = await company.store.entries()
    told = await company.told(filled.run)
    assert "hunter2222" not in f"{run!r} {entries!r} {told!r}"
    output = await company.store.output(filled.run)
    assert output
    assert "hunter2222" not in company.safe.open_text(filled.run, output.sealed or b"")


async def test_a_secret_too_short_to_be_redacted_is_refused_at_its_field() -> None:
    company = Company()
    reply = await company.desk.fill(
        Account("local", "ann"), PLACE, "secretive", {"token": "abc"}, "", company.delivery()
    )
    assert reply.form
    assert "6 characters or more" in reply.form.fields[0].fault


async def test_broken_policies_deny_and_say_so() -> None:
    company = Company()
    company.rules.broken = Invalid("It doesn't parse.", "policies/a.cedar:3")
    with pytest.raises(Invalid, match=r"policies/a.cedar:3"):
        await company.say("ann", "look")
    assert company.puppets.started == []


async def test_a_missing_credential_is_said_before_anything_is_asked() -> None:
    company = Company()
    company.shelf.actions["change"] = replace(action("change"), credentials={"x": "vault:nowhere"})
    with pytest.raises(NotFound, match="vault:nowhere"):
        await company.say("ann", "change alice")
    assert await company.tags() == []


async def test_help_on_a_word_of_deputys_own_tells_of_that_alone() -> None:
    (block,) = (await Company().card("ann", "help back")).blocks
    assert isinstance(block, Table)
    assert [row[0] for row in block.rows] == ["/deputy away until 2026-12-01 approvals to @name · back"]
    (everything,) = (await Company().card("ann", "help")).blocks
    assert isinstance(everything, Table)
    assert len(everything.rows) > 10


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (("web", "mailer"), "“Service” takes one of web, mailer, not “nosuch”."),
        ((), "“Service” has nothing to choose from at the moment, so it can't be “nosuch”."),
    ],
)
async def test_what_is_not_among_the_choices_of_a_query_is_told_which_there_are(
    rows: tuple[str, ...], sentence: str
) -> None:
    company = Company()
    service = Parameter("service", Kind.CHOICE, "Service", required=True, choices_from="look")
    company.shelf.actions["change"] = action("change", parameters=(service,))
    company.puppets.acts["look.py"] = lambda work: Exit(ExitReason.EXITED, 0, rows, 0.1)
    reply = await company.desk.say(Account("local", "ann"), PLACE, "change nosuch", company.delivery())
    assert reply.form
    assert [field.fault for field in reply.form.fields] == [sentence]
    assert await company.store.runs() == []


async def test_a_form_says_where_a_query_gives_more_choices_than_it_shows_and_a_command_takes_them_all() -> None:
    company = Company()
    service = Parameter("service", Kind.CHOICE, "Service", required=True, choices_from="look")
    company.shelf.actions["change"] = action("change", parameters=(service,))
    rows = tuple(f"web{number}" for number in range(MOST + 2))
    company.puppets.acts["look.py"] = lambda work: Exit(ExitReason.EXITED, 0, rows, 0.1)
    reply = await company.desk.say(Account("local", "ann"), PLACE, "change", company.delivery())
    assert reply.form
    assert [choice.value for choice in reply.form.fields[0].choices] == list(rows[:MOST])
    assert reply.form.note == (
        "“Service” shows the first 1,000 of 1,002 choices. Give any other in a command: /deputy change service=…"
    )
    run = await company.say("ann", f"change service={rows[-1]}")
    assert (await company.store.run(run)).request.arguments == {"service": rows[-1]}


async def test_cards_call_an_argument_as_its_form_does_and_so_do_comparisons_when_that_changes() -> None:
    company = Company()
    address = Parameter("url", Kind.STRING, "Address")
    company.shelf.actions["look"] = action("look", Risk.READ, parameters=(address,))
    first = await company.say("ann", "look url=a.example.com")
    await company.work()
    company.shelf.actions["look"] = action("look", Risk.READ, parameters=(replace(address, label="Page"),))
    second = await company.say("ann", "look url=b.example.com")
    await company.work()
    facts = {one.label: one.value for one in (await company.told(first))[-1].card.facts}
    assert (facts["Address"], "Url" in facts) == ("a.example.com", False)
    (table, *_) = (await company.card("ann", f"compare {first} {second}")).blocks
    assert isinstance(table, Table)
    assert ("Page", "a.example.com", "b.example.com") in table.rows
    assert "Address" not in [row[0] for row in table.rows]


@pytest.mark.parametrize(
    ("name", "typed"),
    [("look", "/deputy look"), ("change", "/deputy change account=…"), ("secretive", "/deputy secretive")],
)
async def test_help_on_an_action_says_what_to_type_for_it_but_no_secret(name: str, typed: str) -> None:
    company = Company()
    assert (await company.card("ann", f"help {name}")).footnote == typed


async def test_a_parameter_is_named_with_blanks_around_the_sign_too() -> None:
    company = Company()
    run = await company.say("ann", 'change account = alice reason = "she called"')
    request = (await company.store.run(run)).request
    assert (request.arguments, request.reason) == ({"account": "alice"}, "she called")


async def test_an_apostrophe_brings_no_word_into_the_account() -> None:
    company = Company()
    with pytest.raises(Invalid, match="It isn't clear whether “fine” belongs to reason"):
        await company.say("ann", "change alice reason=she's fine")
    assert await company.tags() == []


async def test_a_value_that_is_one_word_by_its_kind_may_stand_before_another() -> None:
    company = Company()
    change = company.shelf.actions["change"]
    days = Parameter("days", Kind.INTEGER, "Days")
    company.shelf.actions["change"] = replace(change, parameters=(*change.parameters, days))
    run = await company.say("ann", "change days=5 alice")
    assert (await company.store.run(run)).request.arguments == {"account": "alice", "days": 5}


async def test_no_verb_is_suggested_that_means_nothing_here() -> None:
    company = Company()
    company.shelf.actions["unlock"] = action("unlock")
    company.rules.needs["unlock"] = 0
    with pytest.raises(NotFound, match="Did you mean unlock or") as refused:
        await company.say("ann", "unlok")
    assert "unlink" not in str(refused.value)


async def test_the_menu_says_how_to_type_it_and_does_not_promise_that_it_runs() -> None:
    footnote = (await Company().card("ann", "")).footnote
    assert footnote.startswith("/deputy help <action> tells more; /deputy <action> name=value asks for it")
    assert footnote.endswith("What needs an approval waits for that.")


async def test_help_on_an_action_says_in_plain_words_what_fits() -> None:
    company = Company()
    size = Parameter("size", Kind.INTEGER, "Size", help="How big.", default=5, maximum=Decimal(10))
    company.shelf.actions["look"] = action("look", Risk.READ, parameters=(size,))
    (table,) = (await company.card("ann", "help look")).blocks
    assert isinstance(table, Table)
    assert table.heads == ("Parameter", "Takes", "Needed", "What it is")
    assert table.rows == (("size", "whole number, at most 10", "optional (5 if not given)", "How big."),)


async def test_a_request_that_needs_an_approval_for_want_of_knowledge_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = Company()
    unknown = Reason("unknown-facts", "Who is on call can't be learnt at the moment.")
    needs = NeedsApproval(1, ("boss",), (Reason("desk-asks"), unknown))
    monkeypatch.setattr(company.rules, "decide", lambda question: needs)
    run = await company.say("ann", "change alice")
    (post,) = await company.told(run)
    assert post.card.lead.startswith("Who is on call can't be learnt at the moment. Ann asks to run this.")
    (entry,) = await company.store.entries(subject=run)
    assert "unknown-facts" in entry.facts["policies"]  # type: ignore[operator]
