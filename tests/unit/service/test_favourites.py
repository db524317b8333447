"""Favourites: each person's own, before all others in the menu."""

import pytest

from bot.core.card import Button, Menu, Verb
from bot.core.errors import Invalid, NotFound, Refused
from bot.service import favourites
from bot.service.suggest import suggest
from tests.fakes.company import Company, action


async def menus(company: Company, name: str = "ann") -> dict[str, list[str]]:
    """Return what somebody's menu shows, by its headings."""
    card = await company.card(name, "")
    return {
        block.heading: [one.subject for one in block.items] for block in card.blocks if isinstance(block, Menu)
    }


async def test_favourites_come_first_and_what_is_used_most_after_them() -> None:
    company = Company()
    await company.say("ann", "look")
    await company.say("ann", "hold")
    await company.say("ann", "hold")
    card = await company.card("ann", "favourite hold")
    assert card.lead == "“Hold” is one of your favourites now. /deputy shows them first."
    found = await menus(company)
    assert list(found)[:2] == ["Favourites", "Most used"]
    assert (found["Favourites"], found["Most used"]) == (["hold"], ["look"])
    assert "Favourites" not in await menus(company, "abe")
    await company.card("ann", "unfavourite hold")
    assert next(iter((await menus(company)).items())) == ("Most used", ["hold", "look"])


async def test_a_menu_says_everywhere_what_is_a_favourite() -> None:
    company = Company()
    await company.card("ann", "favourite hold")
    menus = [block for block in (await company.card("ann", "")).blocks if isinstance(block, Menu)]
    shown = {(one.subject, one.favourite) for menu in menus for one in menu.items}
    assert ("hold", True) in shown
    assert ("hold", False) not in shown
    assert ("look", False) in shown


async def test_what_names_an_action_is_completed_by_those_that_it_may_name() -> None:
    company = Company()
    await company.card("ann", "favourite hold")

    async def offered(text: str) -> list[str]:
        return [one.text for one in await suggest(company.ports, await company.caller("ann"), text)]

    assert await offered("unfavourite ") == ["unfavourite hold "]
    assert await offered("favourite lo") == ["favourite look "]
    assert "favourite hold " not in await offered("favourite ")
    assert {"help hold ", "help look "} <= set(await offered("help "))
    assert await offered("favourite look ") == []


async def test_nothing_is_completed_for_who_may_do_nothing() -> None:
    company = Company()
    assert await suggest(company.ports, await company.caller("zed"), "favourite ") == ()


async def test_a_click_does_the_same() -> None:
    company = Company()
    await company.press("ann", Button("", Verb.FAVOUR, "look"))
    assert (await menus(company))["Favourites"] == ["look"]
    await company.press("ann", Button("", Verb.UNFAVOUR, "look"))
    assert "Favourites" not in await menus(company)


@pytest.mark.parametrize(
    ("name", "text", "error", "words"),
    [
        ("ann", "favourite", Invalid, "Name the action: /deputy favourite"),
        ("ann", "favourite lok", NotFound, "Did you mean look"),
        ("zed", "favourite look", Refused, "You may not run look"),
        ("ann", "unfavourite look", Invalid, "“look” is none of your favourites"),
        ("ann", "unfavourite", Invalid, "Name the action: /deputy unfavourite"),
    ],
)
async def test_what_is_wrong_with_it_is_said(name: str, text: str, error: type[Exception], words: str) -> None:
    company = Company()
    with pytest.raises(error, match=words):
        await company.say(name, text)
    assert set(await company.store.favourites((await company.caller(name)).principal.who)) == set()


async def test_one_that_is_gone_is_not_shown_does_not_count_and_can_be_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(favourites, "MOST", 2)
    company = Company()
    company.shelf.actions["old"] = action("old", parameters=())
    company.rules.needs["old"] = 0
    await company.say("ann", "favourite old")
    del company.shelf.actions["old"]
    await company.say("ann", "favourite look")
    await company.say("ann", "favourite hold")
    await company.say("ann", "favourite hold")
    with pytest.raises(Invalid, match="You have 2 favourites, the most there can be"):
        await company.say("ann", "favourite change")
    assert (await menus(company))["Favourites"] == ["hold", "look"]
    await company.card("ann", "unfavourite old")
    with pytest.raises(Invalid, match="none of your favourites"):
        await company.say("ann", "unfavourite old")


async def test_who_may_run_nothing_is_told_which_role_they_hold_and_only_who_holds_none_to_ask_for_one() -> None:
    company = Company()
    lead = (await company.card("max", "")).lead
    assert "You are Max and hold the bosses" in lead
    assert "/deputy approvals" in lead
    assert "none of your groups gives you a role" not in lead
    assert "none of your groups gives you a role" in (await company.card("zed", "")).lead


async def test_who_may_run_nothing_now_is_told_what_closes_it_and_from_when_on_it_is_open() -> None:
    company = Company()
    company.rules.frozen = "Changes rest."
    open_again = "Changes rest. You can ask from 23 Nov 2026, 17:00 UTC on."
    assert "Changes rest" not in (await company.card("ann", "")).lead  # at no hour is it open
    company.rules.open_at = company.clock.now().replace(hour=17)
    assert f"which lets you run nothing here now. {open_again} What waits" in (await company.card("ann", "")).lead
    assert (await company.card("ann", "help look")).lead == f"Does look. You may not run it. {open_again}"


async def test_help_with_an_action_says_who_may_run_what_the_reader_may_not() -> None:
    lead = (await Company().card("zed", "help look")).lead
    assert lead == "Does look. You may not run it. No policy allows you to run this. Ask the desk, who may."
