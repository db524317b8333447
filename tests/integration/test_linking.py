"""Linking a chat account: from a message in chat through the browser and Microsoft, and back into chat."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from bot.core.card import Card, Page, Verb
from bot.core.errors import Conflict, Invalid, NotFound, Refused, Unlinked
from bot.core.linking import LIFE, MOST_MISSES, Link
from bot.core.principal import Account, Who
from bot.core.run import State
from bot.identity import pages
from bot.identity.opening import Entra, open_entra
from bot.ports import Change
from bot.service.desk import Desk
from bot.store.database import SqlStore, open_store
from tests.fakes.browser import Browser
from tests.fakes.company import PLACE, Company
from tests.fakes.entra_server import TENANT, FakeEntra, FakePerson, SigningKey, entra_server, trust

HANNA = Account("slack", "T1/U1", "hanna")
MALLORY = Account("slack", "T1/U666", "Hanna Weber")
DAYS = 90


class Office:
    """Deputy with Entra ID, as far as linking goes: the desk, the pages, and the browsers in front of them."""

    def __init__(self, company: Company, entra: FakeEntra, store: SqlStore, stack: AsyncExitStack) -> None:
        self.company, self.entra, self.store, self._stack = company, entra, store, stack
        self.address = ""

    async def open(self) -> None:
        """Serve the pages."""
        self.address = await self.serve(unused_port())

    async def serve(self, port: int, address: str = "") -> str:
        """Serve the pages by one more process, behind `address`, over the same database; return its address."""
        mine = f"http://127.0.0.1:{port}"
        public = address or mine
        entra = await self._entra(public)
        self.ports = replace(
            self.company.ports,
            directory=entra.directory,
            store=self.store,
            link_page=f"{public}{pages.PREFIX}",
        )
        self.desk = Desk(self.ports)
        root = web.Application()
        root.add_subapp(pages.PREFIX, pages.application(self.ports, entra.sign_in))
        runner = web.AppRunner(root, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return mine

    async def _entra(self, public: str) -> Entra:
        opened = open_entra(
            self.entra.registration(),
            f"{public}{pages.BACK}",
            link=self.store.link,
            roles=self.company.rules.roles,
            groups=lambda: frozenset({"desk", "boss"}),
            relink=timedelta(days=DAYS),
            now=self.company.clock.now,
        )
        return await self._stack.enter_async_context(opened)

    async def browser(self) -> Browser:
        """Return a new browser, which trusts the fake's certificate."""
        session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=self.entra.ca)),
        )
        return Browser(await self._stack.enter_async_context(session))

    async def say(self, account: Account, text: str) -> Card:
        reply = await self.desk.say(account, PLACE, text, self.company.delivery())
        assert reply.card, reply
        return reply.card

    async def press(self, account: Account, comment: str) -> Card:
        """Press “Enter the code” and give a code."""
        reply = await self.desk.press(account, PLACE, Verb.LINK, account.key, comment, self.company.delivery())
        assert reply.card, reply
        return reply.card

    async def ask_for_link(self, account: Account = HANNA) -> str:
        """Ask for a link in chat; return its address."""
        return address_in(await self.say(account, "link"))

    async def tags(self) -> list[str]:
        return [entry.tag for entry in await self.store.entries()]


def address_in(card: Card) -> str:
    return next(block.address for block in card.blocks if isinstance(block, Page))


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        entra = await stack.enter_async_context(entra_server(tmp_path))
        trust(entra, monkeypatch)
        store = await open_store(tmp_path / "deputy.db")
        stack.push_async_callback(store.close)
        office = Office(Company(), entra, store, stack)
        await office.open()
        yield office


@pytest.fixture
def hanna(office: Office) -> FakePerson:
    """Add Hanna, who sits at the browser."""
    office.entra.signed_in = office.entra.person(1, "Hanna Weber", "desk", mail="hanna@acme.test")
    return office.entra.signed_in


@pytest.fixture
async def browser(office: Office, hanna: FakePerson) -> Browser:
    return await office.browser()


