"""Answers for one person alone: who has them again, how many and for how long."""

from datetime import timedelta

from bot.chat.local.asides import AGE, MOST, Asides
from bot.core.card import Card, Item, Menu, Text
from bot.ports import Message
from tests.fakes.door import FakeClock

HANNA = "contoso/h-1"


def shown(messages: list[Message]) -> list[str]:
    return [message.card.title if message.card else message.text for message in messages]


def test_an_answer_stands_after_the_words_it_answers() -> None:
    asides = Asides(FakeClock())
    asides.keep("hanna", HANNA, "one", Card("Your runs"), "/deputy mine")
    asides.keep("hanna", HANNA, "two", Card("Favourites"))
    assert shown(asides.of("hanna", HANNA)) == ["/deputy mine", "Your runs", "Favourites"]
    assert len({message.key for message in asides.of("hanna", HANNA)}) == 3


def test_a_delivery_that_comes_again_changes_nothing() -> None:
    asides = Asides(FakeClock())
    for title in ("first", "again"):
        asides.keep("hanna", HANNA, "one", Card(title))
    assert shown(asides.of("hanna", HANNA)) == ["first"]


def test_W1_nobody_else_is_shown_an_answer() -> None:
    asides = Asides(FakeClock())
    asides.keep("hanna", HANNA, "one", Card("For Hanna"))
    asides.keep("stranger", "", "two", Card("For one linked to nobody"))
    for account, viewer in (("martin", "contoso/m-1"), ("martin", HANNA), ("other", ""), ("hanna", "")):
        assert asides.of(account, viewer) == []
    assert all(message.only for message in (*asides.of("hanna", HANNA), *asides.of("stranger", "")))


def test_W1_an_account_that_becomes_somebody_elses_takes_no_answers_along() -> None:
    asides = Asides(FakeClock())
    asides.keep("hanna", HANNA, "one", Card("For Hanna"))
    asides.keep("hanna", "contoso/other", "two", Card("For the other"))
    assert shown(asides.of("hanna", "contoso/other")) == ["For the other"]
    assert asides.of("hanna", HANNA) == []


def test_a_menu_among_the_answers_says_what_is_a_favourite_by_now() -> None:
    items = (Item("look", "Look"), Item("hold", "Hold", favourite=True))
    asides = Asides(FakeClock())
    asides.keep("hanna", HANNA, "one", Card("Menu", blocks=(Text("all"), Menu("All", items))), "/deputy")
    asides.mark("martin", "contoso/m-1", "look", favourite=True)
    asides.mark("hanna", HANNA, "look", favourite=True)
    asides.mark("hanna", HANNA, "hold", favourite=False)
    card = asides.of("hanna", HANNA)[1].card
    assert card is not None
    menu = card.blocks[1]
    assert isinstance(menu, Menu)
    assert [one.favourite for one in menu.items] == [True, False]


def test_only_the_newest_answers_are_kept_and_each_account_has_its_own_room() -> None:
    asides = Asides(FakeClock())
    asides.keep("martin", "contoso/m-1", "his", Card("his"))
    for number in range(MOST + 3):
        asides.keep("hanna", HANNA, str(number), Card(str(number)))
    assert shown(asides.of("hanna", HANNA)) == [str(number) for number in range(3, MOST + 3)]
    assert shown(asides.of("martin", "contoso/m-1")) == ["his"]


def test_answers_are_forgotten_when_their_time_is_over() -> None:
    clock = FakeClock()
    asides = Asides(clock)
    asides.keep("hanna", HANNA, "one", Card("old"))
    clock.time += AGE - timedelta(seconds=1)
    asides.keep("hanna", HANNA, "two", Card("new"))
    assert shown(asides.of("hanna", HANNA)) == ["old", "new"]
    clock.time += timedelta(seconds=1)
    assert shown(asides.of("hanna", HANNA)) == ["new"]
    clock.time += AGE
    assert asides.of("hanna", HANNA) == []
