"""Cards in a terminal."""

from bot.cli import show
from bot.core.card import Card, Text, Tone, to_json


def test_what_has_changed_stands_under_the_name_of_its_file() -> None:
    card = Card("Clean up", Tone.WAITING, blocks=(Text("+one", code=True, title="clean.py: 1 line added"),))
    assert show.card(to_json(card)).splitlines() == ["… Clean up", "  clean.py: 1 line added", "  | +one"]
