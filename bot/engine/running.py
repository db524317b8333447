"""The scripts that run in this process now, so that they can be asked to stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.core.principal import Who


@dataclass
class _Script:
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    by: Who | None = None


class RunningHere:
    """Satisfies `Running` for one process."""

    def __init__(self) -> None:
        self._scripts: dict[str, _Script] = {}

    def stop(self, run: str, by: Who) -> bool:
        """Ask a running script to stop; False where it doesn't run here."""
        script = self._scripts.get(run)
        if script is None:
            return False
        script.by = script.by or by
        script.stop.set()
        return True

    def here(self) -> list[str]:
        """Return the ids of the runs whose scripts run in this process."""
        return list(self._scripts)

    def stop_all(self) -> None:
        """Ask every script to stop because the process ends or is taken for dead: nobody cancelled them."""
        for script in self._scripts.values():
            script.stop.set()

    def stopped_by(self, run: str) -> Who | None:
        """Return who asked a run to stop, or None."""
        script = self._scripts.get(run)
        return script.by if script else None

    @asynccontextmanager
    async def begin(self, run: str) -> AsyncIterator[asyncio.Event]:
        """Keep a run among those that can be stopped, for as long as it runs."""
        script = self._scripts[run] = _Script()
        try:
            yield script.stop
        finally:
            del self._scripts[run]
