"""The real process, and a real browser: what a person would start and look at."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.fakes.slack_server import SlackServer

ROOT = Path(__file__).parents[2]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lay(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files into a folder, by their paths in it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def own_content(folder: Path, actions: Mapping[str, str]) -> dict[str, str]:
    """Lay out a folder of actions beside a copy of the shipped policies (without their cases); return settings."""
    lay(folder / "actions", actions)
    shutil.copytree(ROOT / "policies", folder / "policies", ignore=shutil.ignore_patterns("cases.toml"))
    return {
        "DEPUTY_ACTIONS_DIR": str(folder / "actions"),
        "DEPUTY_POLICIES_DIR": str(folder / "policies"),
        "DEPUTY_LOCAL_CHAT": "1",
    }


class Process:
    """`deputy …` as a person starts it, with data of its own."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.port = free_port()
        self.before: tuple[str, ...] = ()  # a program that starts `deputy` in surroundings of its making
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.environment = kept | {
            "HOME": str(data),
            "DEPUTY_DATA_DIR": str(data / "deputy"),
            "DEPUTY_PORT": str(self.port),
            **settings,
        }
        self.stderr: int | None = None  # a file to keep what it logs in
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.data / "deputy" / "deputy.db"

    async def deputy(self, *words: str, stdin: str = "") -> tuple[int, str, str]:
        """Run a command to its end: exit code, what it printed, what it complained of."""
        process = await asyncio.create_subprocess_exec(
            *(*self.before, sys.executable, "-m", "bot", *words),
            cwd=ROOT,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def start(self, command: str = "demo") -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", command),
            cwd=ROOT,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=self.stderr,
        )
        assert self._process.stdout
        line = (await self._process.stdout.readline()).decode()
        assert "is ready" in line, f"it said {line!r} and ended"

    async def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process
        self._process.kill()
        await self._process.wait()
        self._process = None

    def freeze(self) -> None:
        """Let it stand still, as on a machine that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on where it stands still; not where it has ended."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> int:
        """End it as a service manager would; return its exit code, 0 where it has ended already."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return 0
        process.send_signal(signal.SIGTERM)
        return await process.wait()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    async def get(self, path: str, who: str) -> tuple[int, Any]:
        """Ask the channel's API as somebody: status and answer."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.address}{path}", params={"as": who}) as answer,
        ):
            return answer.status, await answer.json()

    async def send(self, path: str, who: str, delivery: str = "", **body: object) -> tuple[int, Any]:
        """Send something to the channel's API as somebody: status and answer."""
        sent = {"as": who, "delivery": delivery or str(uuid4()), **body}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.address}{path}", json=sent) as answer,
        ):
            return answer.status, await answer.json()

    async def ask(self, who: str, action: str, **values: object) -> str:
        """Fill an action's form; return the id of the run that came of it."""
        status, answer = await self.send("/api/fill", who, action=action, values=values, reason="")
        assert status == 200, answer
        run: str = answer["reply"]["run"]
        assert run, answer
        return run

    async def messages(self, who: str) -> list[dict[str, Any]]:
        """Return what somebody sees in the channel."""
        _, answer = await self.get("/api/messages", who)
        messages: list[dict[str, Any]] = answer["messages"]
        return messages

    async def card(self, who: str, run: str) -> dict[str, Any]:
        """Return a run's card as somebody sees it now; empty where they see none."""
        return next((one["card"] for one in await self.messages(who) if one["key"] == run), {})

    async def until(self, who: str, run: str, *states: str, seconds: float = 30) -> dict[str, Any]:
        """Wait until somebody sees a card, in one of the states where there are any; return it."""
        card: dict[str, Any] = {}
        try:
            async with asyncio.timeout(seconds):
                while not (card := await self.card(who, run)) or (states and card["state"] not in states):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{run} is not {' or '.join(states) or 'there'}; its card is {card}")
        return card


@pytest_asyncio.fixture
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[SlackServer]:
    """A Slack that delivers over HTTP, or in the mode that a test is parametrized with."""
    async with SlackServer(getattr(request, "param", "http")) as server:
        yield server


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Where an action notes what it did; nothing is there before it did."""
    return tmp_path / "ledger"


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    yield Process(tmp_path)


@pytest_asyncio.fixture
async def demo(process: Process) -> AsyncIterator[Process]:
    await process.start()
    yield process
    await process.stop()


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("NO_SKIP"):
            pytest.fail("Chromium is not installed, and skipping is forbidden here.")
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield opened
        await opened.close()


class Person:
    """Somebody at their own browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.log = page.get_by_role("log")

    async def say(self, text: str) -> None:
        box = self.page.get_by_role("textbox", name="Message")
        await box.fill(text)
        await box.press("Escape")
        await box.press("Enter")

    def card(self, title: str) -> Locator:
        """Return the newest card with a title."""
        return self.log.get_by_role("region", name=title, exact=True).last

    async def sees(self, text: str, where: Locator | None = None, seconds: float = 20) -> None:
        await expect(where or self.log).to_contain_text(text, timeout=seconds * 1000)


class Room:
    """Browsers side by side in one channel."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address

    async def enter(self, who: str, zone: str = "UTC") -> Person:
        """Open the page as one of the demo's people, in their time zone."""
        context = await self._browser.new_context(timezone_id=zone)
        page = await context.new_page()
        await page.goto(self._address)
        await page.get_by_role("combobox", name="You are").select_option(who)
        return Person(page)


@pytest.fixture
def room(browser: Browser, demo: Process) -> Room:
    return Room(browser, demo.address)
