"""What the page itself does for its reader, in a real browser."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.acceptance.conftest import Process, Room, own_content

TELL = {
    "operations/tell.sh": 'now=$(date +%s%N)\nfor line in $(seq 200); do echo "$line: it is $now now"; done\n',
    "operations/tell.toml": 'title = "Tell the time"\nsummary = "Tells it."\nrisk = "read"\n',
}


async def test_W1_answers_for_one_person_are_there_again_after_a_reload_and_for_nobody_else(room: Room) -> None:
    helpdesk, manager = await room.enter("helpdesk"), await room.enter("manager")
    await helpdesk.say("/deputy whoami")
    await helpdesk.sees("Object id", helpdesk.card("Hanna Weber"))
    await helpdesk.say("/deputy unlok-account alice")
    await helpdesk.sees("Did you mean unlock-account", helpdesk.card("That did not work"))
    before = await helpdesk.log.get_by_role("article").count()

    await helpdesk.page.reload()
    await helpdesk.sees("Object id", helpdesk.card("Hanna Weber"))
    await helpdesk.sees("Did you mean unlock-account", helpdesk.card("That did not work"))
    await expect(helpdesk.log.get_by_role("article")).to_have_count(before)
    await expect(helpdesk.log.get_by_role("article").nth(0)).to_contain_text("/deputy whoami")

    await manager.page.reload()
    await manager.say("/deputy mine")
    await manager.sees("You have asked for nothing yet.")
    await expect(manager.log.get_by_role("article")).to_have_count(2)


async def test_a_star_makes_an_action_a_favourite_that_comes_first_and_stays_after_a_reload(room: Room) -> None:
    engineer = await room.enter("engineer")
    menu, star = engineer.card("What you may do"), "Favourite: Check a web address"
    await engineer.say("/deputy")
    await menu.get_by_role("button", name=star).click()
    await expect(menu.get_by_role("button", name=star, pressed=True)).to_have_count(1)
    await expect(engineer.log.get_by_role("article")).to_have_count(2)
    await engineer.page.reload()
    await expect(menu.get_by_role("button", name=star, pressed=True)).to_have_count(1)

    await engineer.say("/deputy")
    await expect(engineer.log.get_by_role("region", name="What you may do", exact=True)).to_have_count(2)
    first = menu.get_by_role("region", name="Favourites")
    await first.get_by_role("button", name=star, pressed=True).press("Enter")
    await expect(engineer.log.get_by_role("button", name=star, pressed=True)).to_have_count(0)
    await engineer.say("/deputy")
    await expect(engineer.log.get_by_role("region", name="Favourites")).to_have_count(1)


async def test_the_names_of_actions_are_suggested_where_one_is_to_follow(room: Room) -> None:
    engineer = await room.enter("engineer")
    box = engineer.page.get_by_role("textbox", name="Message")
    await box.fill("/deputy favourite check")
    await engineer.page.get_by_role("option", name="check-url").click()
    await expect(box).to_have_value("/deputy favourite check-url ")


async def test_an_approval_may_carry_a_comment_that_is_shown_and_in_the_audit_log(room: Room) -> None:
    helpdesk, manager = await room.enter("helpdesk"), await room.enter("manager")
    await helpdesk.say("/deputy reset-password bob")
    card = manager.card("Reset a password")
    await card.get_by_role("button", name="Approve with a comment").click()
    await expect(card.get_by_role("textbox", name="Comment")).to_be_focused()
    await card.get_by_role("button", name="Back").click()
    await manager.sees("Awaiting approval", card)
    await card.get_by_role("button", name="Approve with a comment").click()
    await card.get_by_role("textbox", name="Comment").fill("Bob called me <b>himself</b>")
    await card.get_by_role("button", name="Approve", exact=True).click()
    told = "1 of 1: Marco Rossi (“Bob called me <b>himself</b>”)"
    await helpdesk.sees(told, helpdesk.card("Reset a password"))
    await manager.sees("Succeeded", card)
    await manager.sees(told, card)

    run = await card.get_by_role("button", name=re.compile("^R-")).inner_text()
    await manager.say(f"/deputy status {run}")
    history = manager.card("Reset a password").get_by_role("row", name=re.compile("request:approved"))
    await history.get_by_role("button", name=re.compile("^AUD-")).click()
    entry = manager.page.get_by_role("dialog", name="Audit entry")
    await expect(entry).to_contain_text("Bob called me <b>himself</b>")


async def test_an_example_knows_where_the_demo_has_old_files_to_clean(room: Room) -> None:
    oncall = await room.enter("oncall")
    await oncall.page.get_by_role("button", name=re.compile("clean-old-files path=.*cache$")).first.click()
    await oncall.page.get_by_role("textbox", name="Message").press("Escape")
    await oncall.page.get_by_role("textbox", name="Message").press("Enter")
    await oncall.sees("Awaiting approval", oncall.card("Clean old files"))
    for who in ("manager", "engineer"):
        card = (await room.enter(who)).card("Clean old files")
        await card.get_by_role("button", name="Approve", exact=True).click()
        await oncall.sees(
            "Approvals1 of 2" if who == "manager" else "Approvals2 of 2", oncall.card("Clean old files")
        )
    await oncall.sees("Succeeded", oncall.card("Clean old files"))
    await expect(oncall.card("Clean old files")).to_contain_text("thumbnails/3f9a.png")


async def test_the_newest_lines_of_a_running_script_are_in_sight(browser: Browser, tmp_path: Path) -> None:
    lines = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do echo line $n; done; sleep 30\n"
    actions = {"operations/slow.sh": lines, "operations/slow.toml": 'summary = "Is slow."\nrisk = "read"\n'}
    served = Process(tmp_path, **own_content(tmp_path, actions))
    await served.start("serve")
    oncall = await Room(browser, served.address).enter("oncall")
    await oncall.say("/deputy slow")
    progress = oncall.card("Slow").get_by_role("region", name="Progress")
    await oncall.sees("line 15", progress)
    assert await progress.evaluate("node => node.scrollHeight <= node.clientHeight")
    await oncall.card("Slow").get_by_role("button", name="Cancel").click()
    await oncall.sees("Cancelled by Olu Adeyemi", oncall.card("Slow"))
    await served.stop()


async def test_everybody_reads_by_their_own_clock_until_when_is_to_be_decided(room: Room) -> None:
    helpdesk, manager = await room.enter("helpdesk"), await room.enter("manager", "Asia/Tokyo")
    await helpdesk.say("/deputy reset-password bob")
    shown = {}
    for person, hours in ((helpdesk, 0), (manager, 9)):
        moment = person.card("Reset a password").get_by_role("time")
        in_utc = datetime.strptime(str(await moment.get_attribute("title")), "%d %b %Y, %H:%M UTC")
        shown[person] = await moment.inner_text()
        assert shown[person] == f"{in_utc + timedelta(hours=hours):%-d %b %Y, %H:%M}"
    assert shown[helpdesk] != shown[manager]


async def test_help_is_read_on_a_telephone_without_scrolling_sideways(room: Room) -> None:
    helpdesk = await room.enter("helpdesk")
    await helpdesk.page.set_viewport_size({"width": 390, "height": 800})
    await helpdesk.say("/deputy help")
    table = helpdesk.card("How to ask Deputy").get_by_role("region", name="Table")
    await expect(table).to_be_visible()
    assert await table.evaluate("node => node.scrollWidth <= node.clientWidth")


async def test_every_line_of_a_script_is_marked_over_its_whole_width(room: Room) -> None:
    helpdesk = await room.enter("helpdesk")
    await helpdesk.say("/deputy reset-password bob")
    card = helpdesk.card("Reset a password")
    await card.get_by_role(
        "button", name=re.compile(r"^reset-password\.py: \d+ lines, not approved before$")
    ).click()
    script = card.get_by_role("region", name=re.compile(r"^reset-password\.py"))
    await expect(script).to_contain_text("+def main(")
    widths = "node => [...node.children].map((line) => Math.round(line.getBoundingClientRect().width))"
    assert set(await script.evaluate(widths)) == {await script.evaluate("node => node.scrollWidth")}


async def test_compare_on_a_second_run_shows_what_it_said_otherwise(browser: Browser, tmp_path: Path) -> None:
    process = Process(tmp_path, **own_content(tmp_path, TELL))
    await process.start("serve")
    try:
        oncall = await Room(browser, process.address).enter("oncall")
        await oncall.say("/deputy tell")
        card = oncall.card("Tell the time")
        await oncall.sees("Succeeded", card)
        await expect(card.get_by_role("button", name="Compare")).to_have_count(0)
        await oncall.say("/deputy tell")
        await card.get_by_role("button", name="Compare").click()

        compared = oncall.card("Tell the time: two runs compared")
        await oncall.sees("Both asked for exactly the same.", compared)
        await compared.get_by_role("button", name="200 lines added, 200 removed").click()
        await oncall.sees("There is more than fits here.", compared)
        await expect(compared).to_contain_text(re.compile(r"-1: it is \d+ now"))
        await expect(compared.get_by_role("link")).to_have_count(0)
    finally:
        await process.stop()
