"""`deputy demo`, `serve` and `worker`: bring Deputy up and keep it up until it is told to stop."""

import asyncio
import signal
import sys
from dataclasses import replace

from bot.demo.world import World
from bot.settings import Settings, make_data_dir, read


def demo() -> None:
    """Run the whole of Deputy on this machine: a channel in the browser, people to be, actions to run."""
    asyncio.run(_demo(replace(read(), local_chat=True), World()))


def serve() -> None:
    """Run Deputy with the chats that the settings name."""
    asyncio.run(_serve(read()))


def worker() -> None:
    """Only run scripts, beside `deputy serve` and any number of other workers, on one PostgreSQL database."""
    asyncio.run(_worker(read()))


async def _worker(settings: Settings) -> None:
    from bot.app import running

    async with running(settings, doors=False):
        print("The worker is ready.", flush=True)
        await _told_to_stop()
        print("The worker stops.", file=sys.stderr)


async def _demo(settings: Settings, world: World) -> None:
    make_data_dir(settings.data_dir)
    await world.start(settings.data_dir)  # first: its servers start while this process still imports
    try:
        await _up(settings, world)
    finally:
        await world.stop()


async def _up(settings: Settings, world: World) -> None:
    from bot.app import running
    from bot.core.lifecycle import DEPUTY

    async with running(settings) as deputy:
        await world.ready()
        await deputy.keep(world.credentials, DEPUTY)
        print(f"Deputy is ready. Open {deputy.address} and choose who you are. Stop it with Ctrl-C.", flush=True)
        await _told_to_stop()
        print("Deputy stops.", file=sys.stderr)


async def _serve(settings: Settings) -> None:
    from bot.app import running

    async with running(settings) as deputy:
        print(f"Deputy is ready at {deputy.address}.", flush=True)
        await _told_to_stop()
        print("Deputy stops.", file=sys.stderr)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
