"""Asking a source over HTTP: one small JSON document, no redirects, no waiting (attack W4)."""

import json
from urllib.parse import urlsplit

import aiohttp

from bot.core.errors import Unavailable

LONGEST = 65_536  # bytes
PATIENCE = aiohttp.ClientTimeout(total=5)


async def ask(address: str) -> object:
    """Return what a source answers. Raises Unavailable, naming its host alone: an address may hold a key."""
    host = urlsplit(address).hostname
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE, trust_env=False) as session,
            session.get(address, allow_redirects=False, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status != 200:
                raise Unavailable(f"{host} answers with the status {answer.status}")
            body = b""
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > LONGEST:
                    raise Unavailable(f"{host} answers with more than {LONGEST:,} bytes")
            return json.loads(body)
    except (aiohttp.ClientError, TimeoutError, OSError):
        raise Unavailable(f"{host} doesn't answer") from None
    except (ValueError, RecursionError):
        raise Unavailable(f"{host} answers with something else than JSON") from None
