"""Deputy as Entra ID knows it: one MSAL application for the whole process.

MSAL is synchronous, its constructor too (it looks the tenant up), so every call is made in a thread.
"""

import asyncio
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msal
from msal.exceptions import MsalError

from bot.core.errors import Invalid, Refused, Unavailable

MICROSOFT = "https://login.microsoftonline.com"
PATIENCE = 10.0  # seconds for one answer
SPARE = 300.0  # seconds before its end from which on a token is not used any more

# It would rather have a form posted back, across sites; which comes without the cookie that tells the browser.
warnings.filterwarnings("ignore", "response_mode='form_post'", module="msal")

T = TypeVar("T")


@dataclass(frozen=True)
class Registration:
    """An app registration: `tenant` and `client` are GUIDs; it proves itself by a secret, or a PEM file.

    `certificate` holds the certificate and its key. `authority` and `graph` are addresses without a path.
    """

    tenant: str
    client: str
    secret: str = field(default="", repr=False)
    certificate: Path | None = None
    authority: str = MICROSOFT
    graph: str = "https://graph.microsoft.com"

    @property
    def issuer(self) -> str:
        """The address that the tenant's tokens are issued under."""
        return f"{self.authority}/{self.tenant}/v2.0"

    def credential(self) -> Any:
        """Return what MSAL takes for a proof. Raises Invalid where the file can't be read."""
        if self.certificate is None:
            return self.secret
        try:
            pem = self.certificate.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"{self.certificate} can't be read: {error}.", "DEPUTY_ENTRA_CERTIFICATE") from None
        return {"private_key": pem, "public_certificate": pem}


class EntraApp:
    """Gets tokens for Deputy itself, and takes people through signing in."""

    def __init__(self, registration: Registration, clock: Callable[[], float] = time.monotonic) -> None:
        self.registration = registration
        self._clock = clock
        self._making, self._renewing = asyncio.Lock(), asyncio.Lock()
        self._made: msal.ConfidentialClientApplication | None = None
        self._token, self._ends = "", 0.0

    async def token(self, *, fresh: bool = False) -> str:
        """Return a token for Graph, the one at hand while it lasts. Raises Unavailable; Invalid if refused."""
        async with self._renewing:  # many who ask at once cause one request
            if fresh or self._clock() >= self._ends:
                answer = await _in_thread(self._new_token, await self._app(), fresh)
                self._token = str(answer["access_token"])
                self._ends = self._clock() + max(0.0, float(answer["expires_in"]) - SPARE)
            return self._token

    async def begin(self, redirect: str) -> dict[str, Any]:
        """Return a sign-in to be kept until it comes back: `auth_uri` is where to send the browser.

        Code flow with PKCE (S256), a state and a nonce of its own; Microsoft asks which account it is to be.
        """
        app = await self._app()
        flow: dict[str, Any] = app.initiate_auth_code_flow(
            scopes=[], redirect_uri=redirect, prompt="select_account", response_mode="query"
        )
        return flow

    async def redeem(self, flow: Mapping[str, Any], answer: Mapping[str, str]) -> str:
        """Return the ID token, not validated yet, for what a browser brought back. Raises Refused, Unavailable."""
        redeemed = await _in_thread(_redeemed, await self._app(), dict(flow), dict(answer))
        token = redeemed.get("id_token")
        if not isinstance(token, str):
            raise Refused(f"Microsoft did not sign you in: {said(redeemed)}. Ask for a new link in chat.")
        return token

    async def _app(self) -> msal.ConfidentialClientApplication:
        async with self._making:
            if self._made is None:
                self._made = await _in_thread(self._make)
            return self._made

    def _make(self) -> msal.ConfidentialClientApplication:
        mine = self.registration
        try:
            return msal.ConfidentialClientApplication(
                mine.client,
                client_credential=mine.credential(),
                authority=f"{mine.authority}/{mine.tenant}",
                # Microsoft is asked only about addresses of its own.
                instance_discovery=None if mine.authority == MICROSOFT else False,
                exclude_scopes=["offline_access"],  # a refresh token would be one more thing to lose
                timeout=PATIENCE,
            )
        except ValueError as error:
            raise Invalid(f"Entra ID can't be used with these settings: {error}", "DEPUTY_ENTRA_TENANT") from None

    def _new_token(self, app: msal.ConfidentialClientApplication, fresh: bool) -> Mapping[str, Any]:
        if fresh:
            app.remove_tokens_for_client()
        try:
            answer: Mapping[str, Any] = app.acquire_token_for_client(
                scopes=[f"{self.registration.graph}/.default"]
            )
        except ValueError:  # no JSON
            raise Unavailable(unreachable("it gives no token")) from None
        if "access_token" in answer:
            return answer
        if answer.get("error") in ("invalid_client", "unauthorized_client"):
            proof = "CERTIFICATE" if self.registration.certificate else "CLIENT_SECRET"
            raise Invalid(f"Entra ID doesn't let Deputy in: {said(answer)}.", f"DEPUTY_ENTRA_{proof}")
        raise Unavailable(
            f"Entra ID gives no token, so nothing is allowed: {said(answer)}. Try again in a minute."
        )


async def _in_thread(what: Callable[..., T], *given: object) -> T:
    try:
        return await asyncio.to_thread(what, *given)
    except (OSError, MsalError) as error:  # those of `requests` are OSErrors
        raise Unavailable(unreachable(type(error).__name__)) from None


def _redeemed(
    app: msal.ConfidentialClientApplication, flow: dict[str, Any], answer: dict[str, str]
) -> Mapping[str, Any]:
    try:
        redeemed: Mapping[str, Any] = app.acquire_token_by_auth_code_flow(flow, answer)
    except (ValueError, RuntimeError):  # another state, another nonce, or neither code nor error
        raise Refused("This sign-in is not the one that was begun here. Ask for a new link in chat.") from None
    return redeemed


def unreachable(detail: str) -> str:
    """Return what people read while Entra ID can't be asked."""
    return (
        "Entra ID can't be asked now who is in which group, so nothing is allowed. "
        f"Try again in a minute ({detail})."
    )


def said(answer: Mapping[str, Any]) -> str:
    """Return what Entra ID said went wrong: the first line, for the rest are numbers for its own support."""
    text = str(answer.get("error_description") or answer.get("error") or "it gave no reason")
    return text.splitlines()[0].rstrip(". ")[:300]
