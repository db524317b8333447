"""Whether Entra ID lets Deputy do what it has to: asked of Entra ID and Graph themselves, about nobody."""

import ssl
from collections.abc import AsyncIterator, Awaitable

import aiohttp

from bot.core.errors import DeputyError
from bot.core.finding import Finding, fails, works
from bot.identity.graph import Graph, NoRight
from bot.identity.registration import EntraApp, Registration

_NOBODY = "00000000-0000-0000-0000-000000000000"  # Graph looks for rights first, then for the person


async def look(registration: Registration) -> AsyncIterator[Finding]:
    """Yield what is found: a token, then each permission. No finding holds a secret."""
    app = EntraApp(registration)
    try:
        await app.token()
    except DeputyError as error:
        yield fails("Entra ID, sign-in", str(error))
        return
    yield works("Entra ID, sign-in", f"the tenant {registration.tenant} knows Deputy.")
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    async with aiohttp.ClientSession(connector=connector, trust_env=True) as session:
        graph = Graph(session, registration.graph, app)
        yield await _permission("User.Read.All", graph.person(_NOBODY))
        yield await _permission("GroupMember.Read.All", graph.memberships(_NOBODY, (_NOBODY,)))


async def _permission(name: str, asked: Awaitable[object]) -> Finding:
    about = f"Entra ID, {name}"
    try:
        await asked
    except NoRight:
        return fails(
            about,
            "Graph refuses. Give the app registration this permission, as an application permission, and let an "
            "administrator of the tenant consent.",
        )
    except DeputyError as error:
        return fails(about, str(error))
    return works(about, "Graph answers.")
