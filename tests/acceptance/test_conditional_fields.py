"""Fields that apply only with what is chosen in others: on the page, in Slack, and in words where it is typed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.acceptance.at_slack import at_slack, opened, said, sees, whispered
from tests.acceptance.conftest import Process, Room, own_content
from tests.fakes.slack_server import SlackServer

ACTIONS = {
    "operations/move.py": '''"""Moves a mailbox."""

import json
from datetime import date
from typing import Literal


def main(
    box: str,
    how: Literal["lock", "move", "share"] = "lock",
    sure: bool | None = None,
    to: str | None = None,
    until: date | None = None,
    copies: int = 2,
) -> str:
    """Say what it was given."""
    given = {name: str(value) for name, value in locals().items() if value is not None}
    return json.dumps(given, sort_keys=True)
''',
    "operations/move.toml": """title = "Move a mailbox"
summary = "Moves it, or locks it where it is."
risk = "read"

[parameters.how]
choices = [{ value = "lock", label = "Lock it" }, { value = "move", label = "Move it" }, "share"]

[parameters.sure]
when = { how = ["move", "share"] }

[parameters.to]
label = "Where to"
required = true
when = { how = "move" }

[parameters.until]
when = { how = "lock" }

[parameters.copies]
minimum = 1
when = { how = "move", sure = true }
""",
}


@pytest_asyncio.fixture
async def own(process: Process, tmp_path: Path) -> AsyncIterator[Process]:
    process.environment |= own_content(tmp_path, ACTIONS)
    await process.start("serve")
    yield process
    await process.stop()


async def asked(form: Locator, *labels: str) -> None:
    """Look that a form asks for this and nothing else."""
    await expect(form.locator(".fields .field:not([hidden]) > .label")).to_have_text([*labels, "Reason"])


async def test_a_form_on_the_page_shows_what_applies_and_goes_by_the_keyboard_alone(
    browser: Browser, own: Process
) -> None:
    oncall = await Room(browser, own.address).enter("oncall")
    keyboard = oncall.page.keyboard
    await oncall.say("/deputy move")
    form = oncall.page.get_by_role("dialog", name="Move a mailbox")
    await asked(form, "Box*", "How", "Until")
    await keyboard.type("sales")
    await keyboard.press("Tab")
    await keyboard.press("M")  # a select goes to the option that begins with it
    await asked(form, "Box*", "How", "Sure", "Where to*")
    await keyboard.press("Tab")
    await keyboard.press("ArrowRight")
    await asked(form, "Box*", "How", "Sure", "Where to*", "Copies")
    await form.get_by_label("Where to").fill("Berlin")
    await form.get_by_label("How").select_option("lock")
    await asked(form, "Box*", "How", "Until")
    await form.get_by_label("How").select_option("move")
    await expect(form.get_by_label("Where to")).to_have_value("Berlin")
    await form.get_by_label("Copies").fill("3")
    await form.get_by_role("radio", name="No", exact=True).check(force=True)
    await form.get_by_role("button", name="Run").click()
    card = oncall.card("Move a mailbox")
    await oncall.sees('{"box": "sales", "copies": "2", "how": "move", "sure": "False", "to": "Berlin"}', card)


async def test_a_command_opens_the_form_with_its_fault_where_what_was_typed_asks_for_it(
    browser: Browser, own: Process
) -> None:
    oncall = await Room(browser, own.address).enter("oncall")
    await oncall.say("/deputy move sales how=move")
    form = oncall.page.get_by_role("dialog", name="Move a mailbox")
    await oncall.sees("“Where to” is needed.", form)
    await asked(form, "Box*", "How", "Sure", "Where to*")
    await expect(form.get_by_label("Where to")).to_be_focused()


async def test_what_was_given_and_no_input_of_the_page_can_hold_is_named_at_the_head(
    browser: Browser, own: Process
) -> None:
    oncall = await Room(browser, own.address).enter("oncall")
    await oncall.say("/deputy move sales until=soon")
    form = oncall.page.get_by_role("dialog", name="Move a mailbox")
    head = form.get_by_role("alert").filter(
        has_text="Nothing ran yet, and not all that was given is in this form."
    )
    await oncall.sees("“Until” takes a date like 2026-11-23, not “soon”.", head)
    await form.get_by_role("button", name="Cancel").click()
    await oncall.say("/deputy move sales until=20261123 to=Berlin")
    await expect(form.get_by_label("Until")).to_have_value("2026-11-23")
    await expect(head).to_have_count(0)


async def test_in_a_terminal_what_is_given_and_does_not_apply_is_told_in_words(own: Process) -> None:
    code, out, _ = await own.deputy("say", "--as", "oncall", "move sales to=Berlin")
    assert (code, "“Where to” applies only when “How” is move." in out) == (2, True)
    code, out, _ = await own.deputy("say", "--as", "oncall", "move sales how=move")
    assert (code, "to: “Where to” is needed." in out) == (2, True)
    code, out, _ = await own.deputy("say", "--as", "oncall", "move sales how=move to=Berlin sure=yes")
    assert (code, '"copies": "2", "how": "move", "sure": "True", "to": "Berlin"' in out) == (0, True)
    code, out, _ = await own.deputy("say", "--as", "oncall", "help move")
    assert "needed when “How” is move" in out


async def test_P9_what_does_not_apply_is_no_part_of_what_is_sealed(own: Process) -> None:
    run = await own.ask("oncall", "move", box="sales", how="lock")
    card = await own.until("oncall", run, "succeeded")
    assert {fact["label"] for fact in card["facts"]} & {"Sure", "Where to", "Copies"} == set()
    assert '{"box": "sales", "copies": "2", "how": "lock"}' in str(card)


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_a_modal_in_slack_shows_what_applies_and_keeps_what_was_filled_in(mode: str, tmp_path: Path) -> None:
    more = own_content(tmp_path, ACTIONS)
    async with SlackServer(mode) as slack, at_slack(slack, tmp_path, more=more):
        await slack.olivia.command("/deputy move")
        view = await opened(slack, "olivia", "Until")
        assert "Where to" not in said(view)
        await slack.olivia.enter(view, {"Box": "sales"})
        await slack.olivia.choose(view, "How", "move")
        await opened(slack, "olivia", "Where to", "Sure")
        await slack.olivia.choose(view, "Sure", "yes")
        await opened(slack, "olivia", "Copies")
        await slack.olivia.submit(view, {"Where to": "Berlin", "Copies": "5"})
        await sees(slack, "✅", '{"box": "sales", "copies": "5", "how": "move", "sure": "True", "to": "Berlin"}')
        await slack.olivia.command("/deputy move sales to=Berlin")
        again = await opened(slack, "olivia", "“Where to” applies only when “How” is move.", "Until")
        assert "Copies" not in said(again)
        await slack.olivia.mention("move sales how=move")
        faults = await whispered(slack, "olivia", "Nothing was done yet", "Where to")
        await slack.olivia.press(faults, "Open the form")
        form = await opened(slack, "olivia", "Where to", "Sure")
        await slack.olivia.submit(form, {"Where to": "Hamburg"})
        await sees(slack, "✅", '"box": "sales"', '"how": "move"', '"to": "Hamburg"')
