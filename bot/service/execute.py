"""Executing a queued run: check everything again, start it once, tell how it ended."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from bot.core import wording
from bot.core.action import Action
from bot.core.canonical import Json
from bot.core.cards import whole_text
from bot.core.decision import Deny, NeedsApproval
from bot.core.errors import Busy, Conflict, DeputyError, Unavailable
from bot.core.lifecycle import DEPUTY, Event, Happening, advance
from bot.core.parameter import Value
from bot.core.run import Outcome, Run, State
from bot.core.secret import Secret
from bot.core.text import shorten
from bot.core.work import ExitReason
from bot.ports import Output, Ports, Stop
from bot.service.authorise import authorise, may_approve
from bot.service.perform import Credentials, Performance, Performed, from_store, leased, perform
from bot.service.record import record, secret_reference
from bot.service.review import broken_seal
from bot.service.submit import refusal

log = logging.getLogger(__name__)
LIVE_LINES = 12


async def execute(ports: Ports, run_id: str, worker: str) -> None:
    """Take one queued run to its end. A lost compare-and-set means another worker has it: nothing to do.

    Raises Busy where another run holds a lock that this one needs: it stays queued.
    """
    run = await ports.store.run(run_id)
    if run.state is not State.QUEUED:
        return
    try:
        reasons = await _objections(ports, run)
        if reasons:
            await record(ports, advance(run, Happening(Event.REFUSE, reasons=reasons), ports.clock.now()))
            return
        start = advance(run, Happening(Event.START, worker=worker), ports.clock.now())
        action = ports.catalog.action(run.request.action)
        await record(ports, start, locks=action.lock_names(run.request.arguments))
    except Busy:
        raise
    except Conflict:
        return
    async with ports.running.begin(run.id) as stop:
        ended = await _run(ports, start.run, stop)
    await _finish(ports, start.run, ended)


async def _objections(ports: Ports, run: Run) -> tuple[str, ...]:
    """Decide again with the rights of this moment (rule 4); return why it may not start, or nothing."""
    now = ports.clock.now()
    if now >= run.request.expires_at:
        return ("It waited too long to start and has expired. Ask for it again.",)
    try:
        requester = await ports.directory.live(run.request.requester)
        action = ports.catalog.action(run.request.action)
        broken = await broken_seal(ports, run)
        if broken:
            return broken
        decision = authorise(ports, requester, action, run.request.arguments, run.request.door)
        if isinstance(decision, Deny):
            return refusal(ports, decision)
        needed = max(run.needed, decision.count if isinstance(decision, NeedsApproval) else 0)
        return await _void_votes(ports, run, action, needed)
    except DeputyError as error:
        return (f"It could not be checked, so it was not started: {error}",)


async def _void_votes(ports: Ports, run: Run, action: Action, needed: int) -> tuple[str, ...]:
    """Count only the votes of those who may still approve; say whose no longer count."""
    requester = await ports.directory.live(run.request.requester)
    void: list[str] = []
    for who in run.tally.approvers:
        try:
            approver = await ports.directory.live(who)
        except DeputyError:
            void.append(who.name)
            continue
        request = run.request
        decision = may_approve(ports, approver, requester, action, request.arguments, request.door)
        if isinstance(decision, Deny):
            void.append(who.name)
    if len(run.tally.approvers) - len(void) >= needed:
        return ()
    lost = f"{wording.listed(void)} may no longer approve it. " if void else ""
    return (f"{lost}It needs {wording.count(needed, 'approval')} that still count. Ask for it again.",)


async def _run(ports: Ports, run: Run, stop: Stop) -> tuple[Happening, Output | None]:
    """Start the script and its check; every way it can go becomes a happening."""
    try:
        action = await from_store(ports, ports.catalog.action(run.request.action))
        secrets = await _secret_arguments(ports, run)
        async with leased(ports, run.request.credentials, run.id) as credentials:
            return await _scripts(ports, run, action, {**run.request.arguments, **secrets}, credentials, stop)
    except DeputyError as error:
        return Happening(Event.FAIL, outcome=Outcome(summary=f"it was not started. {error}")), None


async def _scripts(
    ports: Ports,
    run: Run,
    action: Action,
    arguments: Mapping[str, Value | Secret],
    credentials: Credentials,
    stop: Stop,
) -> tuple[Happening, Output | None]:
    performance = Performance(run.id, action, action.script, arguments)
    done = await perform(ports, performance, credentials, stop, _Tail(ports, run))
    outcome = Outcome(
        summary=done.exit.sentence or _summary(done),
        code=done.exit.code,
        seconds=done.exit.seconds,
        output=done.output,
        result=None if isinstance(done.result, str) else done.result,
        truncated=done.truncated,
    )
    event = _event(done)
    if event is Event.SUCCEED and action.verify:
        check = await perform(
            ports, replace(performance, script=action.verify), credentials, stop, lambda text: None
        )
        outcome = replace(outcome, verified=_verified(check), check=_check_sentence(check))
        event = Event.SUCCEED if outcome.verified else Event.FAIL
    return _happening(ports, run, event, outcome)


def _event(done: Performed) -> Event:
    if done.exit.reason is ExitReason.TIMED_OUT:
        return Event.TIME_OUT
    if done.exit.reason is ExitReason.STOPPED:
        return Event.CANCEL
    return Event.SUCCEED if done.exit.reason is ExitReason.EXITED and done.exit.code == 0 else Event.FAIL


def _happening(ports: Ports, run: Run, event: Event, outcome: Outcome) -> tuple[Happening, Output | None]:
    """Keep the whole output; what is private leaves only its bare facts in the run and is sealed apart."""
    by = ports.running.stopped_by(run.id) if event is Event.CANCEL else None
    if event is Event.CANCEL and by is None:
        event = Event.INTERRUPT
    text = whole_text(outcome.result, outcome.output)
    if not run.private:
        kept = replace(outcome, output=outcome.output[:20_000], result=_small(outcome.result))
        return Happening(event, by=by or DEPUTY, outcome=kept), Output(run.id, text)
    whole = "\n".join(part for part in (outcome.summary, text, outcome.check) if part)
    bare = Outcome(code=outcome.code, seconds=outcome.seconds, verified=outcome.verified)
    output = Output(
        run.id,
        sealed=ports.vault.seal_text(run.id, whole),
        expires=ports.clock.now() + timedelta(seconds=ports.private_ttl),
    )
    return Happening(event, by=by or DEPUTY, outcome=bare), output


async def _finish(ports: Ports, run: Run, ended: tuple[Happening, Output | None]) -> None:
    """Write the end. A database out of reach is waited for: the script has ended, so this must not be lost."""
    happening, output = ended
    pause = 0.1
    while True:
        try:
            await record(ports, advance(run, happening, ports.clock.now()), output=output)
            return
        except Conflict:
            log.warning("%s ended after it was given up; its late result was dropped", run.id)
            return
        except Unavailable as error:
            log.error("the end of %s can't be written yet: %s", run.id, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)


async def _secret_arguments(ports: Ports, run: Run) -> dict[str, Secret]:
    found: dict[str, Secret] = {}
    for name, value in run.request.arguments.items():
        reference = secret_reference(value, run)
        if reference:
            found[name] = (await ports.vault.lease(f"vault:{reference}", 1, run.id))["value"]
    return found


class _Tail:
    """Shows the last lines of a running script in its channel; nothing of a private one."""

    def __init__(self, ports: Ports, run: Run) -> None:
        self._chat = None if run.private else ports.chats.get(run.place.platform)
        self._run = run
        self._text = ""

    def __call__(self, text: str) -> None:
        if self._chat:
            self._text = (self._text + text)[-4000:]
            self._chat.progress(self._run.place, self._run.id, "\n".join(self._text.splitlines()[-LIVE_LINES:]))


def _summary(done: Performed) -> str:
    """Return the one line that says it all: a text result, or the last line of what failed without a word."""
    if isinstance(done.result, str):
        return done.result
    lines = done.output.split("\n") if done.exit.code else []
    return shorten(next((line.strip() for line in reversed(lines) if line.strip()), ""), 300)


def _verified(check: Performed) -> bool:
    result = check.result
    return _event(check) is Event.SUCCEED and isinstance(result, Mapping) and result.get("ok") is True


def _check_sentence(check: Performed) -> str:
    if isinstance(check.result, Mapping) and isinstance(check.result.get("message"), str):
        return str(check.result["message"])
    return check.exit.sentence or "it gave no clear answer."


def _small(result: Json) -> Json:
    """Leave a result too large for a card to the whole output, where it can be read."""
    if isinstance(result, list | tuple):
        return result[:200]
    return result
