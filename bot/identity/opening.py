"""Putting the parts together by which Deputy speaks with Entra ID."""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp

from bot.core.errors import Unavailable
from bot.core.linking import Link
from bot.core.principal import Account
from bot.identity.entra import EntraDirectory, Roles
from bot.identity.graph import Graph
from bot.identity.idtoken import IdTokens, SigningKeys
from bot.identity.registration import EntraApp, Registration
from bot.identity.signin import SignIn

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entra:
    """Entra ID, ready to be asked: who people are, and how they prove it."""

    directory: EntraDirectory
    sign_in: SignIn


@asynccontextmanager
async def open_entra(
    registration: Registration,
    redirect: str,
    *,
    link: Callable[[Account], Awaitable[Link | None]],
    roles: Roles,
    groups: Callable[[], frozenset[str]],
    relink: timedelta,
    now: Callable[[], datetime],
) -> AsyncIterator[Entra]:
    """Open Entra ID for the length of a block; arguments as `EntraDirectory` and `SignIn` take them.

    Raises Invalid where Entra ID doesn't know Deputy. Where it is out of reach Deputy starts all the same, and
    allows nothing until it is back.
    """
    app = EntraApp(registration)
    try:
        await app.token()
    except Unavailable as error:
        log.warning("%s", error)
    # MSAL looks at the environment when it asks (proxies, certificates); so does this, not when it was imported.
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    async with aiohttp.ClientSession(connector=connector, trust_env=True) as session:
        graph = Graph(session, registration.graph, app)
        tokens = IdTokens(registration, SigningKeys(session, registration.issuer))
        directory = EntraDirectory(
            registration.tenant, graph, link=link, roles=roles, groups=groups, relink=relink, now=now
        )
        yield Entra(directory, SignIn(app, tokens, redirect))
