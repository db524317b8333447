"""Validating ID tokens (OpenID Connect Core 1.0, 3.1.3.7; MSAL doesn't), with keys that Entra ID rotates."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import jwt

from bot.core.errors import Refused, Unavailable
from bot.core.principal import Who
from bot.identity.registration import PATIENCE, Registration, unreachable

PAUSE = 60.0  # seconds between two fetches of keys, whatever tokens ask for
LEEWAY = 60.0  # seconds that two clocks may differ
REQUIRED = ("aud", "iss", "exp", "iat", "nbf", "sub", "tid", "oid", "nonce")

_REFUSED = "What came back from Microsoft is not a sign-in that Deputy can trust"


class SigningKeys:
    """The keys that a tenant's tokens are signed with, by their ids. One that isn't known is looked for, at most
    once in PAUSE: so a rotation is noticed, and a flood of made-up ids isn't passed on.
    """

    def __init__(
        self, session: aiohttp.ClientSession, issuer: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session, self._issuer, self._clock = session, issuer, clock
        self._lock = asyncio.Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._asked: float | None = None

    async def key(self, name: str) -> jwt.PyJWK | None:
        """Return a key, None for one that there isn't. Raises Unavailable."""
        async with self._lock:
            if name not in self._keys and (self._asked is None or self._clock() - self._asked >= PAUSE):
                self._asked = self._clock()
                self._keys = await self._fetch()
        return self._keys.get(name)

    async def _fetch(self) -> Mapping[str, jwt.PyJWK]:
        try:
            configuration = await self._get(f"{self._issuer}/.well-known/openid-configuration")
            if configuration["issuer"] != self._issuer:
                raise Unavailable(unreachable(f"its issuer is {configuration['issuer']}, not {self._issuer}"))
            found = await self._get(configuration["jwks_uri"])
            return {key["kid"]: jwt.PyJWK(key, "RS256") for key in found["keys"] if key.get("kty") == "RSA"}
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError, jwt.PyJWTError) as error:
            self._asked = None
            raise Unavailable(unreachable(f"signing keys: {type(error).__name__}")) from None

    async def _get(self, address: str) -> dict[str, Any]:
        limit = aiohttp.ClientTimeout(total=PATIENCE)
        async with self._session.get(address, timeout=limit, allow_redirects=False) as answer:
            answer.raise_for_status()
            found: dict[str, Any] = await answer.json()
            return found


class IdTokens:
    """Says whose sign-in an ID token proves."""

    def __init__(self, registration: Registration, keys: SigningKeys) -> None:
        self._registration, self._keys = registration, keys

    async def person(self, token: str, nonce: str) -> Who:
        """Return who signed in, for a token that answers to `nonce`. Raises Refused, Unavailable."""
        try:
            claims = await self._claims(token)
        except jwt.PyJWTError as error:
            raise Refused(f"{_REFUSED}: {str(error).rstrip('.').lower()}. Ask for a new link in chat.") from None
        tenant, oid = claims["tid"], claims["oid"]
        if tenant != self._registration.tenant or not isinstance(oid, str):
            raise Refused(f"{_REFUSED}: it is of another tenant. Sign in with your work account.")
        if claims["nonce"] != nonce:
            raise Refused(f"{_REFUSED}: it belongs to another sign-in. Ask for a new link in chat.")
        name = claims.get("name")
        return Who(tenant, oid, name if isinstance(name, str) else "")

    async def _claims(self, token: str) -> dict[str, Any]:
        name = jwt.get_unverified_header(token).get("kid")
        key = await self._keys.key(name) if isinstance(name, str) else None
        if key is None:
            raise jwt.InvalidKeyError("it is signed with a key that isn't Microsoft's")
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=self._registration.client,
            issuer=self._registration.issuer,
            leeway=LEEWAY,
            options={"require": list(REQUIRED), "strict_aud": True},
        )
