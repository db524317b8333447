"""The composition root: the only file that names concrete backends and puts them together."""

import asyncio
import gc
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from aiohttp import web

from bot.catalog.folder import Folder
from bot.chat.local.listen import Person, application
from bot.chat.local.post import PLACE, LocalChat
from bot.core.command import VERBS
from bot.core.errors import Invalid, Unavailable
from bot.core.principal import Account
from bot.engine.embedded import EmbeddedEngine
from bot.engine.lock import only_one
from bot.engine.running import RunningHere
from bot.identity.local import PEOPLE, LocalDirectory, LocalPerson
from bot.policy.cedar import CedarPolicy
from bot.ports import Ports
from bot.runners.local import LocalRunner, harden_process, interpreter_of
from bot.service.desk import Desk
from bot.service.query import may_do
from bot.service.reply import Caller
from bot.settings import Settings, check_folders, make_data_dir
from bot.store.database import SqlStore, open_store
from bot.vault.builtin import BuiltinVault, open_vault
from bot.worker import Worker

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no letter is taken for another
# What each person of the local channel may want to try first, where it is there and theirs.
EXAMPLES = {
    "helpdesk": ("unlock-account alice", "reset-password bob"),
    "manager": ("approvals", "show-account bob", "whoami"),
    "oncall": ("disk-usage", "restart-service web", "clean-old-files"),
    "engineer": ("top-processes", "check-url", "approvals"),
    "nobody": ("whoami",),
}


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)


def nonce() -> str:
    """Return a random text of 26 characters (130 bits) that is easy to read aloud."""
    return "".join(secrets.choice(ALPHABET) for _ in range(26))


def catalog_of(settings: Settings) -> Folder:
    """Return the catalogue that the settings name."""
    return Folder(settings.actions_dir, interpreter_of)


@asynccontextmanager
async def data(settings: Settings) -> AsyncIterator[tuple[SqlStore, BuiltinVault]]:
    """Open the database and the vault, without working on runs: any number of processes may."""
    make_data_dir(settings.data_dir)
    store = await open_store(settings.database)
    try:
        yield store, await open_vault(settings.key_file, store)
    finally:
        await store.close()


async def nothing(store: SqlStore, vault: BuiltinVault) -> None:
    """Prepare nothing."""


@asynccontextmanager
async def running(
    settings: Settings, prepare: Callable[[SqlStore, BuiltinVault], Awaitable[None]] = nothing
) -> AsyncIterator[str]:
    """Bring everything up, in the order in which it depends on each other, and down again.

    Yields the address of the local channel. `prepare` is done with the data before any run can start.
    """
    if not settings.local_chat:
        raise Invalid(
            "No chat is set up. Set it to 1 for the local channel, or run `deputy demo`.", "DEPUTY_LOCAL_CHAT"
        )
    async with AsyncExitStack() as stack:
        check_folders(settings)
        make_data_dir(settings.data_dir)
        stack.enter_context(only_one(settings.data_dir))
        harden_process()
        store, vault = await stack.enter_async_context(data(settings))
        await store.check()
        runner, catalog = LocalRunner(settings.data_dir / "runs"), catalog_of(settings)
        stack.push_async_callback(runner.close)
        # Whoever asks first doesn't wait for the catalogue; the others wait for processes meanwhile.
        await asyncio.gather(runner.open(), prepare(store, vault), asyncio.to_thread(catalog.refresh))
        here = RunningHere()
        policy = CedarPolicy(settings.policies_dir)
        channel = LocalChat(store, SystemClock())
        ports = Ports(
            clock=SystemClock(),
            directory=LocalDirectory(policy.roles),
            policy=policy,
            catalog=catalog,
            vault=vault,
            store=store,
            engine=EmbeddedEngine(),
            runners={"local": runner},
            chats={"local": channel},
            running=here,
            nonce=nonce,
            approval_ttl=settings.approval_ttl,
            private_ttl=settings.private_ttl,
        )
        site = application(Desk(ports), channel, [await person(ports, one) for one in PEOPLE])
        listener = listen_on(settings)
        worker = Worker(ports, f"{socket.gethostname()}:{os.getpid()}", settings.concurrency)
        await worker.start()
        stack.push_async_callback(worker.close)
        stack.callback(here.stop_all)
        stack.push_async_callback((await serve(site, listener)).cleanup)
        gc.freeze()  # what is there now stays: each collection that looked through it took 8 ms
        yield address(settings, listener)


async def person(ports: Ports, one: LocalPerson) -> Person:
    """Return somebody to be, with three things to try that they may do in this catalogue."""
    caller = Caller(await ports.directory.principal(Account(PLACE.platform, one.account)), PLACE)
    known = {*VERBS, *may_do(ports, caller)}
    tries = [f"/deputy {text}" for text in EXAMPLES[one.account] if text.split()[0] in known]
    return Person(one.account, one.name, one.title, (*tries, "/deputy", "/deputy help")[:3])


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


def address(settings: Settings, listener: socket.socket) -> str:
    """Return the address of a page that listens on loopback."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


async def serve(site: web.Application, listener: socket.socket) -> web.AppRunner:
    """Serve an application."""
    server = web.AppRunner(site, access_log=None, shutdown_timeout=2.0)
    await server.setup()
    await web.SockSite(server, listener).start()
    return server
