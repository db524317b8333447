"""The real process, and a real browser: what a person would start and look at."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

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


class Process:
    """`deputy …` as a person starts it, with data of its own."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.port = free_port()
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.environment = kept | {
            "HOME": str(data),
            "DEPUTY_DATA_DIR": str(data / "deputy"),
            "DEPUTY_PORT": str(self.port),
            **settings,
        }
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
            sys.executable,
            "-m",
            "bot",
            *words,
            cwd=ROOT,
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def start(self, command: str = "demo") -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", command, cwd=ROOT, env=self.environment, stdout=asyncio.subprocess.PIPE
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

    async def stop(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await self._process.wait()
        self._process = None

    async def messages(self, who: str) -> list[dict[str, object]]:
        """Return what somebody sees in the channel."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.address}/api/messages", params={"as": who}) as answer,
        ):
            messages: list[dict[str, object]] = (await answer.json())["messages"]
            return messages


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
        if os.environ.get("DEPUTY_NO_SKIP"):
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

    async def enter(self, who: str) -> Person:
        context = await self._browser.new_context()
        page = await context.new_page()
        await page.goto(self._address)
        await page.get_by_role("combobox", name="You are").select_option(who)
        return Person(page)


@pytest.fixture
def room(browser: Browser, demo: Process) -> Room:
    return Room(browser, demo.address)