# ---- the way it goes -----------------------------------------------------------------------------


async def test_who_is_not_linked_is_offered_a_link_and_after_it_may_do_what_their_groups_allow(
    office: Office, hanna: FakePerson, browser: Browser
) -> None:
    offered = await office.say(HANNA, "look")
    assert "not linked to anybody yet" in offered.lead

    page = await browser.open(address_in(offered))
    assert "Slack account “hanna” (T1/U1)" in page.text
    shown = await browser.sign_in(address_in(offered))
    assert "You signed in as <strong>Hanna Weber</strong>" in shown.text
    done = await office.press(HANNA, shown.code)

    assert done.lead.startswith("This Slack account “hanna” (T1/U1) belongs to Hanna Weber.")
    assert done.audit.startswith("AUD-")
    link = await office.store.link(HANNA)
    assert link
    assert link.who == Who(TENANT, hanna.oid)
    reply = await office.desk.say(HANNA, PLACE, "look", office.company.delivery())
    assert (await office.store.run(reply.run)).request.requester == Who(TENANT, hanna.oid)


async def test_the_link_is_in_the_audit_log_under_the_persons_name(
    office: Office, hanna: FakePerson, browser: Browser
) -> None:
    shown = await browser.sign_in(await office.ask_for_link())
    await office.press(HANNA, shown.code)

    (entry,) = await office.store.entries(subject="slack/t1/u1")
    assert (entry.tag, entry.tenant, entry.actor, entry.actor_name) == (
        "account:linked",
        TENANT,
        hanna.oid,
        "Hanna Weber",
    )
    assert entry.facts == {"platform": "slack", "account": "T1/U1", "account_name": "hanna", "before": None}


async def test_microsoft_is_asked_with_pkce_a_state_a_nonce_and_for_the_account(
    office: Office, browser: Browser
) -> None:
    await browser.sign_in(await office.ask_for_link())

    (asked,) = office.entra.authorized
    assert asked["code_challenge_method"] == "S256"
    assert asked["prompt"] == "select_account"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 22
    assert "offline_access" not in asked["scope"]


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " "), lambda code: f"  {code} "])
async def test_the_code_may_be_typed_as_a_command_however_people_type_it(
    office: Office, browser: Browser, typed: Callable[[str], str]
) -> None:
    shown = await browser.sign_in(await office.ask_for_link())

    await office.say(HANNA, f"link {typed(shown.code)}")

    assert await office.store.link(HANNA)


async def test_D6_the_same_account_spelt_otherwise_is_the_one_that_is_linked(
    office: Office, browser: Browser
) -> None:
    shown = await browser.sign_in(await office.ask_for_link(Account("slack", "t1/u1 ")))
    await office.press(Account("Slack", " T1/U1"), shown.code)

    assert (await office.desk.person(HANNA)).name == "Hanna Weber"


async def test_whoever_comes_back_may_come_back_to_another_process(office: Office, browser: Browser) -> None:
    address = await office.ask_for_link()
    back = await browser.to_microsoft(address)
    other = await office.serve(unused_port(), office.address)

    shown = await browser.open(back.replace(office.address, other))

    await office.press(HANNA, shown.code)
    assert await office.store.link(HANNA)


async def test_the_page_with_the_code_can_be_looked_at_again_by_that_browser_alone(
    office: Office, browser: Browser
) -> None:
    address = await office.ask_for_link()
    shown = await browser.sign_in(address)

    assert (await browser.open(address)).code == shown.code
    other = await (await office.browser()).open(address)
    assert (other.status, shown.code in other.text) == (409, False)
    await office.press(HANNA, shown.code)
    assert "Your account is linked" in (await browser.open(address)).text


async def test_opening_the_page_changes_nothing_for_chats_open_links_to_preview_them(
    office: Office, browser: Browser
) -> None:
    address = await office.ask_for_link()
    for method in ("HEAD", "GET", "GET"):
        assert (await (await office.browser()).open(address, method=method)).status == 200

    shown = await browser.sign_in(address)

    assert shown.code


