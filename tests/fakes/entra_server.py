"""Entra ID and Graph on loopback, over HTTPS, as far as Deputy speaks with them; strict where the real ones are.

Answers are shaped as Microsoft documents them: OpenID discovery, keys, authorize (PKCE is demanded), token (client
credentials by secret or by signed assertion, and codes that serve once), `users` and `checkMemberGroups` with its
limit of 20 ids, pages, throttling and latency.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.identity.registration import Registration
from tests.fakes.tls_front import write_certificate

TENANT = "aaaaaaaa-0000-4000-8000-00000000000a"
CLIENT = "cccccccc-0000-4000-8000-00000000000c"
SECRET = "a-secret-of-the-app-registration"
MOST_GROUPS = 20


def oid(number: int) -> str:
    """Return the object id of the fake's person of that number."""
    return f"99999999-0000-4000-8000-{number:012d}"


@dataclass
class FakePerson:
    """Somebody in the tenant. `groups` are those they are in, by whatever way."""

    oid: str
    name: str
    groups: set[str] = field(default_factory=set)
    enabled: bool | None = True
    kind: str | None = "Member"
    mail: str = ""


class SigningKey:
    """A key that tokens are signed with, and its id."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public(self) -> dict[str, Any]:
        found: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**found, "kid": self.kid, "use": "sig"}

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self.private, algorithm="RS256", headers={"kid": self.kid})


class FakeEntra:
    """The switches, and what was asked. `signed_in` is who sits at the browser that comes to authorize."""

    def __init__(self, tenant: str = TENANT) -> None:
        self.tenant = tenant
        self.people: dict[str, FakePerson] = {}
        self.signed_in: FakePerson | None = None
        self.keys = [SigningKey("key-1")]
        self.latency = 0.0  # seconds
        self.page_size = 100
        self.down = 0  # the status with which everything is answered instead
        self.throttled: list[int] = []  # seconds for Retry-After of the next answers of Graph
        self.failing: list[int] = []  # statuses of the next answers of Graph
        self.claims: dict[str, Any] = {}  # what the next ID tokens say otherwise; None leaves a claim out
        self.forged: Any = None  # makes ID tokens in the place of the newest key
        self.next_link = ""  # where Graph's pages lead instead
        self.client_certificate = ""
        self.asked: Counter[str] = Counter()
        self.rounds = (
            0  # how often it was asked after nothing was on its way: what one waits for, one after the other
        )
        self.authorized: list[Mapping[str, str]] = []
        self.address = ""
        self.ca = Path()
        self._now = 0
        self._codes: dict[str, Mapping[str, str]] = {}
        self._tokens: set[str] = set()
        self._pages: dict[str, list[str]] = {}

    def person(self, number: int, name: str, *groups: str, **more: Any) -> FakePerson:
        """Add somebody."""
        one = FakePerson(oid(number), name, set(groups), **more)
        self.people[one.oid] = one
        return one

    def rotate(self) -> None:
        """Sign with a new key; the old one is published no longer."""
        self.keys = [SigningKey(f"key-{len(self.asked) + 2}-{secrets.token_hex(2)}")]

    def revoke_tokens(self) -> None:
        """Take back every token that Graph would accept."""
        self._tokens.clear()

    def registration(self, **more: Any) -> Registration:
        """Return Deputy's registration here."""
        return Registration(
            **{
                "tenant": self.tenant,
                "client": CLIENT,
                "secret": SECRET,
                "authority": self.address,
                "graph": self.address,
                **more,
            }
        )

    def settings(self) -> dict[str, str]:
        """Return what a process needs in its environment to use this in Microsoft's place."""
        return {
            "DEPUTY_ENTRA_TENANT": self.tenant,
            "DEPUTY_ENTRA_CLIENT_ID": CLIENT,
            "DEPUTY_ENTRA_CLIENT_SECRET": SECRET,
            "DEPUTY_ENTRA_AUTHORITY": self.address,
            "DEPUTY_GRAPH_URL": self.address,
            **self.trust(),
        }

    def trust(self) -> dict[str, str]:
        """Return the environment in which the fake's certificate is trusted, and no proxy stands in between."""
        return {"SSL_CERT_FILE": str(self.ca), "REQUESTS_CA_BUNDLE": str(self.ca), "NO_PROXY": "localhost"}

    @property
    def issuer(self) -> str:
        return f"{self.address}/{self.tenant}/v2.0"

    # ---- Entra ID --------------------------------------------------------------------------------

    async def discovery(self, request: web.Request) -> web.Response:
        base = f"{self.address}/{self.tenant}"
        return web.json_response(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def jwks(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [key.public() for key in self.keys]})

    async def authorize(self, request: web.Request) -> web.StreamResponse:
        """Sign in whoever sits there, and send them back with a code."""
        asked = dict(request.query)
        self.authorized.append(asked)
        wanted = {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}
        wrong = [name for name, value in wanted.items() if asked.get(name) != value]
        if wrong or not {"code_challenge", "state", "nonce", "redirect_uri"} <= asked.keys():
            return web.Response(status=400, text=f"AADSTS900144: {wrong}")
        if self.signed_in is None:
            back = {"error": "access_denied", "error_description": "AADSTS65004: The person declined.\r\nTrace: 1"}
        else:
            code = secrets.token_urlsafe(24)
            self._codes[code] = {**asked, "oid": self.signed_in.oid}
            back = {"code": code}
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode({**back, 'state': asked['state']})}")

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if not self._is_deputy(form):
            return _no(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1")
        if form["grant_type"] == "client_credentials":
            return web.json_response(self._granted())
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None or asked["code_challenge"] != challenge.rstrip(b"=").decode():
            return _no(400, "invalid_grant", "AADSTS70008: The code has expired, was used, or isn't theirs.")
        return web.json_response({**self._granted(), "id_token": self._id_token(asked)})

    def _is_deputy(self, form: Mapping[str, str]) -> bool:
        if form.get("client_id") != CLIENT:
            return False
        if "client_assertion" not in form:
            return form.get("client_secret") == SECRET
        from cryptography.x509 import load_pem_x509_certificate

        key = load_pem_x509_certificate(self.client_certificate.encode()).public_key()
        claims = jwt.decode(form["client_assertion"], key, algorithms=["PS256"], options={"verify_aud": False})  # type: ignore[arg-type]
        return bool(claims["sub"] == CLIENT)

    def _granted(self) -> dict[str, Any]:
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": token}

    def _id_token(self, asked: Mapping[str, str]) -> str:
        person, now = self.people[asked["oid"]], int(time.time())
        claims = {
            "aud": CLIENT,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "sub": f"pairwise-{person.oid}",
            "tid": self.tenant,
            "oid": person.oid,
            "name": person.name,
            "preferred_username": person.mail,
            "email": person.mail,
            "nonce": asked["nonce"],
            "ver": "2.0",
            **self.claims,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        return str(self.forged(said)) if self.forged else self.keys[-1].sign(said)

    # ---- Graph -----------------------------------------------------------------------------------

    async def person_of(self, request: web.Request) -> web.Response:
        person = self.people.get(request.match_info["oid"])
        if person is None:
            return _no(404, "Request_ResourceNotFound", "Resource does not exist.")
        everything = {
            "id": person.oid,
            "displayName": person.name,
            "accountEnabled": person.enabled,
            "userType": person.kind,
            "mail": person.mail,
        }
        wanted = request.query["$select"].split(",")
        return web.json_response({name: everything[name] for name in wanted})

    async def check(self, request: web.Request) -> web.Response:
        person = self.people.get(request.match_info["oid"])
        groups = (await request.json())["groupIds"]
        if len(groups) > MOST_GROUPS:
            return _no(400, "Request_BadRequest", "Too many groupIds.")
        if person is None:
            return _no(404, "Request_ResourceNotFound", "Resource does not exist.")
        return self._page([group for group in groups if group in person.groups])

    async def page(self, request: web.Request) -> web.Response:
        return self._page(self._pages.pop(request.match_info["page"]))

    def _page(self, groups: list[str]) -> web.Response:
        answer: dict[str, Any] = {"value": groups[: self.page_size]}
        if len(groups) > self.page_size:
            page = secrets.token_urlsafe(8)
            self._pages[page] = groups[self.page_size :]
            answer["@odata.nextLink"] = self.next_link or f"{self.address}/v1.0/pages/{page}"
        return web.json_response(answer)

    @web.middleware
    async def switches(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Count what is asked, and be slow, throttled or down as told."""
        graph = request.path.startswith("/v1.0/")
        self.asked[request.path.rpartition("/")[2] if not graph else request.method] += 1
        self.rounds += self._now == 0
        self._now += 1
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            refused = self._refused(request, graph)
            return refused or await handler(request)
        finally:
            self._now -= 1

    def _refused(self, request: web.Request, graph: bool) -> web.Response | None:
        if self.down:
            return web.Response(status=self.down)
        if not graph:
            return None
        if self.throttled:
            return web.Response(status=429, headers={"Retry-After": str(self.throttled.pop(0))})
        if self.failing:
            return web.Response(status=self.failing.pop(0))
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
            return _no(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        return None

    def application(self) -> web.Application:
        """Build the whole of it."""
        app = web.Application(middlewares=[self.switches])
        tenant = f"/{self.tenant}"
        app.add_routes(
            [
                web.get(f"{tenant}/v2.0/.well-known/openid-configuration", self.discovery),
                web.get(f"{tenant}/discovery/v2.0/keys", self.jwks),
                web.get(f"{tenant}/oauth2/v2.0/authorize", self.authorize),
                web.post(f"{tenant}/oauth2/v2.0/token", self.token),
                web.get("/v1.0/users/{oid}", self.person_of),
                web.post("/v1.0/users/{oid}/checkMemberGroups", self.check),
                web.get("/v1.0/pages/{page}", self.page),
            ]
        )
        return app


def _no(status: int, code: str, message: str) -> web.Response:
    """Return a refusal in the shape of both: Entra's `error` and Graph's."""
    body = {"error": code, "error_description": message}
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")


@asynccontextmanager
async def entra_server(folder: Path) -> AsyncIterator[FakeEntra]:
    """Serve a new, empty tenant on loopback for the length of a block; its certificate is written to `folder`."""
    fake = FakeEntra()
    fake.ca = write_certificate(folder / "entra.pem", "localhost", 30)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(fake.ca)
    runner = web.AppRunner(fake.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0, ssl_context=context)
    await site.start()
    fake.address = f"https://localhost:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()


def trust(fake: FakeEntra, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process trust the fake's certificate, whatever the surroundings say."""
    for name, value in fake.trust().items():
        monkeypatch.setenv(name, value)
