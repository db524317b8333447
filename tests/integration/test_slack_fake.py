"""The fake Slack as the SDK and Bolt see it: both are Slack's own, so what they understand is how Slack speaks."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack_delivery import Delivery, delivery
from tests.fakes.slack_inputs import Impossible
from tests.fakes.slack_limits import message_faults, options_faults, too_long, view_faults
from tests.fakes.slack_server import SlackServer

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def section(text: str = "Hello.", **more: object) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str = "approve:0", text: str = "Approve", **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(text), "value": "R-1", **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def field(element: Json, name: str = "account", **more: object) -> Json:
    return {"type": "input", "block_id": name, "label": plain(name.title()), "element": element, **more}


def entry(kind: str = "plain_text_input", **more: object) -> Json:
    return {"type": kind, "action_id": "value", **more}


def modal(*blocks: Json, **more: object) -> Json:
    return {"type": "modal", "title": plain("A form"), "submit": plain("Run"), "blocks": list(blocks), **more}


def options(count: int) -> list[Json]:
    return [{"text": plain(f"Choice {one}"), "value": str(one)} for one in range(count)]


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server


@pytest.fixture
def client(slack: SlackServer) -> AsyncWebClient:
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def refused(calling: Any) -> tuple[str, list[str]]:
    """Return the error of a call that Slack refuses, and what it says of it."""
    with pytest.raises(SlackApiError) as caught:
        await calling
    answer: Json = caught.value.response.data  # type: ignore[assignment]
    return answer["error"], answer.get("response_metadata", {}).get("messages", [])


class App:
    """An app that notes what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[Any] = []

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.json_response(answer) if answer is not None else web.Response()


@pytest_asyncio.fixture
async def app(slack: SlackServer) -> AsyncIterator[App]:
    one = App()
    async with served(one.take) as url:
        slack.app_url = url
        yield one


class served:
    """A handler, listening on loopback."""

    def __init__(self, handler: Any) -> None:
        site = web.Application()
        site.add_routes([web.post("/slack/events", handler)])
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/slack/events"

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()


# ---- Slack's limits --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "where"),
    [
        ([section("x" * 3001)], "/blocks/0/text/text"),
        ([section("")], "/blocks/0/text/text"),
        ([{"type": "section"}], "/blocks/0"),
        ([section(fields=[plain("x")] * 11)], "/blocks/0/fields"),
        ([section(fields=[plain("x" * 2001)])], "/blocks/0/fields/0/text"),
        ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text"),
        ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/text/type"),
        ([{"type": "context", "elements": [plain("x")] * 11}], "/blocks/0/elements"),
        ([{"type": "card"}], "/blocks/0/type"),
        ([actions(*(button(f"a{one}") for one in range(26)))], "/blocks/0/elements"),
        ([actions(button(text="x" * 76))], "/blocks/0/elements/0/text/text"),
        ([actions(button(value="x" * 2001))], "/blocks/0/elements/0/value"),
        ([actions(button(action_id="x" * 256))], "/blocks/0/elements/0/action_id"),
        ([actions(button(style="warning"))], "/blocks/0/elements/0/style"),
        ([actions(button(colour="red"))], "/blocks/0/elements/0"),
        ([actions(button(), button())], "/blocks/0"),
        ([actions(button(url="javascript:alert(1)"))], "/blocks/0/elements/0/url"),
        ([section(accessory=entry("static_select", options=options(101)))], "/blocks/0/accessory/options"),
        ([section(accessory=entry("checkboxes", options=options(11)))], "/blocks/0/accessory/options"),
        ([section(accessory=entry("radio_buttons", options=options(11)))], "/blocks/0/accessory/options"),
        ([section(accessory=entry("overflow", options=options(6)))], "/blocks/0/accessory/options"),
        ([section(accessory=entry("static_select", options=[]))], "/blocks/0/accessory/options"),
        ([section(block_id="same"), section(block_id="same")], "/blocks"),
        ([section()] * 51, "/blocks"),
        ([{"type": "markdown", "text": "x" * 12_001}], "/blocks/0/text"),
        ([{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101}], "/blocks/0/rows"),
        ([{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]}], "/blocks/0/rows/0"),
        ([{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * 2, "/blocks"),
        ([{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}], "/blocks/0/rows/0/0/text"),
        ("a text", "/blocks"),
    ],
)
def test_a_message_beyond_slacks_limits_is_illegal_and_the_pointer_says_where(blocks: Any, where: str) -> None:
    faults = message_faults(blocks)
    assert faults
    assert f"[json-pointer:{where}]" in faults[0]


