"""The composition root: the only file that names concrete backends and puts them together."""

import asyncio
import gc
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from bot.catalog.folder import Folder
from bot.chat.local.listen import Person, application
from bot.chat.local.post import PLACE, LocalChat
from bot.core.command import VERBS
from bot.core.errors import DeputyError, Invalid, Unavailable
from bot.core.principal import Account
from bot.engine.embedded import EmbeddedEngine
from bot.engine.lock import only_one
from bot.engine.running import RunningHere
from bot.identity import pages
from bot.identity.local import PEOPLE, LocalDirectory, LocalPerson
from bot.oncall import schedule, source
from bot.oncall.watch import Watch
from bot.policy.cedar import CedarPolicy
from bot.ports import Engine, Ports
from bot.runners.local import LocalRunner, harden_process, interpreter_of
from bot.service.desk import Desk
from bot.service.query import may_do
from bot.service.reply import Caller
from bot.settings import Settings, check_folders, make_data_dir
from bot.store.database import Announce, SqlStore, open_store
from bot.vault.builtin import BuiltinVault, open_vault
from bot.worker import Worker

if TYPE_CHECKING:
    from bot.identity.opening import Entra

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
    _check_plan(settings, doors)
    async with AsyncExitStack() as stack:
        check_folders(settings)
        harden_process()
        store, vault, engine = await stack.enter_async_context(backing(settings, delivers=doors))
        await store.check()
        runner, catalog = LocalRunner(settings.data_dir / "runs"), catalog_of(settings)
        stack.push_async_callback(runner.close)
        # Whoever asks first doesn't wait for the catalogue; the others wait for processes meanwhile.
        await asyncio.gather(runner.open(), prepare(store, vault), asyncio.to_thread(catalog.refresh))
        here = RunningHere()
        policy = CedarPolicy(settings.policies_dir)
        channel = LocalChat(store, SystemClock())
        entra = await open_identity(stack, settings, store, policy)
        watch = Watch(settings.policies_dir / schedule.FILE, SystemClock().now, source.ask)
        stack.callback(asyncio.create_task(watch.keep()).cancel)
        ports = Ports(
            clock=SystemClock(),
            situation=watch.situation,
            directory=entra.directory if entra else LocalDirectory(policy.roles),
            policy=policy,
            catalog=catalog,
            vault=vault,
            store=store,
            engine=engine,
            runners={"local": runner},
            chats={"local": channel} if doors else {},
            running=here,
            nonce=nonce,
            approval_ttl=settings.approval_ttl,
            private_ttl=settings.private_ttl,
            link_page=f"{settings.public_url}{pages.PREFIX}" if entra else "",
        )
        listener = listen_on(settings) if doors else None
        worker = Worker(ports, f"{socket.gethostname()}:{os.getpid()}", settings.concurrency)
        await worker.start()
        stack.push_async_callback(worker.close)
        stack.callback(here.stop_all)
        if listener:
            site = application(Desk(ports), channel, [await person(ports, one) for one in PEOPLE])
            if entra:
                site.add_subapp(pages.PREFIX, pages.application(ports, entra.sign_in))
            stack.push_async_callback((await serve(site, listener)).cleanup)
        gc.freeze()  # what is there now stays: each collection that looked through it took 8 ms
        yield address(settings, listener) if listener else ""


async def open_identity(
    stack: AsyncExitStack, settings: Settings, store: SqlStore, policy: CedarPolicy
) -> "Entra | None":
    """Open Entra ID until the stack is closed, None where it isn't set up. Raises Invalid naming the setting."""
    if not settings.entra_tenant:
        return None
    from bot.identity.opening import open_entra  # MSAL takes long to import
    from bot.identity.registration import Registration

    registration = Registration(
        tenant=settings.entra_tenant.lower(),
        client=settings.entra_client_id.lower(),
        secret=settings.entra_client_secret,
        certificate=Path(settings.entra_certificate) if settings.entra_certificate else None,
        authority=settings.entra_authority,
        graph=settings.graph_url,
    )
    entra = open_entra(
        registration,
        f"{settings.public_url}{pages.BACK}",
        link=store.link,
        roles=policy.roles,
        groups=policy.groups,
        relink=timedelta(days=settings.link_days),
        now=SystemClock().now,
    )
    return await stack.enter_async_context(entra)


async def person(ports: Ports, one: LocalPerson) -> Person:
    """Return somebody to be, with three things to try that they may do in this catalogue."""
    known = set(VERBS)
    try:
        caller = Caller(await ports.directory.principal(Account(PLACE.platform, one.account)), PLACE)
        known |= may_do(ports, caller).keys()
    except DeputyError:
        pass  # linked to nobody yet, or the directory is out of reach: only what needs no rights is offered
    tries = [f"/deputy {text}" for text in EXAMPLES[one.account] if text.split()[0] in known]
    return Person(one.account, one.name, one.title, (*tries, "/deputy", "/deputy help")[:3])


def _check_plan(settings: Settings, doors: bool) -> None:
    if doors and not settings.local_chat:
        raise Invalid(
            "No chat is set up. Set it to 1 for the local channel, or run `deputy demo`.", "DEPUTY_LOCAL_CHAT"
        )
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
