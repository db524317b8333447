"""The directory by Entra ID: MSAL as it is and our own questions, against Entra and Graph on loopback."""

import asyncio
import logging
import ssl
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from requests.adapters import HTTPAdapter

from bot.core.errors import Invalid, Refused, Unavailable, Unlinked
from bot.core.linking import Link
from bot.core.principal import Account, Who
from bot.identity import registration as registrations
from bot.identity.entra import KEPT, EntraDirectory
from bot.identity.graph import Graph
from bot.identity.opening import open_entra
from bot.identity.registration import EntraApp, Registration
from tests.fakes.entra_server import TENANT, FakeEntra, FakePerson, entra_server, trust

DESK, BOSS, VISITORS = (f"11111111-0000-4000-8000-{number:012d}" for number in (1, 2, 3))
ROLES = {DESK: "desk", BOSS: "boss", VISITORS: "visitor"}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HANNA = Account("slack", "T1/U1")


class Hands:
    """A clock whose hands a test moves, in seconds."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


class Setting:
    """A directory over the fake, and all that a test may change about it."""

    def __init__(self, entra: FakeEntra, app: EntraApp, session: aiohttp.ClientSession) -> None:
        self.entra, self.hands = entra, Hands()
        self.links: dict[str, Link] = {}
        self.groups = frozenset(ROLES)
        self.now = NOON
        self.graph = Graph(session, entra.address, app, self.hands)
        self.directory = EntraDirectory(
            TENANT,
            self.graph,
            link=self._link,
            roles=self._roles,
            groups=lambda: self.groups,
            relink=timedelta(days=90),
            now=lambda: self.now,
            clock=self.hands,
        )

    async def _link(self, account: Account) -> Link | None:
        return self.links.get(account.key)

    def _roles(self, groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
        return frozenset(ROLES[group] for group in groups if not guest or group == VISITORS)

    def link(self, account: Account, person: FakePerson, tenant: str = TENANT) -> None:
        self.links[account.key] = Link(account, Who(tenant, person.oid), NOON)


@pytest.fixture
async def entra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeEntra]:
    async with entra_server(tmp_path) as fake:
        trust(fake, monkeypatch)
        yield fake


@pytest.fixture
async def setting(entra: FakeEntra) -> AsyncIterator[Setting]:
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=entra.ca))
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Setting(entra, EntraApp(entra.registration()), session)


@pytest.fixture
def hanna(setting: Setting) -> FakePerson:
    """Add Hanna of the desk, whose Slack account is linked."""
    person = setting.entra.person(1, "Hanna Weber", DESK, mail="hanna@acme.test")
    setting.link(HANNA, person)
    return person


def who(person: FakePerson) -> Who:
    return Who(TENANT, person.oid)


# ---- who somebody is -----------------------------------------------------------------------------


async def test_a_linked_account_is_its_person_with_the_roles_of_their_groups(
    setting: Setting, hanna: FakePerson
) -> None:
    principal = await setting.directory.principal(HANNA)

    assert principal.who.key == f"{TENANT}/{hanna.oid}"
    assert (principal.name, principal.roles, principal.groups) == ("Hanna Weber", {"desk"}, {DESK})


async def test_an_account_that_is_not_linked_has_no_rights(setting: Setting, hanna: FakePerson) -> None:
    with pytest.raises(Unlinked, match="not linked to anybody"):
        await setting.directory.principal(Account("slack", "T1/U2"))
    assert not setting.entra.asked


async def test_D6_case_and_blanks_make_no_other_account(setting: Setting, hanna: FakePerson) -> None:
    for other in (Account("slack", " t1/u1 "), Account("Slack", "T1/u1"), Account(" SLACK", "T1/U1\t")):
        assert (await setting.directory.principal(other)).who == who(hanna)


async def test_D6_case_makes_no_other_person(setting: Setting, hanna: FakePerson) -> None:
    shouted = await setting.directory.live(Who(TENANT.upper(), hanna.oid.upper()))

    assert shouted.who == who(hanna)
    assert setting.entra.asked["GET"] == 1


async def test_an_account_whose_platform_proves_who_it_is_needs_no_link(
    setting: Setting, hanna: FakePerson
) -> None:
    teams = Account("teams", "29:1x", who=who(hanna))

    assert (await setting.directory.principal(teams)).roles == {"desk"}


async def test_D2_the_same_mail_and_name_in_another_tenant_is_nobody_here(
    setting: Setting, hanna: FakePerson
) -> None:
    stranger = Account("teams", "29:2y", who=Who("bbbbbbbb-0000-4000-8000-00000000000b", hanna.oid, "Hanna Weber"))
    with pytest.raises(Refused, match="not of this tenant"):
        await setting.directory.principal(stranger)

    setting.link(Account("slack", "T1/U9"), hanna, tenant="bbbbbbbb-0000-4000-8000-00000000000b")
    with pytest.raises(Unlinked):
        await setting.directory.principal(Account("slack", "T1/U9"))


async def test_D2_somebody_who_takes_anothers_display_name_gets_nothing_of_theirs(
    setting: Setting, hanna: FakePerson
) -> None:
    other = setting.entra.person(2, "Hanna Weber", mail="hanna@acme.test")

    renamed = await setting.directory.live(who(other))

    assert renamed.who != who(hanna)
    assert renamed.roles == frozenset()


@pytest.mark.parametrize("oid", ["../../me", "hanna@acme.test", "", "99999999-0000-4000-8000-00000000000１"])
async def test_W4_what_is_not_an_object_id_is_never_put_into_an_address(setting: Setting, oid: str) -> None:
    with pytest.raises(Refused):
        await setting.directory.live(Who(TENANT, oid))
    assert not setting.entra.asked


async def test_a_link_has_to_be_renewed_after_its_days(setting: Setting, hanna: FakePerson) -> None:
    setting.now = NOON + timedelta(days=90) - timedelta(seconds=1)
    assert await setting.directory.principal(HANNA)

    setting.now = NOON + timedelta(days=90)
    with pytest.raises(Unlinked, match="90 days since your account was linked"):
        await setting.directory.principal(HANNA)


# ---- what changes --------------------------------------------------------------------------------


async def test_D1_who_is_removed_from_a_group_loses_its_role_within_60_s_though_the_cache_is_warm(
    setting: Setting, hanna: FakePerson
) -> None:
    assert (await setting.directory.principal(HANNA)).roles == {"desk"}
    hanna.groups.clear()

    setting.hands.at += KEPT

    assert KEPT < 60
    assert (await setting.directory.principal(HANNA)).roles == frozenset()


async def test_D1_votes_and_starts_see_a_removal_at_once(setting: Setting, hanna: FakePerson) -> None:
    await setting.directory.principal(HANNA)
    hanna.groups.clear()

    assert (await setting.directory.live(who(hanna))).roles == frozenset()
    assert (await setting.directory.principal(HANNA)).roles == frozenset()


async def test_what_is_only_shown_is_asked_once(setting: Setting, hanna: FakePerson) -> None:
    for _ in range(5):
        await setting.directory.principal(HANNA)
        await setting.directory.recent(who(hanna))

    assert (setting.entra.asked["GET"], setting.entra.asked["POST"]) == (1, 1)


async def test_a_group_that_the_policies_name_anew_is_asked_for_at_once(
    setting: Setting, hanna: FakePerson
) -> None:
    hanna.groups.add(BOSS)
    setting.groups = frozenset({DESK})
    assert (await setting.directory.principal(HANNA)).roles == {"desk"}

    setting.groups = frozenset({DESK, BOSS})

    assert (await setting.directory.principal(HANNA)).roles == {"desk", "boss"}


@pytest.mark.parametrize("enabled", [False, None])
async def test_W8_I7_a_disabled_account_has_no_rights_left(
    setting: Setting, hanna: FakePerson, enabled: bool | None
) -> None:
    await setting.directory.principal(HANNA)
    hanna.enabled = enabled

    with pytest.raises(Refused, match="Hanna Weber's account is disabled"):
        await setting.directory.live(who(hanna))
    with pytest.raises(Refused, match="disabled"):
        await setting.directory.principal(HANNA)


async def test_W8_who_was_offboarded_has_no_rights_after_60_s(setting: Setting, hanna: FakePerson) -> None:
    await setting.directory.principal(HANNA)
    del setting.entra.people[hanna.oid]

    setting.hands.at += KEPT

    with pytest.raises(Refused, match="no longer in Entra ID"):
        await setting.directory.principal(HANNA)


@pytest.mark.parametrize("kind", ["Guest", None, "member", "Visitor"])
async def test_I7_a_guest_is_refused_whatever_groups_they_are_in(
    setting: Setting, hanna: FakePerson, kind: str | None
) -> None:
    hanna.kind = kind

    with pytest.raises(Refused, match=r"is a guest.*guests = true"):
        await setting.directory.principal(HANNA)


async def test_I7_a_guest_holds_the_roles_that_policy_gives_to_guests_and_no_other(
    setting: Setting, hanna: FakePerson
) -> None:
    hanna.kind = "Guest"
    hanna.groups.add(VISITORS)

    assert (await setting.directory.principal(HANNA)).roles == {"visitor"}


# ---- many groups, many questions -----------------------------------------------------------------


async def test_D3_more_than_200_groups_are_asked_for_20_at_a_time_and_page_by_page(
    setting: Setting, hanna: FakePerson
) -> None:
    groups = [f"22222222-0000-4000-8000-{number:012d}" for number in range(205)]
    hanna.groups = {*groups[::2], "33333333-0000-4000-8000-000000000000"}
    setting.entra.page_size = 3

    found = await setting.graph.memberships(hanna.oid, groups)

    assert found == set(groups[::2])
    assert setting.entra.asked["POST"] == 11


async def test_W4_a_page_elsewhere_is_not_followed_so_the_token_stays_here(
    setting: Setting, hanna: FakePerson
) -> None:
    hanna.groups = set(ROLES)
    setting.entra.page_size = 1
    setting.entra.next_link = "https://evil.example/v1.0/pages/2"

    with pytest.raises(Unavailable, match="doesn't end"):
        await setting.directory.live(who(hanna))


async def test_pages_without_an_end_are_not_followed_for_ever(setting: Setting, hanna: FakePerson) -> None:
    hanna.groups = set(ROLES)
    setting.entra.page_size = 0

    with pytest.raises(Unavailable, match="doesn't end"):
        await setting.graph.memberships(hanna.oid, ROLES)


async def test_many_who_ask_the_same_at_once_cause_one_question(setting: Setting, hanna: FakePerson) -> None:
    setting.entra.latency = 0.05

    found = await asyncio.gather(*(setting.directory.live(who(hanna)) for _ in range(50)))

    assert {one.roles for one in found} == {frozenset({"desk"})}
    assert setting.entra.asked == {"openid-configuration": 1, "token": 1, "GET": 1, "POST": 1}


async def test_one_who_stops_waiting_does_not_spoil_it_for_the_others(setting: Setting, hanna: FakePerson) -> None:
    setting.entra.latency = 0.05
    first = asyncio.create_task(setting.directory.live(who(hanna)))
    second = asyncio.create_task(setting.directory.live(who(hanna)))
    await asyncio.sleep(0)

    first.cancel()

    assert (await second).roles == {"desk"}
    assert first.cancelled()


# ---- when Entra ID doesn't answer ----------------------------------------------------------------


async def test_D4_while_graph_is_down_nothing_is_allowed_and_people_read_why(
    setting: Setting, hanna: FakePerson
) -> None:
    await setting.directory.principal(HANNA)
    setting.entra.down = 503

    with pytest.raises(Unavailable, match=r"can't be asked now.*nothing is allowed.*again in a minute.*503"):
        await setting.directory.live(who(hanna))
    setting.hands.at += KEPT
    with pytest.raises(Unavailable):
        await setting.directory.principal(HANNA)
    setting.entra.down = 0
    assert await setting.directory.principal(HANNA)


async def test_D4_an_answer_that_failed_once_is_asked_for_again(setting: Setting, hanna: FakePerson) -> None:
    setting.entra.failing = [500, 502]

    assert (await setting.directory.live(who(hanna))).roles == {"desk"}


async def test_D4_a_short_throttling_is_waited_out(setting: Setting, hanna: FakePerson) -> None:
    setting.entra.throttled = [0, 1]

    assert (await setting.directory.live(who(hanna))).roles == {"desk"}


async def test_D4_a_long_throttling_fails_at_once_and_graph_is_left_alone_for_its_length(
    setting: Setting, hanna: FakePerson
) -> None:
    setting.entra.throttled = [30, 30]

    with pytest.raises(Unavailable, match="Microsoft asks to wait 30 s"):
        await setting.directory.live(who(hanna))
    while setting.entra._now:
        await asyncio.sleep(0)  # the other half of the question is still on its way
    before = setting.entra.asked.copy()
    setting.entra.throttled = []
    with pytest.raises(Unavailable, match="asks to wait"):
        await setting.directory.live(who(hanna))
    assert setting.entra.asked == before

    setting.hands.at += 30

    assert (await setting.directory.live(who(hanna))).roles == {"desk"}


async def test_a_token_that_graph_takes_no_more_is_replaced(setting: Setting, hanna: FakePerson) -> None:
    await setting.directory.live(who(hanna))
    setting.entra.revoke_tokens()

    assert (await setting.directory.live(who(hanna))).roles == {"desk"}


async def test_a_missing_permission_is_named(setting: Setting, hanna: FakePerson) -> None:
    setting.entra.failing = [403, 403]

    with pytest.raises(Unavailable, match=r"User\.Read\.All and GroupMember\.Read\.All"):
        await setting.directory.live(who(hanna))


# ---- Deputy's own token --------------------------------------------------------------------------


async def test_one_token_serves_until_shortly_before_its_end(entra: FakeEntra) -> None:
    hands = Hands()
    app = EntraApp(entra.registration(), hands)
    first = await app.token()

    hands.at += 3599 - registrations.SPARE - 1
    assert await app.token() == first
    assert entra.asked["token"] == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_D4_where_entra_gives_no_token_people_read_why(
    setting: Setting, hanna: FakePerson, status: int
) -> None:
    setting.entra.down = status

    with pytest.raises(Unavailable, match="nothing is allowed"):
        await setting.directory.live(who(hanna))


async def test_a_certificate_serves_in_the_place_of_a_secret(entra: FakeEntra, tmp_path: Path) -> None:
    pem = rsa_certificate(tmp_path / "deputy.pem")
    entra.client_certificate = pem.read_text()

    assert await EntraApp(entra.registration(secret="", certificate=pem)).token()


async def test_a_wrong_secret_names_its_setting(entra: FakeEntra) -> None:
    with pytest.raises(Invalid, match=r"DEPUTY_ENTRA_CLIENT_SECRET: .*Invalid client secret") as raised:
        await EntraApp(entra.registration(secret="wrong")).token()
    assert "Trace ID" not in str(raised.value)


async def test_a_certificate_that_is_not_there_names_its_setting(entra: FakeEntra, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="DEPUTY_ENTRA_CERTIFICATE"):
        await EntraApp(entra.registration(secret="", certificate=tmp_path / "none.pem")).token()


async def test_a_tenant_that_is_not_there_names_its_setting(entra: FakeEntra) -> None:
    with pytest.raises(Invalid, match="DEPUTY_ENTRA_TENANT"):
        await EntraApp(entra.registration(tenant="dddddddd-0000-4000-8000-00000000000d")).token()


async def test_a_secret_is_in_no_text_of_the_registration(entra: FakeEntra) -> None:
    assert "a-secret" not in repr(entra.registration())


@asynccontextmanager
async def opened(registration: Registration) -> AsyncIterator[EntraDirectory]:
    async def nobody(account: Account) -> Link | None:
        return None

    def none(groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
        return frozenset()

    async with open_entra(
        registration,
        "http://localhost/link/back",
        link=nobody,
        roles=none,
        groups=frozenset,
        relink=timedelta(days=1),
        now=lambda: NOON,
    ) as entra:
        yield entra.directory


async def test_deputy_does_not_start_with_a_secret_that_entra_refuses(entra: FakeEntra) -> None:
    with pytest.raises(Invalid, match="DEPUTY_ENTRA_CLIENT_SECRET"):
        async with opened(entra.registration(secret="wrong")):
            pass


async def test_D4_deputy_starts_while_entra_is_out_of_reach_and_allows_nothing(entra: FakeEntra) -> None:
    person = entra.person(1, "Hanna Weber")
    entra.down = 503
    async with opened(entra.registration()) as directory:
        with pytest.raises(Unavailable):
            await directory.live(who(person))
        entra.down = 0
        assert (await directory.live(who(person))).name == "Hanna Weber"


# ---- the event loop ------------------------------------------------------------------------------


async def test_nothing_holds_up_the_event_loop_for_50_ms_though_every_answer_takes_200(
    entra: FakeEntra, caplog: pytest.LogCaptureFixture
) -> None:
    """A blocking call would hold it up every time; a busy machine does so now and then, so it may try again."""
    person = entra.person(1, "Hanna Weber")
    entra.latency = 0.2
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = 0.05
    caplog.set_level(logging.WARNING, "asyncio")
    stalls: list[list[str]] = []
    while [] not in stalls and len(stalls) < 5:
        caplog.clear()
        async with opened(entra.registration()) as directory:
            loop.set_debug(True)
            await directory.live(who(person))
            loop.set_debug(False)
        stalls.append(list(caplog.messages))
    assert [] in stalls, "the loop stood still in every try"


async def test_MSAL_asks_in_threads_only(entra: FakeEntra, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    send = HTTPAdapter.send

    def sending(self: HTTPAdapter, *args: Any, **more: Any) -> Any:
        threads.append(threading.get_ident())
        return send(self, *args, **more)

    monkeypatch.setattr(HTTPAdapter, "send", sending)
    person = entra.person(1, "Hanna Weber")
    async with opened(entra.registration()) as directory:
        await directory.live(who(person))

    assert threads
    assert threading.get_ident() not in threads


def rsa_certificate(path: Path) -> Path:
    """Write a certificate with its RSA key, which is what an app registration takes."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "deputy")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
