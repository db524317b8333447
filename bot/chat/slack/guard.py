"""What every delivery from Slack passes first: nothing is parsed before it is proven to come from Slack.

The proof is Slack's own, over the raw bytes (https://docs.slack.dev/authentication/verifying-requests-from-slack):
HMAC-SHA-256 with the signing secret over `v0:<timestamp>:<body>`. No body is ever logged.
"""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import unquote

log = logging.getLogger(__name__)

LARGEST = 1024 * 1024  # bytes: a click brings the message it was on, up to 50 blocks of 3,000 characters
OLDEST = 300  # seconds after which a signature is no longer taken
AHEAD = 60  # seconds that Slack's clock may be ahead of ours
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MOST_FIELDS = 100
MOST_SEEN = 100_000  # signatures remembered; a delivery that comes again after these is one for the inbox

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")

Payload = Mapping[str, Any]


class Rejected(Exception):
    """A delivery that is not taken: `status` is HTTP's, the text says why, without a word of the body."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Own:
    """The workspace (`T…`) or Enterprise Grid (`E…`) that Deputy serves, and its app's id (`A…`) if known."""

    team: str
    app: str = ""

    def check(self, payload: Payload) -> None:
        """Raise Rejected (401) for what another workspace or another app sent (attack I6)."""
        named = self.team in (payload.get("team_id"), payload.get("enterprise_id"))
        if not named and self.team not in _ids(payload, "team", "enterprise"):
            raise Rejected(401, "it comes from another workspace")
        if self.app and payload.get("api_app_id") != self.app:
            raise Rejected(401, "it comes from another app")


class Guard:
    """Admits what Slack signed, once and in time, for this workspace and app. `secret` is the signing secret."""

    def __init__(self, secret: str, own: Own) -> None:
        if not secret:
            raise ValueError("a guard without a secret would let in anybody")
        self._secret = secret.encode()
        self._own = own
        self._seen: dict[bytes, float] = {}

    def admit(self, headers: Mapping[str, str], body: bytes, now: float) -> Payload:
        """Return what a delivery carries; `now` is in seconds since 1970. Raises Rejected."""
        if len(body) > LARGEST:
            raise Rejected(413, "it is too large")
        signature = self._verify(headers, body, now)
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in (FORM, JSON):
            raise Rejected(400, "it is neither a form nor JSON")
        payload = parse(kind, body)
        if signature in self._seen and not ("X-Slack-Retry-Num" in headers and silent(payload)):
            raise Rejected(401, "it came before")
        if not harmless(payload):
            self._own.check(payload)
        if kind == FORM:  # Slack repeats events, which are JSON, as it likes
            self._remember(signature, now)
        return payload

    def _verify(self, headers: Mapping[str, str], body: bytes, now: float) -> bytes:
        sent = headers.get("X-Slack-Request-Timestamp", "")
        if not _TIMESTAMP.fullmatch(sent) or not -AHEAD <= now - int(sent) <= OLDEST:
            raise Rejected(401, "its timestamp is missing, no number, or not of now")
        mac = signed(self._secret, sent, body)
        given = headers.get("X-Slack-Signature", "").encode(errors="replace")
        if not hmac.compare_digest(f"v0={mac.hexdigest()}".encode(), given):
            raise Rejected(401, "its signature is not Slack's")
        return mac.digest()

    def _remember(self, signature: bytes, now: float) -> None:
        """Keep a signature for as long as it would be taken, those that came first at the front."""
        self._seen[signature] = now
        while len(self._seen) > MOST_SEEN or now - next(iter(self._seen.values())) > OLDEST + AHEAD:
            del self._seen[next(iter(self._seen))]


def signed(secret: bytes, timestamp: str, body: bytes) -> "hmac.HMAC":
    """Return what proves that who has the signing secret sent a body at a time (seconds since 1970)."""
    return hmac.new(secret, b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)


def silent(payload: Payload) -> bool:
    """Say whether a delivery is answered with nothing: to repeat one that the inbox knows tells nobody more."""
    return payload.get("type") not in ("block_suggestion", "view_submission")


def harmless(payload: Payload) -> bool:
    """Say whether a delivery only checks the address: Slack sends these without a workspace."""
    return payload.get("type") == "url_verification" or payload.get("ssl_check") == "1"


def parse(kind: str, body: bytes) -> Payload:
    """Read a body: its JSON, the JSON in a form's `payload`, or the form itself. Raises Rejected (400)."""
    try:
        if kind == JSON:
            return read_json(body.decode())
        form = _form(body.decode())
        return read_json(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError):
        raise Rejected(400, "it can't be read") from None


def _form(text: str) -> dict[str, str]:
    """Read a form as `urllib.parse.parse_qsl` does, in a third of its time. Raises ValueError."""
    fields = text.replace("+", " ").split("&", MOST_FIELDS) if text else []
    form = {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not equals:
            raise ValueError("a field has no value")
        if "%" in field:
            name, value = unquote(name, errors="strict"), unquote(value, errors="strict")
        form[name] = value
    if len(form) < len(fields) or len(fields) > MOST_FIELDS:
        raise ValueError("a field is given twice, or there are too many")
    return form


def read_json(text: str) -> dict[str, Any]:
    """Read one JSON object. Raises ValueError, RecursionError; also for what no database takes."""
    value = _DECODER.decode(text)
    if not isinstance(value, dict):
        raise ValueError
    if _HALF.search(text):
        json.dumps(value, ensure_ascii=False).encode()  # raises for half a character
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a field is given twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _ids(payload: Payload, *names: str) -> list[object]:
    found = (payload.get(name) for name in names)
    return [one.get("id") for one in found if isinstance(one, dict)]


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
