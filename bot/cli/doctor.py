"""`deputy doctor`: does the set-up work, and what is to be done where it doesn't?"""

import asyncio
from collections.abc import AsyncIterator

import typer

from bot.core.errors import Invalid
from bot.core.finding import Finding, absent, fails, works
from bot.settings import Settings, right


def doctor() -> None:
    """Look at the whole set-up and say what to do where it doesn't work; nothing is changed or posted."""
    wrong = asyncio.run(_doctor())
    if wrong:
        print(f"{wrong} thing{'s' * (wrong > 1)} to mend.")
        raise typer.Exit(1)
    print("Nothing is wrong.")


async def _doctor() -> int:
    """Print each finding as it is made; return how many say that something is wrong."""
    wrong = 0
    async for finding in _found():
        print(finding, flush=True)
        wrong += finding.fine is False
    return wrong


async def _found() -> AsyncIterator[Finding]:
    wrong: list[Invalid] = []
    settings = right(wrong)
    for fault in wrong:
        yield fails("Settings", str(fault))
    if wrong:
        return
    from bot.cli.at_hand import content, data

    for finding in content(settings):
        yield finding
    for part in (data, _page, _slack, _entra):
        async for finding in part(settings):
            yield finding


async def _page(settings: Settings) -> AsyncIterator[Finding]:
    """Ask for Deputy at the address by which others reach it."""
    import aiohttp

    if not settings.public_url:
        return
    url = f"{settings.public_url}/healthz"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, TimeoutError) as error:
        status = 0
        why = f"nothing answers at {url} ({type(error).__name__})"
    else:
        why = f"{url} answers {status}"
    if status == 200:
        yield works("Public address", f"{settings.public_url} answers.")
    else:
        yield fails(
            "Public address",
            f"{why}. Start Deputy, and let the address lead to it: it listens on port {settings.port}.",
        )


async def _slack(settings: Settings) -> AsyncIterator[Finding]:
    if not settings.slack:
        yield absent("Slack", "it is not set up; the README says how.")
        return
    import aiohttp

    from bot.chat.slack.health import look

    async with aiohttp.ClientSession() as session:
        async for finding in look(settings, session):
            yield finding


async def _entra(settings: Settings) -> AsyncIterator[Finding]:
    if not settings.entra_tenant:
        yield absent("Entra ID", "it is not set up; the README says how.")
        return
    from bot.identity.health import look
    from bot.people import registration_of

    async for finding in look(registration_of(settings)):
        yield finding
