"""The composition root: the only file that names concrete backends and puts them together."""

import asyncio
import gc
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger

from bot.catalog.folder import Folder
from bot.doors import Doors, doors_of
from bot.engine.embedded import EmbeddedEngine
from bot.engine.lock import only_one
from bot.engine.running import RunningHere
from bot.identity import pages
from bot.oncall import schedule, source
from bot.oncall.watch import Watch
from bot.people import people_of
from bot.policy.cedar import CedarPolicy
from bot.ports import Engine, Ports
from bot.runners.local import LocalRunner, harden_process, interpreter_of
from bot.settings import Settings, make_data_dir
from bot.store.database import Announce, SqlStore, open_store
from bot.vault.builtin import BuiltinVault, open_vault
from bot.worker import Worker

log = logging.getLogger(__name__)

# New objects until a collection, and the like: a run makes thousands, hardly any of them in cycles.
COLLECT = 10_000, 20, 20
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no letter is taken for another


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)


def nonce() -> str:
    """Return a random text of 26 characters (130 bits) that is easy to read aloud."""
    return "".join(ALPHABET[byte % 32] for byte in secrets.token_bytes(26))


def catalog_of(settings: Settings) -> Folder:
    """Return the catalogue that the settings name."""
    return Folder(settings.actions_dir, interpreter_of)


@asynccontextmanager
async def data(
    settings: Settings, announce: Announce | None = None
) -> AsyncIterator[tuple[SqlStore, BuiltinVault]]:
    """Open the database and the vault, without working on runs: any number of processes may."""
    make_data_dir(settings.data_dir)
    store = await open_store(settings.database, announce)
    try:
        yield store, await open_vault(settings.key_file, store)
    finally:
        await store.close()


async def bring_up_to_date(settings: Settings) -> None:
    """Bring every table up to date, the engine's too. Raises Unavailable."""
    make_data_dir(settings.data_dir)
    await (await open_store(settings.database)).close()
    if settings.database_url:
        from bot.engine.procrastinate import prepare_queue

        await prepare_queue(settings.database_url)


@asynccontextmanager
async def backing(settings: Settings, *, delivers: bool) -> AsyncIterator[tuple[SqlStore, BuiltinVault, Engine]]:
    """Open the database, the vault and the engine that goes with it: SQLite is for one process at a time."""
    make_data_dir(settings.data_dir)
    if not settings.database_url:
        with only_one(settings.data_dir):
            async with data(settings) as (store, vault):
                yield store, vault, EmbeddedEngine()
        return
    from bot.engine.procrastinate import announce, procrastinate_engine  # it takes long to import

    async with (
        data(settings, announce) as (store, vault),
        procrastinate_engine(settings.database_url, delivers=delivers) as engine,
    ):
        yield store, vault, engine


async def nothing(store: SqlStore, vault: BuiltinVault) -> None:
    """Prepare nothing."""


@asynccontextmanager
async def running(
    settings: Settings,
    listener: socket.socket | None,
    prepare: Callable[[SqlStore, BuiltinVault], Awaitable[None]] = nothing,
) -> AsyncIterator[str]:
    """Bring everything up, in the order in which it depends on each other, and down again.

    Yields the address of the local channel. `prepare` is done with the data before any run can start.
    Without a `listener` it only works on runs: no chat is listened to and nothing is posted.
    """
    doors = listener is not None
    async with AsyncExitStack() as stack:
        harden_process()
        store, vault, engine = await stack.enter_async_context(backing(settings, delivers=doors))
        await store.check()
        runner, catalog = LocalRunner(settings.data_dir / "runs"), catalog_of(settings)
        stack.push_async_callback(runner.close)
        clock, policy = SystemClock(), CedarPolicy(settings.policies_dir)
        watch = Watch(settings.policies_dir / schedule.FILE, clock.now, source.ask)
        # Whoever asks first waits for none of these; they wait for each other's processes and sources meanwhile.
        reading = asyncio.to_thread(catalog.refresh)
        await asyncio.gather(runner.open(), prepare(store, vault), reading, watch.refresh())
        people = await stack.enter_async_context(people_of(settings, store, policy, clock))
        chats = Doors()
        if doors:
            chats = await stack.enter_async_context(
                doors_of(settings, store, clock, people, watch.situation, alone=engine.exclusive)
            )
        stack.callback(asyncio.create_task(watch.keep()).cancel)
        ports = Ports(
            clock=clock,
            situation=watch.situation,
            directory=people.directory,
            policy=policy,
            catalog=catalog,
            vault=vault,
            store=store,
            engine=engine,
            runners={"local": runner},
            chats=chats.chats,
            running=(here := RunningHere()),
            nonce=nonce,
            approval_ttl=settings.approval_ttl,
            private_ttl=settings.private_ttl,
            target_at_once=settings.target_at_once,
            link_page=f"{settings.public_url}{pages.PREFIX}" if people.sign_in else "",
        )
        worker = Worker(ports, f"{socket.gethostname()}:{os.getpid()}:{nonce()[:6]}", settings.concurrency)
        await worker.start()
        stack.push_async_callback(worker.close)
        stack.callback(here.stop_all)
        if listener:
            site = await stack.enter_async_context(chats.open(ports, people.pages(ports)))
            stack.push_async_callback((await serve(site, listener)).cleanup)
            if chats.local and not engine.exclusive:
                stack.callback(asyncio.create_task(chats.local.follow()).cancel)
        gc.freeze()  # what is there now stays: each collection that looked through it took 8 ms
        gc.set_threshold(*COLLECT)
        yield settings.address(listener.getsockname()[1]) if listener else ""


class _Malformed(logging.Filter):
    """Tells of what came in and is no HTTP only where more is to be logged, in one line and without quoting it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)):
            return True
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.exc_info = "what came from %s is no HTTP that can be answered", None
        return log.isEnabledFor(logging.INFO)


_MALFORMED = _Malformed()


async def serve(site: web.Application, listener: socket.socket) -> web.AppRunner:
    """Serve an application."""
    server_logger.addFilter(_MALFORMED)
    server = web.AppRunner(site, access_log=None, shutdown_timeout=2.0)
    await server.setup()
    await web.SockSite(server, listener).start()
    return server
