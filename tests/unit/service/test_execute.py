"""Executing runs, in memory."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core import canonical
from bot.core.action import Script
from bot.core.errors import Busy, NotFound, Refused, Unavailable
from bot.core.parameter import Kind, Parameter
from bot.core.principal import Account
from bot.core.work import Exit, ExitReason, Work
from bot.engine.embedded import EmbeddedEngine
from bot.ports import Change
from bot.service import query
from bot.service.execute import execute
from bot.service.sweep import recover, requeue
from tests.fakes.company import PLACE, Company, action


def ends(exit_: Exit) -> Callable[[Work], Exit]:
    return lambda work: exit_


async def test_a_failing_script_tells_its_sentence() -> None:
    company = Company()
    company.puppets.acts["look.py"] = ends(Exit(ExitReason.EXITED, 1, sentence="The disk is on fire."))
    run = await company.say("ann", "look")
    await company.work()
    assert await company.state(run) == "failed"
    assert (await company.told(run))[0].card.lead == "It failed: The disk is on fire."


@pytest.mark.parametrize(
    ("exit_", "state"),
    [
        (Exit(ExitReason.TIMED_OUT, seconds=60), "timed_out"),
        (Exit(ExitReason.OUTPUT_LIMIT), "failed"),
        (Exit(ExitReason.NOT_STARTED, sentence="There is no bash."), "failed"),
        (Exit(ExitReason.EXITED, 3), "failed"),
        (Exit(ExitReason.STOPPED), "interrupted"),
    ],
)
async def test_every_way_a_script_can_end_is_named(exit_: Exit, state: str) -> None:
    company = Company()
    company.puppets.acts["look.py"] = ends(exit_)
    run = await company.say("ann", "look")
    await company.work()
    assert await company.state(run) == state


async def test_V1_a_credential_in_output_result_and_error_is_redacted() -> None:
    company = Company()
    company.puppets.says["change.py"] = b"password is correct-horse\n"
    company.puppets.acts["change.py"] = ends(
        Exit(ExitReason.EXITED, 1, {"note": "correct-horse"}, sentence="bad: correct-horse")
    )
    run = await company.say("ann", "change alice")
    await company.say("max", f"approve {run}")
    await company.work()
    output = await company.store.output(run)
    assert output
    everything = (
        f"{await company.run(run)!r} {output.text} {await company.store.entries()!r} {await company.told(run)!r}"
    )
    assert "correct-horse" not in everything
    assert "redacted:directory.password" in output.text


async def test_a_check_that_says_no_makes_the_run_fail() -> None:
    company = Company()
    verified = replace(company.shelf.actions["look"], verify=Script("look.verify.py", b"# verify"))
    company.shelf.actions["look"] = verified
    company.puppets.acts["look.verify.py"] = ends(
        Exit(ExitReason.EXITED, 0, {"ok": False, "message": "alice is still locked."})
    )
    run = await company.say("ann", "look")
    await company.work()
    assert await company.state(run) == "failed"
    assert "the check after it did not: alice is still locked." in (await company.told(run))[0].card.lead


async def test_a_check_that_says_yes_is_told() -> None:
    company = Company()
    verified = replace(company.shelf.actions["look"], verify=Script("look.verify.py", b"# verify"))
    company.shelf.actions["look"] = verified
    company.puppets.acts["look.verify.py"] = ends(
        Exit(ExitReason.EXITED, 0, {"ok": True, "message": "All is well."})
    )
    run = await company.say("ann", "look")
    await company.work()
    assert (await company.told(run))[0].card.lead == "Done. Checked: All is well."


async def test_a_check_that_crashes_does_not_count_as_a_yes() -> None:
    company = Company()
    verified = replace(company.shelf.actions["look"], verify=Script("look.verify.py", b"# verify"))
    company.shelf.actions["look"] = verified
    company.puppets.acts["look.verify.py"] = ends(Exit(ExitReason.EXITED, 1, sentence="KeyError: x"))
    run = await company.say("ann", "look")
    await company.work()
    assert await company.state(run) == "failed"


async def test_W1_a_private_result_is_for_its_requester_alone() -> None:
    company = Company()
    company.puppets.acts["secretive.py"] = ends(
        Exit(ExitReason.EXITED, 0, "The new password is Zebra-42-Lamp", 0.1)
    )
    filled = await company.desk.fill(
        Account("local", "ann"), PLACE, "secretive", {"token": "hunter2222"}, "", company.delivery()
    )
    await company.work()
    posts = {post.key: post for post in await company.told(filled.run)}
    assert posts[f"{filled.run}:result"].only == "acme/ann"
    stored = f"{posts!r} {await company.run(filled.run)!r} {await company.store.entries()!r}"
    assert "Zebra" not in stored
    assert "Zebra-42-Lamp" in await query.output(company.ports, await company.caller("ann"), filled.run)
    for other in ("abe", "max", "zed"):
        with pytest.raises(NotFound):
            await query.output(company.ports, await company.caller(other), filled.run)


async def test_a_private_result_is_forgotten_after_its_hour() -> None:
    company = Company()
    filled = await company.desk.fill(
        Account("local", "ann"), PLACE, "secretive", {"token": "hunter2222"}, "", company.delivery()
    )
    await company.work()
    company.clock.pass_(company.ports.private_ttl)
    with pytest.raises(NotFound, match="no longer kept"):  # though it is not swept away yet
        await query.output(company.ports, await company.caller("ann"), filled.run)
    await company.store.forget_outputs(company.clock.now())
    assert await company.store.output(filled.run) is None


async def test_cancelling_a_running_script_stops_it_and_names_who_did() -> None:
    company = Company()
    run = await company.say("ann", "hold")
    working = asyncio.create_task(company.work())
    while await company.state(run) != "running" or not company.puppets.started:
        await asyncio.sleep(0)
    await company.say("ann", f"cancel {run}")
    await working
    assert await company.state(run) == "cancelled"
    assert "Cancelled by Ann. It had started" in (await company.told(run))[0].card.lead


async def test_a_stranger_can_not_cancel() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    with pytest.raises(Refused, match="Only who asked"):
        await company.say("abe", f"cancel {run}")
    await company.say("ann", f"cancel {run}")
    assert await company.state(run) == "withdrawn"


async def test_X15_two_workers_with_the_same_run_start_it_once() -> None:
    company = Company()
    run = await company.say("ann", "look")
    await asyncio.gather(*(execute(company.ports, run, f"worker-{number}") for number in range(8)))
    assert len(company.puppets.started) == 1


async def test_X13_a_run_lost_with_its_worker_is_interrupted_and_said_in_a_message_of_its_own() -> None:
    company = Company()
    run = await company.say("ann", "hold")
    working = asyncio.create_task(company.work())
    while await company.state(run) != "running" or not company.puppets.started:
        await asyncio.sleep(0)
    working.cancel()
    assert await recover(company.ports) == 1
    assert await company.state(run) == "interrupted"
    assert {post.key for post in await company.told(run)} == {run, f"{run}:interrupted"}


async def test_X13_only_an_idempotent_action_runs_again_by_itself() -> None:
    company = Company()
    company.shelf.actions["hold"] = replace(company.shelf.actions["hold"], idempotent=True)
    run = await company.say("ann", "hold")
    working = asyncio.create_task(company.work())
    while await company.state(run) != "running" or not company.puppets.started:
        await asyncio.sleep(0)
    working.cancel()
    await recover(company.ports)
    assert await company.state(run) == "queued"


async def test_what_was_queued_is_found_again_after_a_start() -> None:
    company = Company()
    runs = []
    for _ in range(3):
        runs.append(await company.say("ann", "look"))
        company.clock.pass_(1)
    after_start = replace(company.ports, engine=EmbeddedEngine())
    assert await requeue(after_start) == 3
    claimed: list[str] = []

    async def execute_(run: str) -> None:
        claimed.append(run)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await after_start.engine.work(execute_, 2)
    assert claimed == runs


async def test_A7_X16_where_the_start_can_not_be_written_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company()
    run = await company.say("ann", "look")

    async def full(change: Change) -> None:
        raise Unavailable("The disk is full.")

    monkeypatch.setattr(company.store, "commit", full)
    with pytest.raises(Unavailable):
        await execute(company.ports, run, "worker-1")
    assert company.puppets.started == []
    assert await company.state(run) == "queued"


async def test_X14_the_end_of_a_script_waits_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company()
    run = await company.say("ann", "look")
    real, failures = company.store.commit, iter([Unavailable("gone")])

    async def flaky(change: Change) -> object:
        if change.run and change.run.state.ended:
            for error in failures:
                raise error
        return await real(change)

    monkeypatch.setattr(company.store, "commit", flaky)
    await company.work()
    assert await company.state(run) == "succeeded"


async def test_X11_a_late_result_after_the_run_was_given_up_changes_nothing() -> None:
    company = Company()
    run = await company.say("ann", "hold")
    working = asyncio.create_task(company.work())
    while await company.state(run) != "running" or not company.puppets.started:
        await asyncio.sleep(0)
    await recover(company.ports)
    company.ports.running.stop(run, (await company.caller("ann")).principal.who)
    await working
    assert await company.state(run) == "interrupted"


async def test_a_result_with_floats_and_huge_numbers_is_kept() -> None:
    company = Company()
    company.puppets.acts["look.py"] = ends(Exit(ExitReason.EXITED, 0, [{"a": 0.1, "b": 2**80}]))  # type: ignore[list-item]
    run = await company.say("ann", "look")
    await company.work()
    assert (await company.run(run)).outcome.result == [{"a": "0.1", "b": str(2**80)}]


async def test_A9_an_audit_entry_is_shown_to_those_concerned_only() -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    (entry,) = await company.store.entries(subject=run)
    card = await company.card("ann", f"audit {entry.reference}")
    assert card.lead == "Its hash holds."
    told = [(fact.label, fact.value) for fact in card.facts]
    assert len(told) == len(set(told)), "nothing is told twice"
    assert (await company.card("max", f"audit {entry.reference}")).title == "Audit entry 1"
    with pytest.raises(NotFound):
        await company.card("zed", f"audit {entry.reference}")


async def test_a_script_that_fails_without_a_sentence_is_told_by_its_last_line() -> None:
    company = Company()
    company.puppets.says["look.py"] = b"Looking.\nThere is no such file.\n\n"
    company.puppets.acts["look.py"] = ends(Exit(ExitReason.EXITED, 2))
    run = await company.say("ann", "look")
    await company.work()
    assert (await company.told(run))[0].card.lead == "It failed: There is no such file."


async def test_two_runs_that_share_a_lock_never_overlap() -> None:
    company = Company()
    company.shelf.actions["hold"] = replace(
        company.shelf.actions["hold"],
        parameters=(Parameter("account", Kind.STRING, "Account", required=True),),
        locks=("account:{account}",),
    )
    first, second, other = [await company.say("ann", f"hold {name}") for name in ("alice", "alice", "bob")]
    started = [asyncio.create_task(execute(company.ports, run, "worker-1")) for run in (first, other)]
    while len(company.puppets.started) < 2:
        await asyncio.sleep(0)
    with pytest.raises(Busy):
        await execute(company.ports, second, "worker-2")
    assert await company.state(second) == "queued"
    assert company.ports.running.stop(first, (await company.caller("ann")).principal.who)
    await started[0]
    retried = asyncio.create_task(execute(company.ports, second, "worker-2"))
    while len(company.puppets.started) < 3:
        await asyncio.sleep(0)
    for run in (second, other):
        company.ports.running.stop(run, (await company.caller("ann")).principal.who)
    await asyncio.gather(retried, started[1])
    assert [work.run for work in company.puppets.started] == [first, other, second]


def test_a_lock_is_named_by_arguments_as_they_are() -> None:
    locked = action("change", locks=("account:{account}", "{account}{nobody}"))
    assert locked.lock_names({"account": "{account}"}) == ("account:{account}", "{account}")


async def test_X10_X3_a_text_result_is_cleaned_and_cut_like_any_output() -> None:
    company = Company()
    long = "\x1b[31mred\x1b[0m \u202eevil\n" + "line\n" * 5_000
    company.puppets.acts["look.py"] = ends(Exit(ExitReason.EXITED, 0, long))
    run = await company.say("ann", "look")
    await company.work()
    (post,) = await company.told(run)
    assert post.card.lead == "red evil"
    whole = await query.output(company.ports, await company.caller("ann"), run)
    assert whole.count("line\n") >= 4_999
    assert "\x1b" not in f"{await company.run(run)!r}{whole}"


async def test_X10_the_sentence_of_a_failure_is_cleaned_too() -> None:
    company = Company()
    company.puppets.acts["look.py"] = ends(Exit(ExitReason.EXITED, 1, sentence="bad \x1b[31m\u202enews"))
    run = await company.say("ann", "look")
    await company.work()
    assert (await company.told(run))[0].card.lead == "It failed: bad news"


async def test_a_fault_of_deputys_own_ends_the_run_with_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company()

    def broken(work: Work) -> Exit:
        raise RecursionError

    company.puppets.acts["look.py"] = broken
    run = await company.say("ann", "look")
    await company.work()
    assert await company.state(run) == "interrupted"
    assert (await company.told(run))[0].card.lead.startswith("Deputy failed while this was running")


async def test_a_result_nested_without_end_is_cut() -> None:
    company = Company()
    nested: list[object] = []
    for _ in range(450):
        nested = [nested]
    company.puppets.acts["look.py"] = ends(Exit(ExitReason.EXITED, 0, nested))  # type: ignore[arg-type]
    run = await company.say("ann", "look")
    await company.work()
    assert await company.state(run) == "succeeded"


async def test_a_private_script_that_ran_out_of_time_tells_its_requester_what_it_said() -> None:
    company = Company()
    company.puppets.says["secretive.py"] = b"half way\n"
    company.puppets.acts["secretive.py"] = ends(Exit(ExitReason.TIMED_OUT, seconds=60))
    filled = await company.desk.fill(
        Account("local", "ann"), PLACE, "secretive", {"token": "hunter2222"}, "", company.delivery()
    )
    await company.work()
    assert f"{filled.run}:result" in {post.key for post in await company.told(filled.run)}
    assert "half way" in await query.output(company.ports, await company.caller("ann"), filled.run)


async def test_the_audit_log_alone_says_what_was_asked_and_what_came_of_it() -> None:
    company = Company()
    run = await company.say("ann", "change alice reason=locked")
    await company.say("max", f"approve {run}")
    await company.work()
    entries = await company.store.entries(subject=run)
    asked, ended = entries[0].facts, entries[-1].facts
    assert asked["request"] == json.loads(canonical.encode((await company.run(run)).request.sealed()))
    assert len(str(ended["output_sha256"])) == 64


@pytest.mark.parametrize("what", ["cancel {run}", "status {run}", "rerun {run}", "approve {run}"])
async def test_A9_whoever_is_refused_something_of_anothers_run_is_in_the_log(what: str) -> None:
    company = Company()
    run = await company.say("ann", "change alice")
    with pytest.raises((NotFound, Refused)):
        await company.say("zed", what.format(run=run))
    assert {"access:refused", "request:approval:refused"} & set(await company.tags(run))


async def test_a_no_may_follow_ones_own_yes() -> None:
    company = Company()
    run = await company.say("ann", "wipe alice")
    await company.say("max", f"approve {run}")
    await company.say("max", f"deny {run} I looked again")
    assert await company.state(run) == "denied"