# ---- somebody else's link ------------------------------------------------------------------------


async def test_who_forwards_their_link_to_somebody_else_gains_nothing(office: Office, browser: Browser) -> None:
    """Mallory's link, opened and gone through by Hanna: the code that Mallory needs is in Hanna's browser."""
    address = await office.ask_for_link(MALLORY)
    assert "(T1/U666)" in (await browser.open(address)).text
    shown = await browser.sign_in(address)
    assert "whoever has it acts in your name" in shown.text

    for tries in range(MOST_MISSES):
        with pytest.raises(Invalid, match=r"not the code|once too often"):
            await office.press(MALLORY, f"GUESS{tries}")
    with pytest.raises(Conflict):
        await office.press(MALLORY, shown.code)

    assert await office.store.link(MALLORY) is None
    assert await office.tags() == ["account:link:refused"] * MOST_MISSES
    with pytest.raises(Unlinked):
        await office.desk.person(MALLORY)


async def test_nor_does_who_forwards_the_address_at_microsoft(office: Office, browser: Browser) -> None:
    """The sign-in was begun in Mallory's browser, so Hanna's can't come back from it."""
    mallory = await office.browser()
    address = await office.ask_for_link(MALLORY)
    went = await mallory.send(address)

    back = await browser.open(await browser.through_microsoft(went.onward))

    assert back.status == 404
    assert "code" not in back.text.split("</style>")[1]
    assert await office.store.link(MALLORY) is None


async def test_nor_does_who_sends_the_form_from_a_page_of_their_own(office: Office, browser: Browser) -> None:
    address = await office.ask_for_link(MALLORY)

    for origin in ("https://evil.example", "null", None):
        assert (await browser.send(address, origin)).status == 403

    assert office.entra.authorized == []


async def test_a_browser_with_a_link_of_its_own_does_not_come_back_from_anothers(
    office: Office, browser: Browser
) -> None:
    await browser.send(await office.ask_for_link())
    went = await (await office.browser()).send(await office.ask_for_link(MALLORY))

    back = await browser.open(await browser.through_microsoft(went.onward))

    assert back.status == 403
    assert "not the one that was begun here" in back.text


async def test_a_code_serves_the_account_that_asked_and_no_other(office: Office, browser: Browser) -> None:
    shown = await browser.sign_in(await office.ask_for_link())

    with pytest.raises(NotFound):
        await office.press(MALLORY, shown.code)
    await office.ask_for_link(MALLORY)
    with pytest.raises(Conflict, match="Nobody has signed in yet"):
        await office.press(MALLORY, shown.code)


# ---- once, and for ten minutes -------------------------------------------------------------------


async def test_a_link_serves_one_browser(office: Office, browser: Browser) -> None:
    address = await office.ask_for_link()
    await browser.to_microsoft(address)

    again = await (await office.browser()).send(address)

    assert (again.status, "used already" in again.text) == (409, True)


async def test_coming_back_serves_once(office: Office, browser: Browser) -> None:
    back = await browser.to_microsoft(await office.ask_for_link())
    assert (await browser.open(back)).status == 200

    again = await browser.open(back)

    assert (again.status, "used already" in again.text) == (409, True)


async def test_a_code_serves_once(office: Office, browser: Browser) -> None:
    shown = await browser.sign_in(await office.ask_for_link())
    await office.press(HANNA, shown.code)
    await office.say(HANNA, "unlink")

    with pytest.raises(Conflict, match="used already"):
        await office.press(HANNA, shown.code)
    assert await office.store.link(HANNA) is None


async def test_a_newer_link_takes_the_place_of_the_older(office: Office, browser: Browser) -> None:
    older = await office.ask_for_link()
    newer = await office.ask_for_link()

    assert (await browser.open(older)).status == 404
    assert (await browser.sign_in(newer)).code


