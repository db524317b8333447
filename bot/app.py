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
from bot.core.errors import Invalid, Unavailable
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
from bot.settings import Settings, check_folders, make_data_dir
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
    prepare: Callable[[SqlStore, BuiltinVault], Awaitable[None]] = nothing,
    *,
    doors: bool = True,
) -> AsyncIterator[str]:
    """Bring everything up, in the order in which it depends on each other, and down again.

    Yields the address of the local channel. `prepare` is done with the data before any run can start.
    Without `doors` it only works on runs: no chat is listened to and nothing is posted.
    """
    check_plan(settings, doors)
    async with AsyncExitStack() as stack:
        check_folders(settings)
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
            chats = await stack.enter_async_context(doors_of(settings, store, clock, people, watch.situation))
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
        listener = listen_on(settings) if doors else None
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


def check_plan(settings: Settings, doors: bool) -> None:
    """Raise Invalid naming the setting without which nobody could come in, or do anything there."""
    if doors and not (settings.local_chat or settings.slack):
        raise Invalid(
            "No chat is set up. Set it to 1 for the local channel, run `deputy demo`, or set up Slack "
            "(DEPUTY_SLACK_BOT_TOKEN).",
            "DEPUTY_LOCAL_CHAT",
        )
    if doors and settings.slack and not (settings.links_file or settings.entra_tenant):
        raise Invalid(
            "Without it no account in Slack is anybody's: connect Entra ID, or name a file of people with "
            "DEPUTY_LINKS_FILE.",
            "DEPUTY_ENTRA_TENANT",
        )
    if settings.links_file and settings.entra_tenant:
        raise Invalid("People come from Entra ID or from a file: set one of the two.", "DEPUTY_LINKS_FILE")
    if not doors and not settings.database_url:
        raise Invalid(
            "Workers beside `deputy serve` need a PostgreSQL database to share; on SQLite it does all the work.",
            "DEPUTY_DATABASE_URL",
        )


def listen_on(settings: Settings) -> socket.socket:
    """Take the port. Raises Unavailable naming it where somebody else has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"Port {settings.port} on {settings.host} can't be taken: {(error.strerror or str(error)).lower()}. "
            "Stop what listens there, or choose another with DEPUTY_PORT."
        ) from None
    return listener


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
