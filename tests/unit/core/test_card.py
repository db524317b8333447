"""Cards travel as JSON and come back as they went."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.card import (
    Block,
    Button,
    Card,
    Fact,
    Hidden,
    Item,
    Menu,
    Page,
    Table,
    Text,
    Tone,
    Verb,
    from_json,
    to_json,
)

words = st.text(max_size=20)
rows = st.lists(st.lists(words, max_size=3).map(tuple), max_size=3).map(tuple)


def several(one: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(one, max_size=3).map(tuple)


BLOCKS: dict[type, st.SearchStrategy[Block]] = {
    Text: st.builds(Text, words, st.booleans(), st.booleans()),
    Table: st.builds(Table, several(words), rows, st.integers(0, 9)),
    Hidden: st.builds(Hidden, words),
    Page: st.builds(Page, words, words),
    Menu: st.builds(Menu, words, several(st.builds(Item, words, words, words, words))),
}
cards = st.builds(
    Card,
    title=words,
    tone=st.sampled_from(Tone),
    lead=words,
    facts=several(st.builds(Fact, words, words, st.booleans(), st.booleans(), words)),
    blocks=several(st.one_of(*BLOCKS.values())),
    buttons=several(st.builds(Button, words, st.sampled_from(Verb), words, words, words)),
    run=words,
    state=words,
    audit=words,
    footnote=words,
)


def travelled(card: Card) -> Card:
    return from_json(json.loads(json.dumps(to_json(card))))


@given(cards)
def test_a_card_comes_back_as_it_went(card: Card) -> None:
    assert travelled(card) == card


@pytest.mark.parametrize("kind", Block.__args__)
@given(data=st.data())
def test_every_block_comes_back_as_it_went(kind: type, data: st.DataObject) -> None:
    card = Card("One", blocks=(data.draw(BLOCKS[kind]),))
    assert travelled(card) == card


def test_every_field_of_a_card_travels() -> None:
    assert set(to_json(Card("One"))) == {field.name for field in fields(Card)}