async def test_after_ten_minutes_no_step_is_taken_any_more(office: Office, browser: Browser) -> None:
    address = await office.ask_for_link()
    back = await browser.to_microsoft(address)
    other = await office.ask_for_link(MALLORY)
    shown = await browser.sign_in(other)

    office.company.clock.pass_(LIFE.total_seconds())

    assert (await browser.open(address)).status == 404
    assert (await browser.send(address)).status == 404
    assert (await browser.open(back)).status == 404
    with pytest.raises(NotFound, match="time is over"):
        await office.press(MALLORY, shown.code)


async def test_a_made_up_link_is_not_found(office: Office, browser: Browser) -> None:
    for path in (
        "/link/00000000000000000000000000",
        "/link/x",
        "/link/",
        "/link/back",
        "/link/back?code=1&state=2",
    ):
        assert (await browser.open(f"{office.address}{path}")).status == 404


# ---- what comes back wrong -----------------------------------------------------------------------


async def test_another_state_is_refused_and_ends_the_linking(office: Office, browser: Browser) -> None:
    back = await browser.to_microsoft(await office.ask_for_link())
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    forged = f"{back.partition('?')[0]}?{urlencode({**query, 'state': 'another'})}"

    assert (await browser.open(forged)).status == 403
    assert (await browser.open(back)).status == 409
    assert await office.tags() == ["account:link:refused"]


async def test_a_code_of_another_sign_in_is_refused_for_its_verifier_is_another(
    office: Office, browser: Browser
) -> None:
    other = await office.browser()
    stolen = parse_qs(urlsplit(await other.to_microsoft(await office.ask_for_link(MALLORY))).query)["code"][0]
    back = await browser.to_microsoft(await office.ask_for_link())
    state = parse_qs(urlsplit(back).query)["state"][0]

    swapped = f"{back.partition('?')[0]}?{urlencode({'code': stolen, 'state': state})}"

    assert "AADSTS70008" in (await browser.open(swapped)).text


async def test_who_declines_at_microsoft_is_told_so_and_not_linked(office: Office, browser: Browser) -> None:
    office.entra.signed_in = None

    shown = await browser.sign_in(await office.ask_for_link())

    assert shown.status == 403
    assert "The person declined" in shown.text
    (entry,) = await office.store.entries()
    assert (entry.tag, entry.tenant, entry.actor) == ("account:link:refused", "slack", "T1/U1")


@pytest.mark.parametrize(
    "claims", [{"nonce": "another"}, {"aud": "another"}, {"tid": "another"}, {"iss": "https://evil.example"}]
)
async def test_D5_an_id_token_that_does_not_hold_links_nobody(
    office: Office, browser: Browser, claims: dict[str, str]
) -> None:
    office.entra.claims = claims

    shown = await browser.sign_in(await office.ask_for_link())

    assert shown.status == 403
    with pytest.raises(Conflict):
        await office.press(HANNA, "000000")


async def test_D5_the_proof_is_kept_until_it_is_checked_by_us(office: Office, browser: Browser) -> None:
    """MSAL takes an ID token that anybody signed; Deputy doesn't."""
    office.entra.forged = SigningKey(office.entra.keys[0].kid).sign

    assert (await browser.sign_in(await office.ask_for_link())).status == 403


async def test_keys_may_rotate_between_two_sign_ins(office: Office, browser: Browser) -> None:
    office.entra.rotate()

    assert (await browser.sign_in(await office.ask_for_link())).code


@pytest.mark.parametrize(
    ("change", "why"), [({"kind": "Guest", "groups": set()}, "is a guest"), ({"enabled": False}, "is disabled")]
)
async def test_I7_guests_and_disabled_accounts_are_not_linked(
    office: Office, hanna: FakePerson, browser: Browser, change: dict[str, object], why: str
) -> None:
    vars(hanna).update(change)

    shown = await browser.sign_in(await office.ask_for_link())

    assert (shown.status, why in shown.text) == (403, True)
    assert await office.tags() == ["account:link:refused"]


