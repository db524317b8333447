"""A runner whose scripts wait to be told how they end, and say every secret they were given."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.core.secret import Secret
from bot.core.work import Exit, ExitReason, Work
from bot.ports import Stop

FOR_ONE_ONLY = "for-your-eyes-only"  # what the script of a private action says


@dataclass(frozen=True, eq=False)
class Paused:
    """A script that was started and waits."""

    work: Work
    stop: Stop
    end: asyncio.Future[Exit]

    @property
    def waits(self) -> bool:
        return not self.end.done() and not self.stop.is_set()


class PausedScripts:
    """Satisfies `Runner`. `started` gets everything that was ever started; `begun` is done at the next start."""

    def __init__(self, started: list[Work]) -> None:
        self.started = started
        self.paused: list[Paused] = []
        self.begun = asyncio.get_running_loop().create_future()

    def waiting(self) -> list[str]:
        """Return the runs whose scripts wait, one by one."""
        return [script.work.run for script in self.paused if script.waits]

    def end(self, run: str, how: Exit) -> None:
        """Let a run's script end."""
        for script in self.paused:
            if script.work.run == run:
                said = {"note": _said(script.work)}
                script.end.set_result(replace(how, result=said, sentence=said["note"] if how.code else ""))

    def expect(self, work: Work) -> None:
        pass

    def forget(self, run: str) -> None:
        pass

    async def run(self, work: Work, output: Callable[[bytes], None], stop: Stop) -> Exit:
        self.started.append(work)
        script = Paused(work, stop, asyncio.get_running_loop().create_future())
        self.paused.append(script)
        output(_said(work).encode())
        self.begun.set_result(None)
        self.begun = asyncio.get_running_loop().create_future()
        stopped = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([script.end, stopped], return_when=asyncio.FIRST_COMPLETED)
            return script.end.result() if script.end.done() else Exit(ExitReason.STOPPED)
        finally:
            stopped.cancel()
            self.paused.remove(script)


def _said(work: Work) -> str:
    secrets = [value for value in work.arguments.values() if isinstance(value, Secret)]
    secrets += [value for fields in work.credentials.values() for value in fields.values()]
    return f"{FOR_ONE_ONLY if work.action.private else 'hello'} {' '.join(one.reveal() for one in secrets)}"
