"""Starting a script: its bytes from the store, its credentials from the vault, its output through the pipeline."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from bot.core.action import Action, Script
from bot.core.canonical import LARGEST, Json
from bot.core.errors import Damaged, DeputyError
from bot.core.output import Cleaner, Pipeline
from bot.core.parameter import Value
from bot.core.redact import Redactor
from bot.core.run import Run
from bot.core.secret import PLAIN_FIELDS, Secret
from bot.core.work import Exit, ExitReason, Work
from bot.ports import Ports, Stop

log = logging.getLogger(__name__)
Credentials = Mapping[str, Mapping[str, Secret]]
DEEPEST = 20


@dataclass(frozen=True)
class Performance:
    """One start: what runs, for which run, with what. `credentials` maps names to `reference@version`."""

    run: str
    action: Action
    script: Script
    arguments: Mapping[str, Value | Secret]


@dataclass(frozen=True)
class Performed:
    """How it went; everything in it is redacted."""

    exit: Exit
    output: str
    result: Json
    truncated: bool


async def perform(
    ports: Ports, what: Performance, credentials: Credentials, stop: Stop, say: Callable[[str], None]
) -> Performed:
    """Run one script to its end, saying its clean output as it comes."""
    redactor = Redactor(_secrets(what.arguments, credentials))
    pipeline = Pipeline(redactor)
    work = Work(what.run, what.action, what.script, what.arguments, credentials, what.action.timeout)

    def output(data: bytes) -> None:
        text = pipeline.feed(data)
        if text:
            say(text)

    exit_ = await ports.runners[what.action.runner].run(work, output, stop)
    pipeline.close()
    if exit_.reason is ExitReason.OUTPUT_LIMIT:
        exit_ = replace(exit_, sentence="It wrote more than Deputy takes and was stopped.")
    clean = replace(exit_, sentence=redactor.text(_clean(exit_.sentence)).replace("\n", " "), result=None)
    return Performed(clean, pipeline.text, redactor.json(_exact(exit_.result)), pipeline.truncated)


def expect(ports: Ports, run: Run, action: Action) -> None:
    """Have the runner get ready for a run where nothing else runs here; nothing of it begins by that."""
    if ports.running.here():
        return
    hidden = dict.fromkeys(action.secrets, Secret(""))
    arguments = {**run.request.arguments, **{name: hidden[name] for name in hidden & run.request.arguments.keys()}}
    credentials: Credentials = {name: {} for name in run.request.credentials}
    work = Work(run.id, action, action.script, arguments, credentials, action.timeout)
    ports.runners[action.runner].expect(work)


def forget(ports: Ports, run: str) -> None:
    """Have the runners expect a run no more; where it ran, that changes nothing."""
    for runner in ports.runners.values():
        runner.forget(run)


@asynccontextmanager
async def leased(ports: Ports, credentials: Mapping[str, str], run: str) -> AsyncIterator[Credentials]:
    """Lease every credential for one run and give each back, whatever happens."""
    leases: dict[str, Mapping[str, Secret]] = {}
    taken: list[str] = []
    try:
        for name, sealed in credentials.items():
            reference, _, version = sealed.rpartition("@")
            taken.append(reference)
            leases[name] = await ports.vault.lease(reference, int(version), run)
        yield leases
    finally:
        for reference in taken:
            try:
                await ports.vault.revoke(reference, run)
            except DeputyError as error:  # what the script did is done; a lease ends by itself
                log.error("the lease of %s for %s was not given back: %s", reference, run, error)


async def from_store(ports: Ports, action: Action) -> Action:
    """Return the action with the bytes the store has under the hashes that were sealed (rule 3)."""

    async def stored(script: Script) -> Script:
        found = Script(script.name, await ports.store.script(script.sha))
        if found.sha != script.sha:
            raise Damaged(f"The stored copy of {script.name} is damaged, so nothing was started.")
        return found

    return replace(
        action,
        script=await stored(action.script),
        libraries=tuple([await stored(library) for library in action.libraries]),
        verify=await stored(action.verify) if action.verify else None,
    )


def _secrets(arguments: Mapping[str, Value | Secret], credentials: Credentials) -> dict[str, Secret]:
    """Everything to be kept out of the output: what is not known to be plain is a secret."""
    found = {name: value for name, value in arguments.items() if isinstance(value, Secret)}
    for credential, fields in credentials.items():
        found |= {f"{credential}.{name}": value for name, value in fields.items() if name not in PLAIN_FIELDS}
    return found


def _clean(text: str) -> str:
    """Take out of a text of the script's what its output is cleaned of."""
    return Cleaner().feed(text)


def _exact(value: Any, depth: int = 0) -> Json:
    """Turn what a script returned into JSON that can be sealed and shown: a float becomes its shortest decimal."""
    if depth > DEEPEST:
        return "… (nested too deeply)"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and abs(value) > LARGEST:
        return str(value)
    if isinstance(value, Mapping):
        return {_clean(str(key)): _exact(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item, depth + 1) for item in value]
    return value if value is None or isinstance(value, bool | int) else _clean(str(value))
