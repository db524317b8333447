"""What the page itself does for its reader, in a real browser."""

from playwright.async_api import expect

from tests.acceptance.conftest import Room


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
