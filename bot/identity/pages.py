"""The pages on which a chat account is linked: what is about to be linked, and the code once somebody signed in.

A ticket in the address opens them. They change nothing by being opened (chats open links to preview them);
sending the form does, and that only from the page itself.
"""

import html
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from bot.core import link_cards, wording
from bot.core.errors import Conflict, DeputyError, Refused
from bot.core.http_status import status_of
from bot.core.linking import Linking, Stage, digest, same, shown_code
from bot.core.principal import Who
from bot.identity import look
from bot.ports import Ports
from bot.service import link

log = logging.getLogger(__name__)

PREFIX = "/link"
BACK = f"{PREFIX}/back"  # where Microsoft sends people back to: the app registration has to know it
LARGEST = 16 * 1024  # bytes of a request's body

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": look.POLICY,
    "Referrer-Policy": "same-origin",  # the address holds the ticket; without any referrer a form has no origin
    "Server": "deputy",
    "X-Content-Type-Options": "nosniff",
}
_STRANGER = (
    "If you did not ask for this yourself in chat, close this page: somebody may have sent you their own link."
)


class SigningIn(Protocol):
    """How people prove who they are."""

    async def begin(self) -> dict[str, Any]:
        """Return a sign-in to be kept until it comes back: `auth_uri` is where to send the browser."""

    async def finish(self, flow: Mapping[str, Any], answer: Mapping[str, str]) -> Who:
        """Return who signed in, by what their browser brought back. Raises Refused, Unavailable."""


def application(ports: Ports, sign_in: SigningIn) -> web.Application:
    """Build the pages' application, to be mounted at PREFIX of the public address."""
    pages = _Pages(ports, sign_in)
    app = web.Application(client_max_size=LARGEST, middlewares=[_guard])
    app.on_response_prepare.append(_harden)
    app.add_routes(
        [
            web.get("/back", pages.back),
            web.get("/{ticket:[0-9A-Z]{26}}", pages.show),
            web.post("/{ticket:[0-9A-Z]{26}}", pages.go),
        ]
    )
    return app


class _Pages:
    """The handlers."""

    def __init__(self, ports: Ports, sign_in: SigningIn) -> None:
        self._ports, self._sign_in = ports, sign_in
        where = urlsplit(ports.link_page)
        self._origin = f"{where.scheme}://{where.netloc}"
        self._secure = where.scheme == "https"
        # The prefix keeps neighbouring hosts from planting one (RFC 6265bis, 4.1.3.2).
        self._cookie = "__Host-deputy-link" if self._secure else "deputy-link"

    async def show(self, request: web.Request) -> web.Response:
        """Show what is about to be linked; or, to the browser that signed in, the code."""
        ticket = request.match_info["ticket"]
        found = await link.opened(self._ports, ticket)
        if found.stage is Stage.OFFERED:
            return _page("Is this your account?", _offered(found), step=1)
        mine = (
            found.browser and self._given(request) == ticket and same(found.browser, digest(self._secret(request)))
        )
        if mine and found.stage is Stage.SIGNED_IN:
            return _page("Give this code in the chat", _code(found), step=3)
        if mine and found.stage is Stage.LINKED:
            return _page("Your account is linked", _linked(found), step=len(look.STEPS) + 1)
        raise Conflict("This link was used already. Ask for a new one in chat with /deputy link.")

    async def go(self, request: web.Request) -> web.Response:
        """Send the browser to sign in. It gets a secret, so that no other can come back in its place."""
        if request.headers.get("Origin") != self._origin:
            raise Refused("This has to be sent from the page itself. Open the link from your chat once more.")
        ticket = request.match_info["ticket"]
        found = await link.opened(self._ports, ticket)
        flow, browser = await self._sign_in.begin(), self._ports.nonce()
        await link.sent(self._ports, ticket, browser, flow)
        answer = _page("On to Microsoft", _onward(flow["auth_uri"]), step=2, onward=flow["auth_uri"])
        answer.set_cookie(
            self._cookie,
            f"{ticket}.{browser}",
            max_age=int((found.expires - self._ports.clock.now()).total_seconds()) + 1,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return answer

    async def back(self, request: web.Request) -> web.StreamResponse:
        """Take the browser back from Microsoft, once, and lead it to its code: this address is not for keeping."""
        ticket = self._given(request)
        back = await link.returned(self._ports, ticket, self._secret(request))
        try:
            who = await self._sign_in.finish(back.flow, dict(request.query))
            await link.signed_in(self._ports, back, who)
        except DeputyError as error:
            await link.failed(self._ports, back, str(error))
            raise
        raise web.HTTPSeeOther(f"{PREFIX}/{ticket}")

    def _given(self, request: web.Request) -> str:
        return request.cookies.get(self._cookie, "").partition(".")[0]

    def _secret(self, request: web.Request) -> str:
        return request.cookies.get(self._cookie, "").partition(".")[2]


def _offered(found: Linking) -> str:
    account = html.escape(link_cards.account_name(found.account))
    return (
        f'<p>You are about to link this account to your work account:</p><p class="account">{account}</p>'
        f'<p class="careful">{_STRANGER}</p>'
        '<form method="post"><button type="submit">This is my account: continue to Microsoft</button></form>'
    )


def _onward(address: str) -> str:
    return (
        "<p>Your browser goes there by itself. If it doesn't:</p>"
        f'<p><a class="go" href="{html.escape(address)}">Sign in with your work account</a></p>'
    )


def _code(found: Linking) -> str:
    account = html.escape(link_cards.account_name(found.account))
    name = html.escape(wording.name(found.who) if found.who else "")
    return (
        f"<p>You signed in as <strong>{name}</strong>. Go back to the chat, choose “{link_cards.CONFIRM}” and "
        f'give this code, as {account}:</p><strong class="code">{shown_code(found.code)}</strong>'
        f'<p class="careful">Give it to nobody else: whoever has it acts in your name. {_STRANGER}</p>'
    )


def _linked(found: Linking) -> str:
    account = html.escape(link_cards.account_name(found.account))
    name = html.escape(wording.name(found.who) if found.who else "")
    return f"<p>The {account} belongs to <strong>{name}</strong>. You can close this page.</p>"


def _page(title: str, body: str, *, status: int = 200, step: int = 0, onward: str = "") -> web.Response:
    text = look.page(title, body, step=step, onward=onward)
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every failure with a page that says what happened."""
    try:
        return await handler(request)
    except DeputyError as error:
        return _page("That did not work", f"<p>{html.escape(str(error))}</p>", status=status_of(error))
    except web.HTTPSeeOther:
        raise
    except web.HTTPException as error:
        return _page("That did not work", "<p>There is nothing at this address.</p>", status=error.status)
    except Exception:
        log.exception("a page for linking failed")
        return _page("That did not work", "<p>Deputy failed. Try again in a minute.</p>", status=500)


async def _harden(request: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(_HEADERS)
