"""`deputy demo`, `serve` and `worker`: bring Deputy up and keep it up until it is told to stop."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from bot.demo.world import World
from bot.settings import Settings, make_data_dir, read
from bot.start import check, claimed


def demo() -> None:
    """Run the whole of Deputy on this machine: a channel in the browser, people to be, actions to run."""
    asyncio.run(_demo(replace(read(), local_chat=True)))


def serve() -> None:
    """Run Deputy with the chats that the settings name."""
    asyncio.run(_serve(read()))


def worker() -> None:
    """Only run scripts, beside `deputy serve` and any number of other workers, on one PostgreSQL database."""
    asyncio.run(_worker(read()))


async def _worker(settings: Settings) -> None:
    check(settings, doors=False)
    from bot.app import running

    async with running(settings, None):
        print("The worker is ready.", flush=True)
        await _told_to_stop()
        print("The worker stops.", file=sys.stderr)


@asynccontextmanager
async def with_world(settings: Settings) -> AsyncIterator[str]:
    """Bring Deputy up in the demo's world, and both down again; yields the channel's address."""
    with claimed(settings) as listener:
        make_data_dir(settings.data_dir)
        world = World()
        try:
            await world.start(settings.data_dir)  # first: its servers start while this process still imports
            from bot.app import running
            from bot.demo.settle import settle

            async with running(settings, listener, partial(settle, world)) as address:
                yield address
        finally:
            await world.stop()


async def _demo(settings: Settings) -> None:
    async with with_world(settings) as address:
        print(f"Deputy is ready. Open {address} and choose who you are. Stop it with Ctrl-C.", flush=True)
        await _told_to_stop()
        print("Deputy stops.", file=sys.stderr)


async def _serve(settings: Settings) -> None:
    with claimed(settings) as listener:
        from bot.app import running

        async with running(settings, listener) as address:
            print(f"Deputy is ready at {address}.", flush=True)
            await _told_to_stop()
            print("Deputy stops.", file=sys.stderr)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
