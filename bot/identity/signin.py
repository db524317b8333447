"""Signing in with Entra ID to prove whose a chat account is."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.core.principal import Who
from bot.identity.idtoken import IdTokens
from bot.identity.registration import EntraApp


class SignIn:
    """Sends people to Microsoft and learns who came back. `redirect` is where they come back to."""

    def __init__(self, app: EntraApp, tokens: IdTokens, redirect: str) -> None:
        self._app, self._tokens, self._redirect = app, tokens, redirect

    async def begin(self) -> dict[str, Any]:
        """Return a sign-in to be kept until it comes back: `auth_uri` is where to send the browser."""
        return await self._app.begin(self._redirect)

    async def finish(self, flow: Mapping[str, Any], answer: Mapping[str, str]) -> Who:
        """Return who signed in, by what their browser brought back. Raises Refused, Unavailable."""
        token = await self._app.redeem(flow, answer)
        return await self._tokens.person(token, sent_nonce(flow))


def sent_nonce(flow: Mapping[str, Any]) -> str:
    """Return the nonce as it was sent: MSAL keeps one and sends its hash."""
    return parse_qs(urlsplit(str(flow["auth_uri"])).query)["nonce"][0]
