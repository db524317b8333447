"""Many people in one channel, some of them hostile: what each sees, and what becomes of what they type."""

import asyncio
import base64
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.acceptance.conftest import Process, Room, own_content

PEOPLE = ("helpdesk", "manager", "oncall", "engineer", "nobody")
PASSWORD = 'pÄss/w+rd=?> "9"\\canary'
TOKEN = "tok-5f1c~9b canary/2"

ECHO_PARAMETERS = """
[parameters.one]
kind = "string"
[parameters.lines]
kind = "text"
[parameters.items]
kind = "list"
"""

ECHO_PY = '''"""Says what it was given."""

import json


def main(one: str = "", lines: str = "", items: list[str] = []) -> None:
    """Print the arguments as they came."""
    print(json.dumps({"one": one, "lines": lines, "items": items}))
'''

PAYSLIP_PY = '''"""Says what is for one person alone."""

import hashlib
import time


def main(name: str, fail: bool = False) -> str:
    """Print, and return or fail with, a text that nobody can guess from the arguments."""
    told = hashlib.sha256(name.encode()).hexdigest()
    print(told, flush=True)
    time.sleep(0.6)  # long enough for its last lines to be shown while it runs
    if fail:
        raise SystemExit(told)
    return told
'''

LEAK_PY = '''"""Says its credential in every way there is."""

import base64
import html
import json
import sys
from urllib.parse import quote, quote_plus


def main(canary: dict[str, str], fail: bool = False) -> dict[str, object]:
    """Print a password, return it, fail with it."""
    word = canary["password"]
    raw = word.encode()
    ways = [word, json.dumps(word), repr(word), quote(word), quote_plus(word), html.escape(word)]
    ways += [raw.hex(), raw.hex().upper(), word.encode("utf-16-le").hex()]
    ways += [base64.b64encode(b"x" * shift + raw).decode() for shift in range(3)]
    ways += [base64.urlsafe_b64encode(raw).decode(), base64.b64encode(word.encode("utf-16-le")).decode()]
    for way in ways:
        print("here:", way)
        print("there:", way, file=sys.stderr)
    for letter in word:  # a piece at a time
        print(letter, end="", flush=True)
    if fail:
        raise ValueError(word)
    return {"plain": word, "ways": ways, word: "as a name"}
'''

LEAK_SH = """\
word=$(cat "$CREDENTIALS_DIRECTORY/canary/password")
token=$(cat "$CREDENTIALS_DIRECTORY/token")
for secret in "$word" "$token"; do
    printf 'here: %s\\n' "$secret"
    printf '%s' "$secret" | base64 -w0; echo
    printf '%s' "$secret" | od -An -v -tx1 | tr -d ' \\n'; echo
    printf '%q\\n' "$secret" >&2
done
printf 'It failed with %s\\n' "$word" >&2
exit 3
"""