def test_a_message_at_slacks_limits_is_legal() -> None:
    texts = [section("x" * 3000), {"type": "header", "text": plain("x" * 150)}, {"type": "divider"}]
    pressed = [actions(*(button(f"a{one}", "x" * 75, value="x" * 2000) for one in range(2)))]
    chosen = [section(accessory=entry("static_select", options=options(100), initial_option=options(1)[0]))]
    table = [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 20] * 100}]
    assert message_faults([*texts, *pressed, *chosen, *table]) == []
    assert message_faults([section()] * 50) == []


def test_blocks_of_more_bytes_than_slack_takes_are_too_long_whatever_the_table_holds() -> None:
    assert too_long([section("x" * 2900)] * 5)
    assert not too_long([section("x" * 2900)] * 4)
    assert not too_long([{"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 9000}]] * 2}])


@pytest.mark.parametrize(
    ("view", "where"),
    [
        (modal(title=plain("x" * 25)), "/view/title/text"),
        (modal(submit=plain("x" * 25)), "/view/submit/text"),
        (modal(private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(*[section()] * 101), "/view/blocks"),
        (modal({"type": "markdown", "text": "no"}), "/view/blocks/0/type"),
        (modal({"type": "table", "rows": []}), "/view/blocks/0/type"),
        (modal(actions(entry())), "/view/blocks/0/elements/0/type"),
        (modal(field(entry("password_input"))), "/view/blocks/0/element/type"),
        (modal(field(entry(max_length=3001))), "/view/blocks/0/element/max_length"),
        (modal(field(entry(initial_value="x" * 3001))), "/view/blocks/0/element/initial_value"),
        (modal(field(entry("number_input"))), "/view/blocks/0/element"),
        (modal(field(entry("datepicker", initial_date="1 May"))), "/view/blocks/0/element/initial_date"),
        (modal(field(entry("static_select"))), "/view/blocks/0/element"),
        (modal(field(entry(placeholder=plain("x" * 151)))), "/view/blocks/0/element/placeholder/text"),
        (modal(field(entry(focus_on_load=True)), field(entry(focus_on_load=True), "other")), "/view/blocks"),
        (modal(field(entry()), field(entry())), "/view/blocks"),
        ({"type": "modal", "title": plain("No submit"), "blocks": [field(entry())]}, "/view"),
        ({"type": "modal", "blocks": []}, "/view"),
        ({"type": "home", "title": plain("No title here"), "blocks": []}, "/view"),
        (["not a view"], "/view/type"),
        (modal(*[section("x" * 2999)] * 90), "/view"),
    ],
)
def test_a_view_beyond_slacks_limits_is_illegal_and_the_pointer_says_where(view: Any, where: str) -> None:
    assert f"[json-pointer:{where}]" in view_faults(view)[0]


def test_an_initial_option_must_be_one_of_the_options() -> None:
    stranger = {"text": plain("Other"), "value": "other"}
    chosen = field(entry("static_select", options=options(2), initial_option=stranger))
    assert view_faults(modal(chosen)) == [
        "[ERROR] initial option must be one of the options [json-pointer:/view/blocks/0/element/initial_option]"
    ]


def test_options_of_a_suggestion_are_at_most_100_each_with_its_own_value() -> None:
    assert options_faults({"options": options(100)}) == []
    assert options_faults({"options": []}) == []
    assert options_faults({"options": options(101)})
    assert options_faults({"options": options(1) * 2})
    assert options_faults({})


# ---- Web API ---------------------------------------------------------------------------------------


async def test_a_message_is_posted_updated_and_deleted(slack: SlackServer, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0OPS", text="Hello.", blocks=[section()])
    await client.chat_update(channel="C0OPS", ts=posted["ts"], text="Bye.", blocks=[section("Bye.")])
    (message,) = slack.shown("C0OPS")
    assert (message.text, message.edits[0][0]) == ("Bye.", "Hello.")
    await client.chat_delete(channel="C0OPS", ts=posted["ts"])
    assert slack.shown("C0OPS") == []
    assert await refused(client.chat_update(channel="C0OPS", ts=posted["ts"], text="?")) == (
        "message_not_found",
        [],
    )


@pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")
async def test_an_illegal_message_is_refused_and_not_shown(slack: SlackServer, client: AsyncWebClient) -> None:
    error, faults = await refused(client.chat_postMessage(channel="C0OPS", text="x", blocks=[section("x" * 3001)]))
    assert (error, faults) == (
        "invalid_blocks",
        ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"],
    )
    assert (await refused(client.chat_postMessage(channel="C0OPS", blocks=[section()])))[0] == "no_text"
    assert (await refused(client.chat_postMessage(channel="C0OPS", text="x" * 40_001)))[0] == "msg_too_long"
    assert slack.shown("C0OPS") == []


@pytest.mark.parametrize(
    ("channel", "error"),
    [("C0NONE", "channel_not_found"), ("C0CLOSED", "not_in_channel"), ("C0OLD", "is_archived")],
)
async def test_nothing_is_posted_where_the_app_may_not(client: AsyncWebClient, channel: str, error: str) -> None:
    assert (await refused(client.chat_postMessage(channel=channel, text="x")))[0] == error


async def test_an_ephemeral_message_is_seen_by_one_member_of_the_channel(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    await client.chat_postEphemeral(channel="C0OPS", user="U0HANNA", text="For you.")
    assert [one.text for one in slack.hanna.whispers] == ["For you."]
    slack.workspace.inactive.add("U0HANNA")  # nobody learns that this one is lost
    assert (await client.chat_postEphemeral(channel="C0OPS", user="U0HANNA", text="For you, too."))["ok"]
    assert [one.text for one in slack.hanna.whispers] == ["For you."]
    assert (slack.martin.whispers, slack.shown("C0OPS")) == ([], [])
    absent = client.chat_postEphemeral(channel="C0APPROVE", user="U0HANNA", text="For you.")
    assert (await refused(absent))[0] == "user_not_in_channel"


async def test_somebody_is_written_to_alone(slack: SlackServer, client: AsyncWebClient) -> None:
    opened = await client.conversations_open(users="U0HANNA")
    await client.chat_postMessage(channel=opened["channel"]["id"], text="For you.")
    await client.chat_postMessage(channel="U0HANNA", text="Again.")
    assert [one.text for one in slack.hanna.directs] == ["For you.", "Again."]
    assert (await refused(client.conversations_open(users="U0GONE")))[0] == "user_disabled"


async def test_people_channels_and_the_app_are_described(client: AsyncWebClient) -> None:
    stranger = (await client.users_info(user="U0STRANGE"))["user"]
    assert (stranger["is_stranger"], stranger["team_id"]) == (True, "T0OTHER")
    assert (await client.users_info(user="U0GUEST"))["user"]["is_restricted"]
    assert (await client.conversations_info(channel="C0OPS"))["channel"]["is_member"]
    mine = [await client.users_conversations(exclude_archived=archived) for archived in (False, True)]
    assert ["C0OLD" in {one["id"] for one in listed["channels"]} for listed in mine] == [True, False]
    assert "U0GONE" not in (await client.conversations_members(channel="C0OPS", limit=50))["members"]
    who = await client.auth_test()
    assert (who["team_id"], "chat:write" in who.headers["x-oauth-scopes"]) == ("T0DEPUTY", True)


async def test_a_missing_scope_and_a_wrong_token_are_said(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.workspace.scopes.remove("users:read")
    assert (await refused(client.users_info(user="U0HANNA")))[0] == "missing_scope"
    stranger = AsyncWebClient("xoxb-of-somebody-else", base_url=slack.api_url)
    assert (await refused(stranger.auth_test()))[0] == "invalid_auth"
    assert (await refused(client.apps_connections_open(app_token=slack.bot_token)))[0] == "not_allowed_token_type"


async def test_methods_that_read_a_form_do_not_see_json(slack: SlackServer) -> None:
    bearer = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=bearer) as session:
        async with session.post(f"{slack.api_url}users.info", json={"user": "U0HANNA"}) as answer:
            assert (await answer.json())["error"] == "invalid_arguments"
        async with session.post(f"{slack.api_url}users.info", data={"user": "U0HANNA"}) as answer:
            assert (await answer.json())["ok"]
        async with session.post(f"{slack.api_url}chat.postMessage", data=b"{", headers=_JSON) as answer:
            assert (await answer.json())["error"] == "invalid_json"


_JSON = {"Content-Type": "application/json"}


async def test_a_file_goes_into_a_thread(slack: SlackServer, client: AsyncWebClient) -> None:
    posted = await client.chat_postMessage(channel="C0OPS", text="Hello.")
    await client.files_upload_v2(
        channel="C0OPS", thread_ts=posted["ts"], content="x" * 40_000, filename="output.txt", title="Output"
    )
    (reply,) = slack.replies("C0OPS", posted["ts"])
    assert [(one.name, one.title, len(one.content or b"")) for one in reply.files] == [
        ("output.txt", "Output", 40_000)
    ]


async def test_messages_are_found_again_by_their_metadata(client: AsyncWebClient) -> None:
    mark = {"event_type": "deputy_run", "event_payload": {"run": "R-1"}}
    await client.chat_postMessage(channel="C0OPS", text="Hello.", metadata=mark)
    found = (await client.conversations_history(channel="C0OPS", include_all_metadata=True))["messages"]
    assert [one["metadata"] for one in found] == [mark]


# ---- triggers and responses ------------------------------------------------------------------------


async def test_a_trigger_opens_one_modal_within_three_seconds(slack: SlackServer, client: AsyncWebClient) -> None:
    trigger = slack.workspace.trigger("U0HANNA")
    await client.views_open(trigger_id=trigger, view=modal(section()))
    assert slack.hanna.modal
    again = client.views_open(trigger_id=trigger, view=modal(section()))
    assert (await refused(again))[0] == "exchanged_trigger_id"
    late = slack.workspace.trigger("U0HANNA")
    slack.pass_time(3.1)
    assert (await refused(client.views_open(trigger_id=late, view=modal(section()))))[0] == "expired_trigger_id"
    stranger = client.views_open(trigger_id="1.2.3", view=modal(section()))
    assert (await refused(stranger))[0] == "invalid_trigger_id"


async def test_three_modals_lie_on_each_other_at_most(slack: SlackServer, client: AsyncWebClient) -> None:
    await client.views_open(trigger_id=slack.workspace.trigger("U0HANNA"), view=modal(section()))
    for _ in range(2):
        await client.views_push(trigger_id=slack.workspace.trigger("U0HANNA"), view=modal(section()))
    deeper = client.views_push(trigger_id=slack.workspace.trigger("U0HANNA"), view=modal(section()))
    assert (await refused(deeper))[0] == "push_limit_reached"


async def test_an_updated_view_keeps_what_was_entered(slack: SlackServer, client: AsyncWebClient) -> None:
    await client.views_open(trigger_id=slack.workspace.trigger("U0HANNA"), view=modal(field(entry())))
    view = slack.hanna.modal
    assert view
    await slack.hanna.enter(view, {"account": "alice"})
    old = view.hash
    await client.views_update(view_id=view.id, hash=old, view=modal(field(entry()), field(entry(), "place")))
    assert view.entered == {("account", "value"): {"type": "plain_text_input", "value": "alice"}}
    stale = client.views_update(view_id=view.id, hash=old, view=modal(section()))
    assert (await refused(stale))[0] == "hash_conflict"


async def test_a_response_url_works_five_times_for_half_an_hour(slack: SlackServer, app: App) -> None:
    await slack.hanna.command("/deputy help")
    url = slack.http.sent[-1].payload["response_url"]
    async with aiohttp.ClientSession() as session:
        statuses = []
        for _ in range(6):
            async with session.post(url, json={"text": "Psst."}) as answer:
                statuses.append(answer.status)
        assert statuses == [200] * 5 + [404]
        await slack.hanna.command("/deputy help")
        slack.pass_time(1801)
        async with session.post(slack.http.sent[-1].payload["response_url"], json={"text": "Psst."}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (404, "expired_url")
    assert [one.text for one in slack.hanna.whispers] == ["Psst."] * 5


# ---- what goes wrong -------------------------------------------------------------------------------


async def test_calls_are_throttled_on_demand_and_by_channel(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.throttle("auth.test", retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await client.auth_test()
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    await client.auth_test()
    slack.posts_per_second = 0.1
    await client.chat_postMessage(channel="C0OPS", text="One.")
    assert (await refused(client.chat_postMessage(channel="C0OPS", text="Two.")))[0] == "ratelimited"
    await client.chat_postMessage(channel="C0APPROVE", text="Elsewhere.")


async def test_it_fails_as_told_and_comes_back_at_the_same_address(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    slack.fails = "500"
    with pytest.raises(SlackApiError):
        await client.auth_test()
    slack.fails = "reset"
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    slack.fails = ""
    await slack.down()
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.auth_test()
    await slack.up()
    await client.auth_test()


# ---- deliveries ------------------------------------------------------------------------------------


async def test_deliveries_carry_a_signature_that_slacks_own_verifier_takes(slack: SlackServer, app: App) -> None:
    verifier = SignatureVerifier(slack.signing_secret)
    await slack.hanna.command("/deputy unlock-account alice")
    await slack.hanna.direct("help")
    await slack.verify_url()
    assert len(app.got) == 3
    for headers, body in app.got:
        assert verifier.is_valid_request(body, headers)
        assert not verifier.is_valid_request(body + b" ", headers)


async def test_events_are_retried_three_times_and_commands_never(slack: SlackServer, app: App) -> None:
    app.answers = [500, 500, 500, 500, 500]
    assert (await slack.hanna.direct("help")).status == 500
    assert [headers.get("X-Slack-Retry-Num") for headers, _ in app.got] == [None, "1", "2", "3"]
    assert len({json.loads(body)["event_id"] for _, body in app.got}) == 1
    await slack.hanna.command("/deputy help")
    assert (len(app.got), slack.hanna.told) == (5, ["/deputy failed because the app did not respond."])


async def test_a_replay_is_the_same_bytes_and_a_redelivery_is_signed_anew(slack: SlackServer, app: App) -> None:
    await slack.hanna.command("/deputy help")
    (sent,) = slack.http.sent
    await slack.replay(sent)
    await slack.redeliver(Delivery(sent.kind, sent.payload, b"", {}), attempt=2)
    first, replayed, redelivered = app.got
    assert (replayed[1], replayed[0]["X-Slack-Signature"]) == (first[1], first[0]["X-Slack-Signature"])
    assert (redelivered[1], redelivered[0]["X-Slack-Retry-Num"]) == (first[1], "2")


async def test_an_app_that_is_too_slow_is_given_up(slack: SlackServer) -> None:
    slack.http.patience = 0.1

    async def sleep(request: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        return web.Response()

    async with served(sleep) as url:
        slack.app_url = url
        answer = await slack.hanna.command("/deputy help")
    assert (answer.status, len(slack.hanna.told)) == (0, 1)


async def test_a_form_is_sent_only_when_slacks_client_would_send_it(
    slack: SlackServer, client: AsyncWebClient, app: App
) -> None:
    fields = [field(entry(min_length=3)), field(entry("number_input", is_decimal_allowed=False), "days")]
    await client.views_open(trigger_id=slack.workspace.trigger("U0HANNA"), view=modal(*fields))
    view = slack.hanna.modal
    assert view
    with pytest.raises(Impossible, match="Days"):
        await slack.hanna.submit(view, {"account": "alice"})
    with pytest.raises(Impossible, match="too short"):
        await slack.hanna.submit(view, {"account": "al", "days": 3})
    app.answers = [{"response_action": "errors", "errors": {"account": "There is no alice."}}]
    await slack.hanna.submit(view, {"account": "alice", "days": 3})
    assert (slack.hanna.modal, slack.hanna.told) == (view, [])
    await slack.hanna.submit(view)
    assert slack.hanna.modal is None


async def test_errors_at_a_field_that_is_not_there_are_a_fault_of_the_app(
    slack: SlackServer, client: AsyncWebClient, app: App
) -> None:
    await client.views_open(trigger_id=slack.workspace.trigger("U0HANNA"), view=modal(field(entry())))
    view = slack.hanna.modal
    assert view
    app.answers = [{"response_action": "errors", "errors": {"elsewhere": "?"}}]
    await slack.hanna.submit(view, {"account": "alice"})
    assert "can't be shown" in slack.hanna.told[0]


# ---- Bolt as the app -------------------------------------------------------------------------------


def bolt(slack: SlackServer, heard: list[tuple[str, Any]]) -> AsyncApp:
    """Build an app that notes everything it hears."""

    async def authorize(**_: object) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None, team_id="T0DEPUTY", bot_token=slack.bot_token, bot_id="B0DEPUTY"
        )

    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    app = AsyncApp(
        signing_secret=slack.signing_secret, client=client, authorize=authorize, process_before_response=True
    )

    @app.command("/deputy")
    async def command(ack: Any, command: Any, client: Any, body: Any) -> None:
        heard.append(("command", command["text"]))
        chosen = field(entry("external_select", min_query_length=0), "place")
        await client.views_open(trigger_id=body["trigger_id"], view=modal(field(entry()), chosen, callback_id="f"))
        await ack("On it.")

    @app.options("value")
    async def suggest(ack: Any, options: Any) -> None:
        await ack(options=[{"text": plain(options["value"].upper()), "value": options["value"]}])

    @app.view("f")
    async def submitted(ack: Any, view: Any, client: Any, body: Any) -> None:
        values = view["state"]["values"]
        heard.append(("view", (values["account"]["value"]["value"], values["place"]["value"]["selected_option"])))
        await ack()
        await client.chat_postMessage(channel="C0OPS", text="Asked.", blocks=[section(), actions(button())])

    @app.action("approve:0")
    async def pressed(ack: Any, action: Any, respond: Any) -> None:
        heard.append(("action", action["value"]))
        await ack()
        await respond("Noted.", replace_original=True)

    @app.event("app_mention")
    async def mentioned(event: Any) -> None:
        heard.append(("mention", event["text"]))

    @app.event("message")
    async def told(event: Any) -> None:
        heard.append((event["channel_type"], event["text"]))

    @app.event("app_home_opened")
    async def home(event: Any, client: Any) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section("Home.")]})

    @app.message_shortcut("on_this")
    async def shortcut(ack: Any, shortcut: Any) -> None:
        heard.append(("shortcut", shortcut["message"]["text"]))
        await ack()

    return app


async def play(slack: SlackServer) -> None:
    """Do one thing of each kind."""
    assert (await slack.hanna.command("/deputy unlock-account alice")).ok
    view = slack.hanna.modal
    assert view
    await slack.hanna.submit(view, {"account": "alice", "place": "berlin"})
    (message,) = slack.shown("C0OPS")
    await slack.martin.press(message, "Approve")
    await slack.hanna.shortcut("on_this", slack.eve.say("alice can't sign in"))
    await slack.hanna.open_home()
    assert (await slack.hanna.mention("a < b")).ok
    assert (await slack.hanna.direct("help")).ok


PLAYED = [
    ("command", "unlock-account alice"),
    ("view", ("alice", {"text": plain("BERLIN"), "value": "berlin"})),
    ("action", "R-1"),
    ("shortcut", "alice can't sign in"),
    ("mention", "<@U0DEPUTY> a &lt; b"),
    ("im", "help"),
]


async def test_bolt_understands_every_delivery_over_http(slack: SlackServer) -> None:
    heard: list[tuple[str, Any]] = []
    app = bolt(slack, heard)
    runner = web.AppRunner(app.web_app("/slack/events", 0))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.app_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await play(slack)
    assert (await slack.verify_url()).body == {"challenge": "3eZbrw1a"}
    unsigned = await slack.http.post(Delivery("events_api", {}, b"{}", _JSON))
    await runner.cleanup()
    assert heard == PLAYED
    assert unsigned.status == 401
    assert slack.shown("C0OPS")[0].text == "Noted."
    assert slack.hanna.home
    assert [one.text for one in slack.hanna.whispers] == ["On it."]


async def test_bolt_understands_every_delivery_over_socket_mode(slack: SlackServer) -> None:
    heard: list[tuple[str, Any]] = []
    handler = AsyncSocketModeHandler(bolt(slack, heard), slack.app_token)
    handler.client.web_client.base_url = slack.api_url
    await handler.connect_async()
    slack.mode = "socket"
    await slack.until(lambda: slack.socket.connections)
    await play(slack)
    await handler.close_async()
    assert heard == PLAYED


async def test_envelopes_go_to_one_of_two_connections_and_on_to_the_other_where_nobody_acks(
    slack: SlackServer,
) -> None:
    slack.mode, slack.socket.patience = "socket", 1.0
    seen: list[tuple[int, int]] = []
    web_client = AsyncWebClient(base_url=slack.api_url)
    clients = [SocketModeClient(slack.app_token, web_client=web_client) for _ in range(2)]
    for place, client in enumerate(clients):

        async def note(client: Any, message: Any, raw: Any = None, place: int = place) -> None:
            if message.get("type") == "events_api":
                seen.append((place, message["retry_attempt"]))
                if place == 1:
                    await client.send_message(json.dumps({"envelope_id": message["envelope_id"]}))

        client.message_listeners.append(note)
        await client.connect()
    await slack.until(lambda: len(slack.socket.connections) == 2)
    assert (await slack.hanna.direct("help")).ok
    for client in clients:
        await client.close()
    assert seen == [(0, 0), (1, 1)]


async def test_a_delivery_can_be_made_of_anything(slack: SlackServer, app: App) -> None:
    await slack.http.post(delivery("interactive", {"type": "new_kind"}))
    ((_, body),) = app.got
    assert body == b"payload=%7B%22type%22%3A+%22new_kind%22%7D"
