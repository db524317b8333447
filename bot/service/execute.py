"""Executing a queued run: check everything again, start it once, tell how it ended."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from bot.core.action import Action
from bot.core.audit import Draft, Tag
from bot.core.canonical import Json
from bot.core.errors import Busy, Conflict, DeputyError, Unavailable
from bot.core.lifecycle import DEPUTY, Event, Happening, Step, advance
from bot.core.run import Run, State
from bot.core.secret import Secret
from bot.ports import NewRun, Ports, Stop
from bot.service.clear import Cleared, clear
from bot.service.compare import comparable
from bot.service.outcome import Ended, ended, event_of, not_started, unknown
from bot.service.perform import Credentials, Performance, expect, forget, from_store, leased, perform
from bot.service.record import note, record, secret_reference

log = logging.getLogger(__name__)
LIVE_LINES = 12
LONGEST_PAUSE = 0.5  # seconds: who is killed while it waits leaves an unknown outcome
STOPPED = (  # what the disk was given before may well get there
    "Deputy stopped while this was being written down, so it may or may not have begun. "
    "Look at /deputy mine before you ask again."
)
CUT_OFF = "The worker was cut off from the database for too long, so its script was not started."


async def execute(ports: Ports, run_id: str, worker: str, alive: Callable[[], bool] = lambda: True) -> None:
    """Take one queued run to its end. A lost compare-and-set means another worker has it: nothing to do.

    Nothing is started where the worker isn't `alive`: others may take the run from it.
    Raises Busy where it must stay queued: another run holds a lock that this one needs, or all its places.
    """
    try:
        run = await ports.store.to_start(run_id)
        if run.state is not State.QUEUED:
            return
        if not alive():
            raise Busy(f"{run_id} waits: this worker was cut off from the database.")
        cleared = await _cleared(ports, run)
        if cleared:
            expect(ports, run, cleared.action)
            await _start(ports, run, cleared, worker, alive)
    finally:
        forget(ports, run_id)


async def begin(ports: Ports, new: NewRun, worker: str) -> None:
    """Write a new run down together with its start, and take it to its end.

    Where it can't be written nothing is done, and who handed it over is told why: Busy, Conflict, Unavailable.
    """
    try:
        run = await _begun(ports, new, worker)
        if run:
            await _carry_out(ports, run, new.action, lambda: True)
    finally:
        forget(ports, new.step.run.id)


async def _begun(ports: Ports, new: NewRun, worker: str) -> Run | None:
    """Write a new run down with its start, and say so to who handed it over; None where that can't be done."""
    run, action = new.step.run, new.action
    try:
        start = await _started(ports, run, worker, new.policies)
        await record(
            ports,
            new.step,
            start,
            delivery=new.delivery,
            scripts=action.scripts,
            secrets=new.secrets,
            locks=action.lock_names(run.request.arguments),
            limits=action.limits(ports.target_at_once),
        )
    except Exception as error:
        new.settle(error)
        return None
    except asyncio.CancelledError:
        new.settle(Unavailable(STOPPED))
        raise
    new.settle()
    return start.run


async def _started(ports: Ports, run: Run, worker: str, policies: tuple[str, ...]) -> Step:
    before = await comparable(ports, run.request.action)
    return advance(
        run, Happening(Event.START, worker=worker, policies=policies, comparable=before), ports.clock.now()
    )


async def _cleared(ports: Ports, run: Run) -> Cleared | None:
    try:
        return await clear(ports, run)
    except Conflict:
        return None


async def _start(ports: Ports, run: Run, cleared: Cleared, worker: str, alive: Callable[[], bool]) -> None:
    """Take a cleared run to its end, unless another worker was first. Raises Busy."""
    start = await _started(ports, run, worker, cleared.policies)
    locks = cleared.action.lock_names(run.request.arguments)
    try:
        await record(ports, start, locks=locks, limits=cleared.action.limits(ports.target_at_once))
    except Busy:
        raise
    except Conflict:
        return
    await _carry_out(ports, start.run, cleared.action, alive)


async def _carry_out(ports: Ports, run: Run, action: Action, alive: Callable[[], bool]) -> None:
    """Take a run that has begun to its end."""
    async with ports.running.begin(run.id) as stop:
        ended = await _run(ports, run, action, stop) if alive() else unknown(CUT_OFF)
    await _finish(ports, run, ended)


async def _run(ports: Ports, run: Run, cleared: Action, stop: Stop) -> Ended:
    """Start the script and its check. Whatever goes wrong from here on, the run ends and says so."""
    try:
        async with AsyncExitStack() as stack:
            try:
                action = await from_store(ports, cleared)
                secrets = await _secret_arguments(ports, run)
                credentials = await stack.enter_async_context(leased(ports, run.request.credentials, run.id))
            except DeputyError as error:
                return not_started(str(error))
            arguments = {**run.request.arguments, **secrets}
            return await _scripts(
                ports, run, Performance(run.id, action, action.script, arguments), credentials, stop
            )
    except Exception:
        log.exception("%s was lost by a fault of Deputy's own", run.id)
        return unknown("Deputy failed while this was running, so nobody knows how far it came.")


async def _scripts(ports: Ports, run: Run, what: Performance, credentials: Credentials, stop: Stop) -> Ended:
    done = await perform(ports, what, credentials, stop, _Tail(ports, run))
    check = None
    if event_of(done) is Event.SUCCEED and what.action.verify:
        checking = replace(what, script=what.action.verify)
        check = await perform(ports, checking, credentials, stop, lambda text: None)
    return ended(ports, run, done, check)


async def _finish(ports: Ports, run: Run, end: Ended) -> None:
    """Write the end. A database out of reach is waited for: the script has ended, so this must not be lost."""
    pause = 0.1
    while True:
        try:
            await record(ports, advance(run, end.happening, ports.clock.now()), output=end.output)
            return
        except Conflict:
            await _note_late(ports, run, end)
            return
        except Unavailable as error:
            log.error("the end of %s can't be written yet: %s", run.id, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        except DeputyError as error:
            if end.output is None:
                raise
            log.error("the outcome of %s can't be kept: %s", run.id, error)
            end = unknown(f"It ended, but its outcome could not be kept ({error}).")


async def _note_late(ports: Ports, run: Run, end: Ended) -> None:
    """Write down how a script ended after its run was given up: its state stays, but who asks can find it."""
    log.warning("%s ended after it was given up; its late result changes nothing", run.id)
    outcome = end.happening.outcome
    facts: dict[str, Json] = {"worker": run.worker, "attempt": run.attempt, "event": end.happening.event.value}
    facts |= {"summary": outcome.summary, "code": outcome.code} if outcome else {}
    await note(ports, Draft(Tag.RUN_ENDED_LATE, DEPUTY, run.id, ports.clock.now(), facts))


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
        self._chat = None if run.private else ports.engine.relay or ports.chats.get(run.place.platform)
        self._run = run
        self._text = ""

    def __call__(self, text: str) -> None:
        if self._chat:
            self._text = (self._text + text)[-4000:]
            self._chat.progress(self._run.place, self._run.id, "\n".join(self._text.splitlines()[-LIVE_LINES:]))
