"""ID tokens: only Microsoft's, only ours, only for this sign-in."""

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from bot.core.errors import Refused, Unavailable
from bot.identity.idtoken import LEEWAY, PAUSE, REQUIRED, IdTokens, SigningKeys
from tests.fakes.entra_server import CLIENT, TENANT, FakeEntra, SigningKey, entra_server, oid

NONCE = "the-nonce-that-was-sent"
OTHER = "bbbbbbbb-0000-4000-8000-00000000000b"


class Hands:
    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def entra(tmp_path: Path) -> AsyncIterator[FakeEntra]:
    async with entra_server(tmp_path) as fake:
        yield fake


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
async def tokens(entra: FakeEntra, hands: Hands) -> AsyncIterator[IdTokens]:
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=entra.ca))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield IdTokens(entra.registration(), SigningKeys(session, entra.issuer, hands))


def claims(entra: FakeEntra, **otherwise: Any) -> dict[str, Any]:
    """Return what a good token says, but for what is said otherwise; None leaves it out."""
    now = int(time.time())
    said = {
        "aud": CLIENT,
        "iss": entra.issuer,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "sub": "pairwise",
        "tid": TENANT,
        "oid": oid(1),
        "name": "Hanna Weber",
        "nonce": NONCE,
        **otherwise,
    }
    return {name: value for name, value in said.items() if value is not None}


async def test_a_good_token_says_who_signed_in(entra: FakeEntra, tokens: IdTokens) -> None:
    who = await tokens.person(entra.keys[0].sign(claims(entra)), NONCE)

    assert (who.tenant, who.oid, who.name) == (TENANT, oid(1), "Hanna Weber")


WRONG: Mapping[str, Mapping[str, Any]] = {
    "another audience": {"aud": OTHER},
    "Graph's audience, so an access token": {"aud": "https://graph.microsoft.com"},
    "several audiences": {"aud": [CLIENT, OTHER]},
    "another issuer": {"iss": "https://login.microsoftonline.com/common/v2.0"},
    "another tenant's issuer": {"iss": f"https://login.microsoftonline.com/{OTHER}/v2.0"},
    "another tenant": {"tid": OTHER},
    "over": {"exp": int(time.time()) - LEEWAY - 10},
    "not yet": {"nbf": int(time.time()) + LEEWAY + 600},
    "issued in the future": {"iat": int(time.time()) + LEEWAY + 600},
    "another sign-in's": {"nonce": "another"},
    "a number for a person": {"oid": 7},
    "a list for a nonce": {"nonce": [NONCE]},
}


@pytest.mark.parametrize("otherwise", WRONG.values(), ids=WRONG.keys())
async def test_D5_a_token_that_says_anything_else_is_refused(
    entra: FakeEntra, tokens: IdTokens, otherwise: Mapping[str, Any]
) -> None:
    with pytest.raises(Refused, match=r"not a sign-in that Deputy can trust.*\.$"):
        await tokens.person(entra.keys[0].sign(claims(entra, **otherwise)), NONCE)


@pytest.mark.parametrize("missing", REQUIRED)
async def test_D5_a_token_that_leaves_something_out_is_refused(
    entra: FakeEntra, tokens: IdTokens, missing: str
) -> None:
    with pytest.raises(Refused):
        await tokens.person(entra.keys[0].sign(claims(entra, **{missing: None})), NONCE)


def unsigned(key: SigningKey, said: Mapping[str, Any]) -> str:
    return jwt.encode(dict(said), None, algorithm="none", headers={"kid": key.kid})


def signed_with_the_public_key_as_a_secret(key: SigningKey, said: Mapping[str, Any]) -> str:
    """Swap the algorithm (CVE-2015-9235): whoever takes the key for a secret of HMAC takes this token."""
    pem = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    parts = [json.dumps({"alg": "HS256", "typ": "JWT", "kid": key.kid}).encode(), json.dumps(said).encode()]
    body = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    seal = base64.urlsafe_b64encode(hmac.new(pem, body, hashlib.sha256).digest()).rstrip(b"=")
    return f"{body.decode()}.{seal.decode()}"


def signed_otherwise(algorithm: str) -> Callable[[SigningKey, Mapping[str, Any]], str]:
    return lambda key, said: jwt.encode(dict(said), key.private, algorithm=algorithm, headers={"kid": key.kid})


def signed_by_a_stranger(key: SigningKey, said: Mapping[str, Any]) -> str:
    return SigningKey(key.kid).sign(said)


def without_a_key(key: SigningKey, said: Mapping[str, Any]) -> str:
    return jwt.encode(dict(said), key.private, algorithm="RS256")


FORGERIES = {
    "unsigned": unsigned,
    "by the public key": signed_with_the_public_key_as_a_secret,
    "RS512": signed_otherwise("RS512"),
    "PS256": signed_otherwise("PS256"),
    "by a stranger": signed_by_a_stranger,
    "by no key that is named": without_a_key,
    "no token": lambda key, said: "not.a.token",
    "nothing": lambda key, said: "",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
async def test_D5_a_token_that_microsoft_did_not_sign_is_refused(
    entra: FakeEntra, tokens: IdTokens, forge: Callable[[SigningKey, Mapping[str, Any]], str]
) -> None:
    with pytest.raises(Refused, match="trust"):
        await tokens.person(forge(entra.keys[0], claims(entra)), NONCE)


async def test_two_clocks_may_differ_a_little(entra: FakeEntra, tokens: IdTokens) -> None:
    late = claims(entra, exp=int(time.time()) - int(LEEWAY) + 30)

    assert await tokens.person(entra.keys[0].sign(late), NONCE)


async def test_keys_are_fetched_once_and_serve_from_then_on(entra: FakeEntra, tokens: IdTokens) -> None:
    for _ in range(3):
        await tokens.person(entra.keys[0].sign(claims(entra)), NONCE)

    assert entra.asked["keys"] == 1


async def test_a_rotated_key_is_found_and_the_old_one_forgotten(
    entra: FakeEntra, tokens: IdTokens, hands: Hands
) -> None:
    old = entra.keys[0].sign(claims(entra))
    await tokens.person(old, NONCE)
    entra.rotate()
    hands.at += PAUSE

    assert await tokens.person(entra.keys[0].sign(claims(entra)), NONCE)
    with pytest.raises(Refused):
        await tokens.person(old, NONCE)


async def test_made_up_keys_are_looked_for_once_a_minute_at_most(
    entra: FakeEntra, tokens: IdTokens, hands: Hands
) -> None:
    stranger = SigningKey("made-up")
    for number in range(20):
        stranger.kid = f"made-up-{number}"
        with pytest.raises(Refused):
            await tokens.person(stranger.sign(claims(entra)), NONCE)
        hands.at += 1

    assert entra.asked["keys"] == 1


async def test_while_keys_cannot_be_had_nobody_signs_in_and_right_after_they_can(
    entra: FakeEntra, tokens: IdTokens
) -> None:
    good = entra.keys[0].sign(claims(entra))
    entra.down = 503
    with pytest.raises(Unavailable, match="signing keys"):
        await tokens.person(good, NONCE)

    entra.down = 0

    assert await tokens.person(good, NONCE)