async def test_D4_while_graph_is_down_the_page_says_so(office: Office, browser: Browser) -> None:
    back = await browser.to_microsoft(await office.ask_for_link())
    office.entra.failing = [503] * 6

    shown = await browser.open(back)

    assert (shown.status, "nothing is allowed" in shown.text) == (503, True)


async def test_D2_who_has_anothers_mail_and_name_is_linked_as_themselves(
    office: Office, hanna: FakePerson, browser: Browser
) -> None:
    office.entra.signed_in = office.entra.person(2, "Hanna Weber", mail="hanna@acme.test")
    shown = await browser.sign_in(await office.ask_for_link(MALLORY))
    await office.press(MALLORY, shown.code)

    linked = await office.desk.person(MALLORY)

    assert linked.who != Who(TENANT, hanna.oid)
    assert linked.roles == frozenset()


# ---- what people see -----------------------------------------------------------------------------


async def test_W6_names_are_text_and_never_markup(office: Office, hanna: FakePerson, browser: Browser) -> None:
    hanna.name = "<img src=x onerror=alert(1)>"
    account = Account("slack", "T1/U1", "</strong><script>alert(1)</script>")
    address = address_in(await office.say(account, "link"))

    texts = [(await browser.open(address)).text, (await browser.sign_in(address)).text]

    assert [text for text in texts if "<script" in text or "<img" in text] == []
    assert "&lt;script&gt;" in texts[0]


async def test_every_page_is_kept_to_itself(office: Office, browser: Browser) -> None:
    address = await office.ask_for_link()
    for shown in (await browser.open(address), await browser.sign_in(address), await browser.open(address + "X")):
        assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in shown.headers["Content-Security-Policy"]
        assert shown.headers["Cache-Control"] == "no-store"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_authorization_code_stays_in_no_address(office: Office, browser: Browser) -> None:
    shown = await browser.sign_in(await office.ask_for_link())

    assert urlsplit(shown.address).query == ""


