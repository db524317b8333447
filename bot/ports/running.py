"""What there is to run, who runs it, and what runs now."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.action import Action
from bot.core.catalog import Catalog
from bot.core.lifecycle import Step
from bot.core.principal import Who
from bot.core.run import Place
from bot.core.work import Exit, Work
from bot.ports.store import Delivery
from bot.ports.vault import SecretRow


class CatalogSource(Protocol):
    """Where actions come from. Edits show at once: what is returned is what lies there now."""

    def catalog(self) -> Catalog:
        """Return every action, and the fault of every broken one."""

    def action(self, name: str) -> Action:
        """Return one action as it lies there now. Raises NotFound, or Invalid where it is broken."""

    def interpreter(self, action: Action) -> str:
        """Name what runs the action's script, exactly: path, version and SHA-256. Raises Unavailable."""


class Stop(Protocol):
    """Tells a runner to stop: an `asyncio.Event` is one."""

    def is_set(self) -> bool: ...

    async def wait(self) -> object: ...


class Runner(Protocol):
    """Runs scripts somewhere, leaving nothing behind."""

    async def run(self, work: Work, output: Callable[[bytes], None], stop: Stop) -> Exit:
        """Run to the end, handing raw output over as it comes. Never raises for what a script does."""

    def expect(self, work: Work) -> None:
        """Get ready for what will probably run in a moment; of its secrets only the names need be known."""

    def forget(self, run: str) -> None:
        """Expect a run no more; where it ran, that changes nothing."""


class Relay(Protocol):
    """Says the last lines of running scripts to every process; none is kept, and some may be lost."""

    def progress(self, place: Place, run: str, lines: str) -> None:
        """Say the last lines of a run that goes on in this process; coalesced."""

    def hear(self, show: Callable[[Place, str, str], None]) -> None:
        """Hand over what is said in any process from now on."""


@dataclass(frozen=True)
class NewRun:
    """A run that was permitted a moment ago and is nowhere written down: that happens together with its start.

    `action` is what starts, `policies` are those that permit it now. `written` is done when it is, or has the
    error that kept it from being written: then nothing was done.
    """

    step: Step
    action: Action
    policies: tuple[str, ...]
    delivery: Delivery
    secrets: tuple[SecretRow, ...] = ()
    written: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, error: Exception | None = None) -> None:
        """Say that it is written, or why not."""
        if self.written.done():
            return  # nobody waits for it any more
        if error:
            self.written.set_exception(error)
        else:
            self.written.set_result(None)


class Engine(Protocol):
    """Tells workers that a run is queued. The store is the truth; a lost word costs only time."""

    @property
    def exclusive(self) -> bool:
        """Whether no other process works on the same data: what runs at the start was lost with the last one."""

    @property
    def delivers(self) -> bool:
        """Whether it is this process's turn to deliver posts: one at a time does."""

    @property
    def relay(self) -> "Relay | None":
        """What says a running script's lines to every process; None where there is but this one."""

    async def enqueue(self, run: str) -> None:
        """Say that a run was queued just now."""

    async def remind(self, run: str) -> None:
        """Say again that a run is queued, for the first word may be lost."""

    def hand_over(self, new: NewRun) -> bool:
        """Hand a new run to a worker who begins with it now; False where none is free for it."""

    async def work(self, execute: Callable[[str | NewRun], Awaitable[None]], concurrency: int) -> None:
        """Hand queued and new runs to `execute`, at most `concurrency` at once, until cancelled."""

    def knock(self) -> None:
        """Say that posts wait in the outbox."""

    async def knocked(self, seconds: float) -> None:
        """Wait until somebody knocks, `seconds` at most."""


class Running(Protocol):
    """The scripts that run in this process now."""

    def stop(self, run: str, by: Who) -> bool:
        """Ask a running script to stop; False where it doesn't run here."""

    def here(self) -> Sequence[str]:
        """Return the ids of the runs whose scripts run in this process."""

    def stop_all(self) -> None:
        """Ask every script to stop, though nobody cancelled it."""

    def begin(self, run: str) -> AbstractAsyncContextManager["Stop"]:
        """Keep a run among those that can be stopped, for as long as it runs."""

    def stopped_by(self, run: str) -> Who | None:
        """Return who asked a run to stop, or None."""
