"""The local channel over real HTTP on loopback, with a fake door behind it."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.local.guard import LARGEST, parse
from bot.chat.local.listen import Person, application
from bot.chat.local.post import BACKLOG, PLACE, Event, Listener, LocalChat
from bot.core.canonical import LARGEST as LARGEST_NUMBER
from bot.core.canonical import sha256
from bot.core.card import Button, Card, Fact, Hidden, Text, Tone, Verb
from bot.core.errors import Conflict, Damaged, DeputyError, Invalid, NotFound, Refused, Unavailable
from bot.core.form import Form
from bot.core.principal import Account, Principal
from bot.core.run import Place
from bot.ports import Chat, Post
from bot.service.door import Door, Suggestion
from bot.service.reply import Reply
from tests.fakes.door import Call, FakeClock, FakeDoor, FakeTimeline, who

HANNA = Person("hanna", "Hanna Weber", "Helpdesk", ("/deputy unlock-account alice",))
MARTIN = Person("martin", "Martin Keller", "Helpdesk lead")


class Site:
    """A served channel and what stands behind it."""

    def __init__(self, door: FakeDoor, chat: LocalChat, client: TestClient) -> None:
        self.door, self.chat, self.client = door, chat, client

    async def send(self, path: str, **body: object) -> tuple[int, dict]:
        body = {"as": "hanna", "delivery": str(uuid4()), **body}
        async with self.client.post(f"/api/{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> tuple[int, dict]:
        async with self.client.get(path) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    door, chat = FakeDoor(), LocalChat(FakeTimeline(), FakeClock())
    async with TestClient(TestServer(application(door, chat, [HANNA, MARTIN]), host="127.0.0.1")) as client:
        yield Site(door, chat, client)


async def next_event(lines: AsyncIterator[bytes]) -> tuple[str, object]:
    """Read one server-sent event, passing over heartbeats."""
    name = ""
    async for line in lines:
        if line.startswith(b"event: "):
            name = line[7:].decode().strip()
        elif line.startswith(b"data: "):
            return name, json.loads(line[6:])
    raise AssertionError("the stream ended")


def is_chat(chat: Chat) -> Chat:
    return chat


def is_door(door: Door) -> Door:
    return door


def test_the_channel_and_the_fake_door_fit_their_ports() -> None:
    assert is_chat(LocalChat(FakeTimeline(), FakeClock()))
    assert is_door(FakeDoor())


# ---- commands and words --------------------------------------------------------------------------


async def test_a_command_reaches_the_door_without_its_prefix(site: Site) -> None:
    site.door.answer = lambda call: Reply(Card("Unlocked"), run="R-1")
    delivery = str(uuid4())
    status, answer = await site.send("say", text="/deputy unlock-account alice", delivery=delivery)
    assert status == 200
    assert answer["reply"]["card"]["title"] == "Unlocked"
    assert answer["reply"]["run"] == "R-1"
    (call,) = site.door.calls
    assert (call.account, call.given) == (Account("local", "hanna"), ("unlock-account alice",))
    assert call.delivery.id == f"local:{delivery}"


async def test_a_delivery_carries_the_hash_of_all_that_was_sent(site: Site) -> None:
    body = {"as": "hanna", "delivery": str(uuid4()), "text": "/deputy"}
    await site.send("say", **body)
    await site.send("say", **body)
    await site.send("say", **{**body, "text": "/deputy mine"})
    first, again, other = (call.delivery for call in site.door.calls)
    assert first == again
    assert first.content == sha256(body)
    assert (other.id == first.id, other.content == first.content) == (True, False)


async def test_other_words_are_an_ordinary_message_everybody_sees_once(site: Site) -> None:
    delivery = str(uuid4())
    for _ in range(2):
        assert (await site.send("say", text="Good morning", delivery=delivery))[0] == 200
    _, answer = await site.get("/api/messages?as=martin")
    assert [(one["author"], one["text"]) for one in answer["messages"]] == [("hanna", "Good morning")]
    assert site.door.calls == []


@pytest.mark.parametrize("text", ["", "   ", "x" * 8_001, "a\x00b", "\ud800"])
async def test_X3_words_that_can_not_be_shown_are_refused_with_a_sentence(site: Site, text: str) -> None:
    status, answer = await site.send("say", text=text)
    assert status == 400
    assert answer["error"].endswith(".")


async def test_a_filled_form_reaches_the_door_as_it_was_filled(site: Site) -> None:
    await site.send("fill", action="reset-password", values={"name": "bob", "force": True}, reason="called in")
    assert site.door.calls[0].given == ("reset-password", {"name": "bob", "force": True}, "called in")


async def test_a_press_reaches_the_door_with_its_comment(site: Site) -> None:
    await site.send("press", verb="deny", subject="R-1", comment="not today")
    assert site.door.calls[0].given == (Verb.DENY, "R-1", "not today")


async def test_suggestions_come_with_the_words_that_address_deputy(site: Site) -> None:
    site.door.suggestions = [Suggestion("unlock-account ", "unlock-account", "Unlock an account")]
    _, answer = await site.get("/api/complete?as=hanna&text=/deputy%20unl")
    assert [one["text"] for one in answer["suggestions"]] == ["/deputy unlock-account "]
    assert (await site.get("/api/complete?as=hanna&text=hello"))[1] == {"suggestions": []}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("“name” is needed."), 400),
        (Refused("That needs the role helpdesk."), 403),
        (NotFound("There is no run R-1 that you may see."), 404),
        (Conflict("R-1 is denied by now."), 409),
        (Unavailable("The store can't be written."), 503),
        (Damaged("The store doesn't hold."), 503),
    ],
)
async def test_every_failure_of_the_door_becomes_its_status_and_sentence(
    site: Site, error: DeputyError, status: int
) -> None:
    def fail(call: Call) -> Reply:
        raise error

    site.door.answer = fail
    assert await site.send("press", verb="approve", subject="R-1", comment="") == (status, {"error": str(error)})


# ---- who sees what -------------------------------------------------------------------------------


async def test_W1_a_private_message_reaches_one_person_through_messages_and_events(site: Site) -> None:
    async with (
        site.client.get("/api/events?as=hanna") as hers,
        site.client.get("/api/events?as=martin") as his,
    ):
        await site.chat.post(Post(PLACE, "one", Card("For Hanna"), only=who("hanna").key))
        await site.chat.post(Post(PLACE, "two", Card("For all")))
        name, data = await next_event(hers.content)
        assert (name, data["card"]["title"], data["private"]) == ("message", "For Hanna", True)
        name, data = await next_event(his.content)
        assert (name, data["card"]["title"], data["private"]) == ("message", "For all", False)
    _, answer = await site.get("/api/messages?as=martin")
    assert [one["card"]["title"] for one in answer["messages"]] == ["For all"]
    _, answer = await site.get("/api/messages?as=hanna")
    assert [one["card"]["title"] for one in answer["messages"]] == ["For Hanna", "For all"]


async def test_W1_an_answer_to_one_person_is_there_again_for_their_page_and_for_nobody_elses(site: Site) -> None:
    site.door.answer = lambda call: Reply(Card(f"{call.method} by {call.account.id}"))
    delivery = str(uuid4())
    await site.send("say", text="/deputy mine", delivery=delivery)
    await site.send("press", verb="favour", subject="unlock-account", comment="")
    await site.send("press", verb="cancel", subject="R-1", comment="")
    await site.send("fill", action="unlock-account", values={}, reason="", **{"as": "martin"})
    _, hers = await site.get("/api/answers?as=hanna")
    words, answer, pressed = hers["messages"]
    assert (words["key"], words["author"], words["text"]) == (f"local:{delivery}:words", "hanna", "/deputy mine")
    assert (answer["key"], answer["card"]["title"]) == (f"local:{delivery}:answer", "say by hanna")
    assert pressed["card"]["title"] == "press by hanna"
    assert words["private"] is answer["private"] is True
    _, his = await site.get("/api/answers?as=martin")
    assert [one["card"]["title"] for one in his["messages"]] == ["fill by martin"]
    assert await site.get("/api/messages?as=hanna") == (200, {"messages": []})


async def test_a_refusal_is_there_again_for_the_page_of_who_asked(site: Site) -> None:
    def refuse(call: Call) -> Reply:
        raise Refused("You may not.")

    site.door.answer = refuse
    await site.send("say", text="/deputy unlock-account alice")
    _, hers = await site.get("/api/answers?as=hanna")
    words, answer = hers["messages"]
    assert (words["text"], answer["card"]["lead"]) == ("/deputy unlock-account alice", "You may not.")


async def test_W1_words_that_a_form_answers_are_kept_nowhere_for_they_may_hold_a_secret(site: Site) -> None:
    site.door.answer = lambda call: Reply(form=Form("set-password", "Set a password", "", "change", ()))
    await site.send("say", text="/deputy set-password bob password=hunter2")
    assert await site.get("/api/answers?as=hanna") == (200, {"messages": []})


async def test_an_answer_reaches_its_reader_also_where_nobody_can_say_who_that_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(account: Account) -> Principal:
        raise Unavailable("Entra ID doesn't answer.")

    site.door.answer = lambda call: Reply(Card("Done"))
    monkeypatch.setattr(site.door, "person", away)
    assert (await site.send("say", text="/deputy mine"))[1]["reply"]["card"]["title"] == "Done"
    monkeypatch.undo()
    assert await site.get("/api/answers?as=hanna") == (200, {"messages": []})


async def test_somebody_linked_to_nobody_sees_only_what_everybody_sees(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(account: Account) -> Principal:
        raise Refused("This account is linked to nobody.")

    monkeypatch.setattr(site.door, "person", nobody)
    await site.chat.post(Post(PLACE, "one", Card("For Hanna"), only=who("hanna").key))
    await site.chat.post(Post(PLACE, "two", Card("For all")))
    _, answer = await site.get("/api/messages?as=hanna")
    assert [one["card"]["title"] for one in answer["messages"]] == ["For all"]


@pytest.mark.parametrize("path", ["/api/output/R-7K3M9QX4", "/raw/R-7K3M9QX4"])
async def test_W1_an_output_is_only_for_whom_the_door_lets_see_it(site: Site, path: str) -> None:
    site.door.outputs = {("hanna", "R-7K3M9QX4"): "the new password"}
    async with site.client.get(f"{path}?as=hanna") as answer:
        assert answer.status == 200
        assert "the new password" in await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
    async with site.client.get(f"{path}?as=martin") as answer:
        assert answer.status == 404
        assert "the new password" not in await answer.text()


async def test_W6_a_raw_output_is_plain_text_whatever_it_holds(site: Site) -> None:
    site.door.outputs = {("hanna", "R-1"): "<script>alert(1)</script>\ud800"}
    async with site.client.get("/raw/R-1?as=hanna") as answer:
        assert answer.content_type == "text/plain"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert await answer.text() == "<script>alert(1)</script>?"


async def test_a_card_is_updated_in_place_and_a_hidden_result_names_its_run_only(site: Site) -> None:
    await site.chat.post(Post(PLACE, "R-1", Card("Unlock", Tone.RUNNING)))
    done = Card("Unlock", Tone.GOOD, facts=(Fact("Who", "alice", code=True),), blocks=(Text("ok"), Hidden("R-1")))
    await site.chat.post(Post(PLACE, "R-1", done))
    _, answer = await site.get("/api/messages?as=martin")
    (message,) = answer["messages"]
    assert (message["id"], message["version"], message["card"]["tone"]) == (1, 2, "good")
    assert message["card"]["blocks"][1] == {"kind": "hidden", "run": "R-1"}


async def test_an_audit_reference_opens_its_card(site: Site) -> None:
    card = Card("Run succeeded", buttons=(Button("Run again", Verb.RERUN, "R-1"),))
    site.door.cards = {"AUD-000123-9f3a2c": card}
    assert (await site.get("/api/audit/AUD-000123-9f3a2c?as=hanna"))[1]["title"] == "Run succeeded"
    assert (await site.get("/api/audit/AUD-000124?as=hanna"))[0] == 404


# ---- live ------------------------------------------------------------------------------------------


async def test_progress_is_coalesced_to_the_newest_lines(site: Site) -> None:
    async with site.client.get("/api/events?as=martin") as stream:
        site.chat.progress(Place("slack", "C1"), "R-9", "elsewhere")
        for line in ("1 of 3", "2 of 3", "3 of 3"):
            site.chat.progress(PLACE, "R-1", line)
        assert await next_event(stream.content) == ("progress", {"run": "R-1", "lines": "3 of 3"})
        site.chat.progress(PLACE, "R-1", "done")
        assert await next_event(stream.content) == ("progress", {"run": "R-1", "lines": "done"})


async def test_a_page_that_falls_behind_is_told_to_reload() -> None:
    listener = Listener("")
    for number in range(BACKLOG + 1):
        listener.tell(Event("message", number))
    assert await listener.next(1) == Event("reload")
    assert await listener.next(0.01) is None


async def test_a_stream_ends_when_the_server_stops(site: Site) -> None:
    async with site.client.get("/api/events?as=martin") as stream:
        site.chat.close()
        rest = await asyncio.wait_for(stream.content.read(), 10)
    assert rest.startswith(b": all is well")


# ---- the page and its guards -----------------------------------------------------------------------


async def test_the_page_brings_all_it_needs_and_forbids_the_rest(site: Site) -> None:
    async with site.client.get("/") as answer:
        page = await answer.text()
        assert answer.status == 200
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    for name in ("style.css", "main.js"):
        assert f"/static/{name}" in page
        async with site.client.get(f"/static/{name}") as answer:
            assert answer.status == 200
    assert "://" not in page


async def test_people_come_with_what_to_try_first(site: Site) -> None:
    _, answer = await site.get("/api/people")
    assert answer["conversation"] == "#it-operations"
    assert [one["account"] for one in answer["people"]] == ["hanna", "martin"]
    assert answer["people"][0]["examples"] == ["/deputy unlock-account alice"]


async def test_it_says_that_it_is_well(site: Site) -> None:
    async with site.client.get("/healthz") as answer:
        assert await answer.text() == "ok"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "localhost@evil.example"])
async def test_W7_another_name_for_this_address_is_refused(site: Site, host: str) -> None:
    async with site.client.get("/api/people", headers={"Host": host}) as answer:
        assert answer.status == 403
        assert "127.0.0.1" in (await answer.json())["error"]


@pytest.mark.parametrize("host", ["127.0.0.1:8700", "localhost:8700", "[::1]:8700", "LOCALHOST"])
async def test_every_name_of_loopback_is_let_in(site: Site, host: str) -> None:
    async with site.client.get("/api/people", headers={"Host": host}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
async def test_W7_a_page_of_another_origin_can_not_speak_here(site: Site, origin: str) -> None:
    body = {"as": "hanna", "delivery": str(uuid4()), "text": "/deputy"}
    async with site.client.post("/api/say", json=body, headers={"Origin": origin}) as answer:
        assert answer.status == 403
    assert site.door.calls == []


async def test_the_page_itself_may_speak(site: Site) -> None:
    body = {"as": "hanna", "delivery": str(uuid4()), "text": "/deputy"}
    origin = f"http://127.0.0.1:{site.client.port}"
    async with site.client.post("/api/say", json=body, headers={"Origin": origin}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"as": "mallory"}, "hanna, martin"),
        ({"as": None}, "“as”"),
        ({"delivery": "1"}, "“delivery”"),
        ({"verb": "explode"}, "approve, deny"),
        ({"subject": 7}, "“subject”"),
        ({"comment": ["no"]}, "“comment”"),
        ({"weight": 1.5}, "1.5 is not a whole number"),
        ({"weight": 2**53}, "too large a number"),
        ({"gewicht_ä": 1}, "“gewicht_ä”"),
    ],
)
async def test_a_wrong_field_is_named(site: Site, changed: dict, named: str) -> None:
    status, answer = await site.send("press", **{"verb": "deny", "subject": "R-1", "comment": "", **changed})
    assert status == 400
    assert named in answer["error"]
    assert site.door.calls == []


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"x" * (LARGEST + 1), 413),
        (b"[" * 60_000, 400),
        (b'{"a":' * 10_000, 400),
        (b'{"as":"hanna","as":"martin"}', 400),
        (b'{"as":NaN}', 400),
        (b'{"as":' + b"9" * 5_000 + b"}", 400),
        (b"\xff\xfe", 400),
        (b"", 400),
        (b"[]", 400),
    ],
)
async def test_I5_hostile_bodies_are_refused_before_they_are_read_as_anything(
    site: Site, raw: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    async with site.client.post("/api/say", data=raw, headers=headers) as answer:
        assert answer.status == status
        assert (await answer.json())["error"].endswith(".")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b'{"as": }', "The message isn't JSON: it goes wrong at line 1, column 8."),
        (b"", "The message isn't JSON: it goes wrong at line 1, column 1."),
        (b"\xff", "The message isn't text in UTF-8."),
        (b'{"as":1,"as":2}', "“as” is given twice. Give it once."),
        (b'{"a":-Infinity}', "-Infinity is not a number in JSON. Send a whole number, or a text in quotes."),
        (b'{"a":1e3}', "1e3 is not a whole number. Send it as a text, in quotes."),
        (b"[1]", "The message must be a JSON object."),
    ],
)
def test_what_is_wrong_with_a_message_is_said_in_plain_words(raw: bytes, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(raw)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_anything_but_plain_json_is_refused(site: Site, headers: dict) -> None:
    async with site.client.post("/api/say", data=b"{}", headers=headers) as answer:
        assert answer.status == 415


async def test_I5_a_deep_value_inside_a_sound_message_is_refused(site: Site) -> None:
    deep = "[" * 700 + "]" * 700
    raw = f'{{"as":"hanna","delivery":"{uuid4()}","action":"a","reason":"","values":{{"a":{deep}}}}}'
    headers = {"Content-Type": "application/json"}
    async with site.client.post("/api/fill", data=raw, headers=headers) as answer:
        assert answer.status == 400
    assert site.door.calls == []


@pytest.mark.parametrize(
    "path",
    ["/static/../listen.py", "/static/main.py", "/static/%00.js", "/static/nothing.js", "/raw/x", "/api/audit/1"],
)
async def test_no_other_address_answers(site: Site, path: str) -> None:
    assert (await site.get(f"{path}?as=hanna"))[0] == 404


async def test_R6_fuzzed_messages_never_break_the_server(site: Site) -> None:
    hostile = [None, True, -1, 2**70, "", "\ud800", "\u202e", [], {}, {"é": 1}, ["\x00"], "a" * 9_000]
    for path in ("say", "fill", "press"):
        for name in ("as", "delivery", "text", "action", "values", "reason", "verb", "subject", "comment"):
            sound = {"text": "/deputy x", "action": "a", "values": {}, "reason": "", "comment": ""}
            for value in hostile:
                status, _ = await site.send(path, **{**sound, "verb": "open", "subject": "x", name: value})
                assert status < 500, (path, name, value)
    for query in ("%ff", "%00", "&text=%ff", "hanna&text=/deputy%20%ff%00"):
        assert (await site.get(f"/api/complete?as={query}"))[0] < 500


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_reading_a_message_gives_an_object_or_a_sentence(raw: bytes) -> None:
    try:
        assert isinstance(parse(raw), dict)
    except Invalid as error:
        assert str(error).endswith(".")


VALUES = st.none() | st.booleans() | st.integers(-LARGEST_NUMBER, LARGEST_NUMBER) | st.text()


@given(st.dictionaries(st.text(st.characters(codec="ascii"), max_size=5), VALUES, max_size=5))
def test_a_sound_message_is_read_as_it_was_written(message: dict) -> None:
    assert parse(json.dumps(message).encode()) == message