async def test_over_https_the_cookie_is_for_this_host_and_https_alone(office: Office, hanna: FakePerson) -> None:
    behind = await office.serve(unused_port(), "https://deputy.example.com")
    address = (await office.ask_for_link()).replace("https://deputy.example.com", behind)

    went = await (await office.browser()).send(address, "https://deputy.example.com")

    cookie = went.headers["Set-Cookie"]
    assert cookie.startswith("__Host-deputy-link=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))


# ---- afterwards ----------------------------------------------------------------------------------


async def linked(office: Office, browser: Browser) -> None:
    shown = await browser.sign_in(await office.ask_for_link())
    await office.press(HANNA, shown.code)


async def test_a_link_can_be_taken_back_even_while_graph_is_down(office: Office, browser: Browser) -> None:
    await linked(office, browser)
    office.entra.down = 503

    card = await office.say(HANNA, "unlink")

    assert "has no rights until it is linked again" in card.lead
    assert await office.tags() == ["account:linked", "account:unlinked"]
    assert "not linked to anybody" in (await office.say(HANNA, "look")).lead


async def test_what_is_not_linked_cannot_be_taken_back(office: Office) -> None:
    with pytest.raises(NotFound, match="linked to nobody"):
        await office.say(HANNA, "unlink")


async def test_after_its_days_an_account_is_linked_again(office: Office, browser: Browser) -> None:
    await linked(office, browser)
    office.company.clock.pass_(DAYS * 86_400)

    offered = await office.say(HANNA, "look")
    assert "It is 90 days since your account was linked" in offered.lead
    shown = await browser.sign_in(address_in(offered))
    done = await office.press(HANNA, shown.code)

    assert "belongs to Hanna Weber still" in done.lead
    assert await office.tags() == ["account:linked", "account:relinked"]
    assert await office.desk.person(HANNA)


async def test_linking_to_another_person_names_the_one_before(
    office: Office, hanna: FakePerson, browser: Browser
) -> None:
    await linked(office, browser)
    office.entra.signed_in = office.entra.person(2, "Olu Adeyemi")

    await linked(office, browser)

    (_, entry) = await office.store.entries()
    assert (entry.tag, entry.actor_name) == ("account:relinked", "Olu Adeyemi")
    assert entry.facts["before"] == f"{TENANT}/{hanna.oid}"
    assert (await office.desk.person(HANNA)).name == "Olu Adeyemi"


MARCO = Account("slack", "T1/U2")


async def asked_of_marco(office: Office, hanna: FakePerson) -> tuple[FakePerson, str]:
    """Link Hanna and Marco, and let her ask for what he may approve; return him and the run."""
    marco = office.entra.person(2, "Marco Rossi", "boss")
    for account, person in ((HANNA, hanna), (MARCO, marco)):
        await office.store.commit(
            Change((), link=Link(account, Who(TENANT, person.oid), office.company.clock.now()))
        )
    asked = await office.desk.say(HANNA, PLACE, "change alice", office.company.delivery())
    return marco, asked.run


async def approve(office: Office, run: str) -> None:
    await office.desk.press(MARCO, PLACE, Verb.APPROVE, run, "", office.company.delivery())


async def test_W8_a_linked_account_decides_nothing_once_its_person_is_disabled(
    office: Office, hanna: FakePerson
) -> None:
    marco, run = await asked_of_marco(office, hanna)
    await office.say(MARCO, "approvals")
    marco.enabled = False

    with pytest.raises(Refused, match="Marco Rossi's account is disabled"):
        await approve(office, run)
    assert (await office.store.run(run)).state is State.AWAITING_APPROVAL


async def test_a_vote_waits_for_graph_less_than_five_times_so_200_ms_each_stay_under_a_second(
    office: Office, hanna: FakePerson
) -> None:
    _, run = await asked_of_marco(office, hanna)
    office.entra.latency = 0.02
    office.entra.rounds = 0

    await approve(office, run)

    assert (await office.store.run(run)).state is State.QUEUED
    assert 1 <= office.entra.rounds < 5


async def test_every_door_of_an_unlinked_account_leads_to_the_link(office: Office) -> None:
    delivery = office.company.delivery
    filled = await office.desk.fill(HANNA, PLACE, "look", {}, "", delivery())
    pressed = await office.desk.press(HANNA, PLACE, Verb.APPROVE, "R-1", "", delivery())

    for reply in (filled, pressed):
        assert reply.card
        assert address_in(reply.card).startswith(f"{office.address}/link/")
    with pytest.raises(Unlinked):
        await office.desk.complete(HANNA, "look")
    with pytest.raises(Unlinked):
        await office.desk.output(HANNA, "R-1")


async def test_an_account_whose_platform_proves_who_it_is_needs_no_link(office: Office, hanna: FakePerson) -> None:
    teams = Account("teams", "29:1x", who=Who(TENANT, hanna.oid))

    with pytest.raises(Refused, match="needs no link"):
        await office.say(teams, "link")
    assert (await office.desk.person(teams)).name == "Hanna Weber"


@pytest.mark.parametrize("text", ["link", "link 123456", "unlink"])
async def test_local_accounts_need_no_link(text: str) -> None:
    with pytest.raises(Refused, match="needs no link"):
        await Company().say("ann", text)


@pytest.mark.parametrize("text", ["link", "link ABCD12", "unlink"])
async def test_who_is_not_known_where_no_link_is_made_reads_why(text: str) -> None:
    with pytest.raises(Refused, match="Zoe is no longer in the directory"):
        await Company().say("zoe", text)


async def test_the_page_says_at_which_step_it_is_and_whose_the_account_is_in_the_end(
    office: Office, browser: Browser
) -> None:
    address = await office.ask_for_link()
    now = 'aria-current="step">{}.'
    assert now.format(1) in (await browser.open(address)).text
    shown = await browser.sign_in(address)
    assert now.format(3) in shown.text
    assert "choose “Enter the code”" in shown.text
    await office.press(HANNA, shown.code)
    assert "belongs to <strong>Hanna Weber</strong>" in (await browser.open(address)).text
