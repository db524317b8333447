"""The main job in a real browser: asked, refused with a reason, approved by another, run, proven."""

import re

from playwright.async_api import expect

from tests.acceptance.conftest import Process, Room


async def test_the_helpdesk_unlocks_an_account_at_once_and_it_is_checked(room: Room) -> None:
    helpdesk = await room.enter("helpdesk")
    await helpdesk.say("/deputy unlock-account alice")
    card = helpdesk.card("Unlock an account")
    await helpdesk.sees("Succeeded", card)
    await helpdesk.sees("Checked:", card)
    await expect(card).to_contain_text(re.compile(r"AUD-\d{6}-[0-9a-f]{6}"))
    await card.get_by_role("button", name=re.compile("AUD-")).click()
    entry = helpdesk.page.get_by_role("dialog", name="Audit entry")
    await expect(entry).to_contain_text("Its hash holds.")


async def test_a_password_is_reset_after_approval_and_shown_to_its_requester_alone(room: Room) -> None:
    helpdesk, manager, oncall = [await room.enter(who) for who in ("helpdesk", "manager", "oncall")]
    await helpdesk.say("/deputy reset-password bob")
    asked = helpdesk.card("Reset a password")
    await helpdesk.sees("It needs 1 approval", asked)

    await asked.get_by_role("button", name="Approve", exact=True).click()
    await helpdesk.sees("You can't approve your own request")
    await helpdesk.sees("Awaiting approval", asked)

    await manager.card("Reset a password").get_by_role("button", name="Approve", exact=True).click()
    await manager.sees("Succeeded", manager.card("Reset a password"))
    await manager.sees("is for Hanna Weber alone")

    result = helpdesk.card("Reset a password: the result")
    await helpdesk.sees("Only you see this")
    reveal = result.get_by_role("button", name=re.compile("show", re.IGNORECASE))
    if await reveal.count():
        await reveal.first.click()
    await expect(result).to_contain_text(re.compile(r"password", re.IGNORECASE))
    for other in (manager, oncall):
        await expect(other.log.get_by_role("region", name="Reset a password: the result")).to_have_count(0)


async def test_the_manager_can_say_no_with_a_reason(room: Room) -> None:
    helpdesk, manager = await room.enter("helpdesk"), await room.enter("manager")
    await helpdesk.say("/deputy reset-password carol")
    card = manager.card("Reset a password")
    await card.get_by_role("button", name="Deny").click()
    await card.get_by_role("button", name="Deny").click()  # without a reason it is not sent
    await card.get_by_role("textbox", name="Reason").fill("She is on leave")
    await card.get_by_role("button", name="Deny").click()
    await helpdesk.sees("Marco Rossi said no: “She is on leave”", helpdesk.card("Reset a password"))
    await manager.sees("Marco Rossi said no", card)
    assert await card.get_by_role("button", name="Approve").count() == 0


async def test_the_on_call_engineer_looks_at_the_disks(room: Room) -> None:
    oncall = await room.enter("oncall")
    await oncall.say("/deputy disk-usage")
    card = oncall.card("Disk usage")
    await oncall.sees("Succeeded", card)
    await expect(card.get_by_role("table")).to_be_visible()


async def test_somebody_without_rights_is_told_why_and_whom_to_ask(room: Room) -> None:
    nobody, helpdesk = await room.enter("nobody"), await room.enter("helpdesk")
    await nobody.say("/deputy unlock-account alice")
    await nobody.sees("Only you see this")
    await nobody.sees("Helpdesk")
    await expect(helpdesk.log.get_by_role("region", name="Unlock an account")).to_have_count(0)


async def test_a_form_opens_where_something_is_missing_and_shows_the_fault_at_its_field(room: Room) -> None:
    helpdesk = await room.enter("helpdesk")
    await helpdesk.say("/deputy unlock-account")
    dialog = helpdesk.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Run").click()
    await expect(dialog.get_by_role("textbox", name=re.compile("Account"))).to_be_focused()
    await dialog.get_by_role("textbox", name=re.compile("Account")).fill("alice")
    await dialog.get_by_role("button", name="Run").click()
    await helpdesk.sees("Succeeded", helpdesk.card("Unlock an account"))


async def test_a_form_says_in_itself_why_it_was_not_taken_and_keeps_what_is_in_it(room: Room) -> None:
    oncall = await room.enter("oncall")
    await oncall.say("/deputy clean-old-files")
    dialog = oncall.page.get_by_role("dialog")
    await expect(dialog.get_by_role("radio")).to_have_count(2)  # it has a default, so it can't be left open
    await dialog.get_by_role("textbox", name=re.compile("Directory")).fill("/nowhere")
    reason = dialog.get_by_role("textbox", name="Reason")
    await reason.fill("one\u2028two")
    await dialog.get_by_role("button", name="Ask for approval").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("line separator")
    await expect(reason).to_have_value("one\u2028two")


async def test_the_audit_log_holds_and_one_changed_byte_is_named(room: Room, demo: Process) -> None:
    helpdesk = await room.enter("helpdesk")
    await helpdesk.say("/deputy unlock-account alice")
    await helpdesk.sees("Succeeded", helpdesk.card("Unlock an account"))
    await demo.stop()
    code, out, _ = await demo.deputy("audit", "verify")
    assert code == 0
    assert re.fullmatch(r"The audit log holds: \d+ entries; the newest is AUD-\d{6}-[0-9a-f]{6}\.\n", out)
    _, exported, _ = await demo.deputy("audit", "export")
    last = exported.strip().splitlines()[-1]
    sequence = int(re.search(r'"sequence": (\d+)', last)[1])  # type: ignore[index]
    content = demo.database.read_bytes()
    assert content.count(b"run:succeeded") >= 1
    demo.database.write_bytes(content.replace(b"run:succeeded", b"run:succeedeD"))
    code, _, err = await demo.deputy("audit", "verify")
    assert code == 1
    assert f"entry {sequence} was changed after it was written" in err