ACTIONS = {
    "operations/echo-sh.sh": "printf '<%s>\\n' \"$@\"\n",
    "operations/echo-sh.toml": f'summary = "Echoes."\nrisk = "read"\n{ECHO_PARAMETERS}',
    "operations/echo-py.py": ECHO_PY,
    "operations/echo-py.toml": 'summary = "Echoes."\nrisk = "read"\n[parameters.lines]\nkind = "text"\n',
    "operations/leak-py.py": LEAK_PY,
    "operations/leak-py.toml": 'summary = "Leaks."\nrisk = "read"\n[credentials]\ncanary = "vault:canary"\n',
    "operations/leak-sh.sh": LEAK_SH,
    "operations/leak-sh.toml": 'summary = "Leaks."\nrisk = "read"\n[credentials]\ncanary = "vault:canary"\n'
    '[parameters.token]\nkind = "secret"\nrequired = true\n',
    "accounts/payslip.py": PAYSLIP_PY,
    "accounts/payslip.toml": 'summary = "Is private."\nrisk = "read"\nprivate = true\n',
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    folder = tmp_path_factory.mktemp("people")
    process = Process(folder, **own_content(folder, ACTIONS))
    await process.start("serve")
    code, _, err = await process.deputy(
        "vault", "set", "canary", "username=svc", "password", stdin=f"{PASSWORD}\n"
    )
    assert (code, err) == (0, "")
    yield process
    await process.stop()


async def output(served: Process, who: str, run: str) -> str:
    """Return the whole output of a run as somebody reads it."""
    status, answer = await served.get(f"/api/output/{run}", who)
    assert status == 200, answer
    text: str = answer["text"]
    return text.rstrip("\n")


@asynccontextmanager
async def listening(served: Process) -> AsyncIterator[dict[str, list[str]]]:
    """Have everybody's page connected; collect what each is told, to a word that all of them hear at the end."""
    heard: dict[str, list[str]] = {who: [] for who in PEOPLE}
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        ears = [group.create_task(_listen(session, served, who, heard[who].append)) for who in PEOPLE]
        while not all(heard.values()):
            await asyncio.sleep(0.01)
        yield heard
        last = uuid4().hex
        await served.ask("oncall", "echo-sh", one=last)
        async with asyncio.timeout(20):
            while not all(last in "".join(told) for told in heard.values()):
                await asyncio.sleep(0.01)
        for ear in ears:
            ear.cancel()


async def _listen(session: aiohttp.ClientSession, served: Process, who: str, tell: Callable[[str], None]) -> None:
    async with session.get(f"{served.address}/api/events", params={"as": who}) as stream:
        async for line in stream.content:
            tell(line.decode())


# ---- side by side ---------------------------------------------------------------------------------


async def test_five_people_at_once_each_get_their_own(served: Process) -> None:
    async def shift(who: str, action: str, name: str) -> list[tuple[str, str]]:
        words = [f"{who}-{number}" for number in range(4)]
        runs = await asyncio.gather(*(served.ask(who, action, **{name: word}) for word in words))
        return list(zip(runs, words, strict=True))

    asked = dict(
        zip(
            PEOPLE,
            await asyncio.gather(
                shift("helpdesk", "payslip", "name"),
                shift("manager", "payslip", "name"),
                shift("oncall", "echo-sh", "one"),
                shift("engineer", "echo-py", "one"),
                shift("nobody", "echo-py", "one"),
            ),
            strict=True,
        )
    )
    for who in ("helpdesk", "manager"):
        for run, word in asked[who]:
            await served.until("engineer", run, "succeeded")
            assert set((await output(served, who, run)).split()) == {hashlib.sha256(word.encode()).hexdigest()}
    for run, word in asked["oncall"]:
        await served.until("nobody", run, "succeeded")
        assert await output(served, "oncall", run) == f"<--one={word}>"
    for run, word in asked["engineer"]:
        await served.until("nobody", run, "succeeded")
        assert json.loads(await output(served, "engineer", run))["one"] == word
    for run, _ in asked["nobody"]:
        await served.until("nobody", run, "refused")
    for who in PEOPLE:
        assert max(Counter(message["key"] for message in await served.messages(who)).values()) == 1
    code, _, err = await served.deputy("audit", "verify")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("fail", [False, True])
async def test_W1_a_private_result_reaches_its_requester_alone(served: Process, fail: bool) -> None:
    name = uuid4().hex
    told = hashlib.sha256(name.encode()).hexdigest()
    async with listening(served) as heard:
        run = await served.ask("helpdesk", "payslip", name=name, fail=fail)
        await served.until("nobody", run, "failed" if fail else "succeeded")
        await served.until("helpdesk", f"{run}:result")
    assert told in await output(served, "helpdesk", run)
    assert f"{run}:result" in "".join(heard["helpdesk"])
    for who in PEOPLE:
        assert told not in json.dumps(await served.messages(who))
        assert told not in "".join(heard[who])
    for who in set(PEOPLE) - {"helpdesk"}:
        assert f"{run}:result" not in json.dumps(await served.messages(who)) + "".join(heard[who])
        status, answer = await served.get(f"/api/output/{run}", who)
        assert status == 404
        assert told not in json.dumps(answer)
    assert [path.name for path, content in kept(served.data) if told.encode() in content] == []


async def test_W1_a_refusal_is_seen_by_who_was_refused_alone(served: Process) -> None:
    word = uuid4().hex
    async with listening(served) as heard:
        run = await served.ask("nobody", "payslip", name=word)
        card = await served.until("nobody", run, "refused")
    assert "You hold no role here" in card["lead"]
    assert word in "".join(heard["nobody"])
    for who in set(PEOPLE) - {"nobody"}:
        assert word not in json.dumps(await served.messages(who)) + "".join(heard[who])
        assert (await served.get(f"/api/output/{run}", who))[0] == 404
    assert (await served.get(f"/api/audit/{card['audit']}", "nobody"))[0] == 200
    for who in ("helpdesk", "oncall"):
        assert (await served.get(f"/api/audit/{card['audit']}", who))[0] == 404


# ---- delivered twice ------------------------------------------------------------------------------


async def test_W3_a_delivery_that_comes_again_leads_to_the_same_run(served: Process) -> None:
    delivery = str(uuid4())
    body = {"delivery": delivery, "action": "echo-sh", "values": {"one": delivery}, "reason": ""}
    answers = await asyncio.gather(*(served.send("/api/fill", "oncall", **body) for _ in range(8)))
    assert {status for status, _ in answers} == {200}
    (run,) = {answer["reply"]["run"] for _, answer in answers}
    await served.until("oncall", run, "succeeded")
    assert await served.send("/api/fill", "oncall", **body) == answers[0]
    asked = [message for message in await served.messages("oncall") if delivery in json.dumps(message["card"])]
    assert [message["key"] for message in asked] == [run]


@pytest.mark.parametrize(
    ("who", "values", "reason"),
    [("oncall", {"one": "other"}, ""), ("oncall", {"one": "same"}, "why"), ("engineer", {"one": "same"}, "")],
)
async def test_W3_a_delivery_that_comes_again_with_another_body_is_refused(
    served: Process, who: str, values: dict[str, str], reason: str
) -> None:
    body = {"delivery": str(uuid4()), "action": "echo-sh"}
    status, _ = await served.send("/api/fill", "oncall", **body, values={"one": "same"}, reason="")
    assert status == 200
    status, answer = await served.send("/api/fill", who, **body, values=values, reason=reason)
    assert status == 409
    assert answer["error"].endswith(".")


# ---- hostile arguments ----------------------------------------------------------------------------

LITERAL = (
    *("; touch ~/struck", "$(touch /tmp/struck)", "`touch struck`", "&& touch struck", "| tee struck", "> struck"),
    *("$HOME", "~", "*", "%s%n", "!!", "\\", "'", '"', "'; touch struck; '", '"$(touch struck)"', "a\\nb"),
    *("-rf", "--", "--one=other", "-", "@/etc/hostname", "{{ 7*7 }}", "${7*7}", "#{7*7}", "{one}", "%(one)s"),
)
ALL = "\n".join(LITERAL)


async def test_X1_X2_X7_every_argument_of_a_shell_script_is_literal(served: Process) -> None:
    run = await served.ask("oncall", "echo-sh", one=LITERAL[1], lines=ALL, items=list(LITERAL))
    await served.until("oncall", run, "succeeded")
    words = [f"<--one={LITERAL[1]}>", f"<--lines={ALL}>", *(f"<--items={one}>" for one in LITERAL)]
    assert await output(served, "oncall", run) == "\n".join(words)


async def test_X1_X2_X7_every_argument_of_a_python_script_is_literal(served: Process) -> None:
    run = await served.ask("oncall", "echo-py", one=LITERAL[1], lines=ALL, items=list(LITERAL))
    await served.until("oncall", run, "succeeded")
    expected = {"one": LITERAL[1], "lines": ALL, "items": list(LITERAL)}
    assert json.loads(await output(served, "oncall", run)) == expected


@pytest.mark.parametrize("one", LITERAL[:6])
async def test_X1_a_typed_argument_is_literal(served: Process, one: str) -> None:
    _, answer = await served.send("/api/say", "oncall", text=f"/deputy echo-sh one='{one}'")
    run = answer["reply"]["run"]
    await served.until("oncall", run, "succeeded")
    assert await output(served, "oncall", run) == f"<--one={one}>"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"LD_PRELOAD": "/tmp/evil.so"}, "“LD_PRELOAD” is not a parameter of this action."),
        ({"PATH": "/tmp"}, "“PATH” is not a parameter of this action."),
        ({"One": "x"}, "“One” is not a parameter of this action."),
        ({"one": "a\x00b"}, "holds the control character ⟨U+0000⟩"),
        ({"one": "a\nb"}, "holds the control character ⟨U+000A⟩"),
        ({"one": "a\x1b]8;;https://evil.example\x07b"}, "holds the control character ⟨U+001B⟩"),
        ({"items": ["a\u2028b"]}, "holds the line separator ⟨U+2028⟩"),
        ({"one": ["a"]}, "takes text"),
    ],
)
async def test_X6_X3_what_does_not_fit_comes_back_as_a_form_and_nothing_runs(
    served: Process, values: dict[str, object], fault: str
) -> None:
    before = len(await served.messages("oncall"))
    status, answer = await served.send("/api/fill", "oncall", action="echo-sh", values=values, reason="")
    assert status == 200
    assert answer["reply"]["run"] == ""
    assert fault in json.dumps(answer["reply"]["form"], ensure_ascii=False)
    assert len(await served.messages("oncall")) == before


