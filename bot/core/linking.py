"""Linking a chat account to a person of Entra ID: how far it has come, and what it takes to go on.

Whoever starts it in chat gets a ticket. A browser that opens it is shown which account is about to be linked, and
only then sent to Microsoft. Back from there it is shown a code, and the account has to give that code in chat. So
who forwards their link to somebody else gains nothing: the code is in the other one's browser.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.canonical import Json, sha256_bytes
from bot.core.errors import Conflict
from bot.core.principal import Account, Who

LIFE = timedelta(minutes=10)
MOST_MISSES = 5

_ALIKE = str.maketrans("OIL", "011", "- \t")  # as Crockford's base 32 reads what people type


class Stage(StrEnum):
    """How far a linking has come. Each stage is reached once, so a ticket and a sign-in serve once."""

    OFFERED = "offered"
    SIGNING_IN = "signing in"
    RETURNED = "returned"
    SIGNED_IN = "signed in"
    LINKED = "linked"
    OVER = "over"


@dataclass(frozen=True)
class Link:
    """An account and the person it belongs to; `since` is when that was last confirmed."""

    account: Account
    who: Who
    since: datetime


@dataclass(frozen=True)
class Linking:
    """One linking under way. `ticket` and `browser` are digests of secrets; `flow` is the sign-in's own state.

    `who` is known once they have signed in; `code` is what their browser shows and the chat has to hear.
    """

    account: Account
    ticket: str
    since: datetime
    stage: Stage = Stage.OFFERED
    browser: str = ""
    flow: Mapping[str, Json] = field(default_factory=dict, repr=False)
    who: Who | None = None
    code: str = field(default="", repr=False)
    misses: int = 0
    revision: int = 1

    @property
    def expires(self) -> datetime:
        return self.since + LIFE


def digest(secret: str) -> str:
    """Return what is kept of a ticket, or of what a browser was given: its SHA-256, in hex."""
    return sha256_bytes(secret.encode())


def send(linking: Linking, browser: str, flow: Mapping[str, Json]) -> Linking:
    """Send a browser, which was given the secret `browser`, to sign in. Raises Conflict where one was before."""
    _expect(linking, Stage.OFFERED, "This link was used already.")
    return _next(linking, stage=Stage.SIGNING_IN, browser=digest(browser), flow=flow)


def take_back(linking: Linking, browser: str) -> Linking:
    """Take a browser back from signing in. Raises Conflict for another browser, or a second time."""
    _expect(linking, Stage.SIGNING_IN, "This sign-in was used already.")
    if not same(linking.browser, digest(browser)):
        raise Conflict("This sign-in was begun in another browser, so it was dropped. Ask for a new link in chat.")
    return _next(linking, stage=Stage.RETURNED)


def accept(linking: Linking, who: Who, code: str) -> Linking:
    """Note who signed in, and the code that their browser shows."""
    _expect(linking, Stage.RETURNED, "This sign-in was used already.")
    return _next(linking, stage=Stage.SIGNED_IN, who=who, code=code, flow={})


def give_up(linking: Linking) -> Linking:
    """End a linking that came to nothing."""
    return _next(linking, stage=Stage.OVER, flow={})


def hear(linking: Linking, code: str) -> Linking:
    """Hear the code in chat: it is linked now, or one miss nearer to being over. Raises Conflict too early."""
    if linking.stage in (Stage.OFFERED, Stage.SIGNING_IN, Stage.RETURNED):
        raise Conflict("Nobody has signed in yet. Open the link first: the page shows a code when you have.")
    _expect(linking, Stage.SIGNED_IN, "This link was used already.")
    if same(linking.code, plain_code(code)):
        return _next(linking, stage=Stage.LINKED)
    misses = linking.misses + 1
    return _next(linking, misses=misses, stage=Stage.OVER if misses >= MOST_MISSES else linking.stage)


def plain_code(text: str) -> str:
    """Return a code in its one spelling, however people type it: `7k3-m9q` is `7K3M9Q`."""
    return text.upper().translate(_ALIKE)


def shown_code(code: str) -> str:
    """Return a code for reading: `7K3-M9Q`."""
    return f"{code[:3]}-{code[3:]}"


def same(one: str, other: str) -> bool:
    """Compare two secrets in a time that tells nothing about them."""
    return hmac.compare_digest(one.encode(), other.encode())


def _expect(linking: Linking, stage: Stage, otherwise: str) -> None:
    if linking.stage is not stage:
        raise Conflict(f"{otherwise} Ask for a new one in chat with /deputy link.")


def _next(linking: Linking, **changed: object) -> Linking:
    return replace(linking, revision=linking.revision + 1, **changed)  # type: ignore[arg-type]