# ---- secrets --------------------------------------------------------------------------------------


def encodings(secret: str) -> Iterator[str]:
    """Yield a secret as it might lie somewhere."""
    raw = secret.encode()
    yield from (secret, raw.hex(), raw.hex().upper(), quote(secret), quote(secret, safe=""))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    for codec in ("utf-8", "utf-16-le"):
        for shift in range(3):
            # The digits that the secret alone decides, wherever it stands.
            encoded = base64.b64encode(b"x" * shift + secret.encode(codec)).decode()
            yield encoded.rstrip("=")[4 if shift else 0 : -1]


def kept(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield every file of a data folder with its bytes."""
    for path in (folder / "deputy").rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


@pytest.mark.parametrize(
    ("action", "values", "state", "labels"),
    [
        ("leak-py", {}, "succeeded", ("canary.password",)),
        ("leak-py", {"fail": True}, "failed", ("canary.password",)),
        ("leak-sh", {"token": TOKEN}, "failed", ("canary.password", "token")),
    ],
)
async def test_V1_V2_a_secret_that_a_script_says_is_redacted_everywhere(
    served: Process, action: str, values: dict[str, object], state: str, labels: tuple[str, ...]
) -> None:
    async with listening(served) as heard:
        run = await served.ask("oncall", action, **values)
        card = await served.until("oncall", run, state)
    whole = await output(served, "oncall", run)
    _, exported, _ = await served.deputy("audit", "export")
    shown = [json.dumps(await served.messages(who), ensure_ascii=False) for who in PEOPLE]
    shown += [*("".join(lines) for lines in heard.values()), json.dumps(card), whole, exported]
    for label in labels:
        assert whole.count(f"[redacted:{label}]") >= 3
    for secret in (PASSWORD, TOKEN):
        for form in encodings(secret):
            assert [text for text in shown if form in text] == []
            assert [path.name for path, content in kept(served.data) if form.encode() in content] == []


# ---- the page -------------------------------------------------------------------------------------

MARKUP = (
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<!channel>",
        "<@U1>",
        "[x](https://evil.example)",
    ),
    *(
        "javascript:alert(1)",
        "</pre></article><h1>Deputy</h1>",
        "&lt;b&gt;",
        "{{constructor}}",
        "https://evil.example",
    ),
)


async def test_W6_O1_what_people_type_and_scripts_say_is_text_on_the_page(
    served: Process, browser: Browser
) -> None:
    run = await served.ask("oncall", "echo-sh", one="\u202eevil\u200b\u2066аdmin", items=list(MARKUP))
    failed, _ = await served.send("/api/say", "oncall", text=f"/deputy {MARKUP[0]}")
    assert failed == 404
    await served.send("/api/say", "helpdesk", text="\n".join(MARKUP))
    await served.until("oncall", run, "succeeded")

    person = await Room(browser, served.address).enter("engineer")
    asked: list[str] = []
    person.page.on("dialog", lambda dialog: asked.append(dialog.message))
    person.page.on("request", lambda request: asked.append(request.url))
    await person.page.reload()
    card = person.card("Echo sh")
    await person.sees("Succeeded", card)
    for text in MARKUP:
        await expect(card).to_contain_text(f"<--items={text}>")
        await expect(person.log.locator(".words", has_text=text).last).to_be_visible()
    await expect(card).to_contain_text("⟨U+202E⟩evil⟨U+200B⟩⟨U+2066⟩")
    injected = "script, iframe, h1, img:not(.avatar), a[href*=evil], a[href^=javascript], [onerror]"
    await expect(person.log.locator(injected)).to_have_count(0)
    assert [one for one in asked if not one.startswith(f"{served.address}/")] == []
