"""What people say to Deputy, however they address it and whatever they set it off with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.slack.said import after_mention, direct

US = "<@U0DEPUTY>"
WAYS = [
    f"{US} slow 1",
    f"{US}: slow 1",
    f"{US}, slow 1",
    f"{US} – slow 1",
    f"{US}:slow 1",
    f"{US} {US} slow 1",
    f"{US}: {US}, slow 1",
    f"{US} /deputy slow 1",
    f"{US} @Deputy: slow 1",
    f"{US} `slow 1`",
    f"{US} ```slow 1```",
    f"{US} *slow 1*",
    f"{US} *_slow 1_*",
    f"{US} *slow* 1",
    f"{US} /deputy `slow 1`",
    f"*{US}* slow 1",
    f"*{US} slow 1*",
    "<@U0DEPUTY|deputy>\nslow 1",
]


@pytest.mark.parametrize("text", [*WAYS, f"hold on <@U0EVE>, {US}: slow 1"])
def test_a_mention_is_understood_however_it_is_set_off(text: str) -> None:
    assert after_mention(text, "T1", "U0DEPUTY") == "slow 1"


@pytest.mark.parametrize("text", [*WAYS, "slow 1", "`slow 1`", "*slow 1*", "/deputy slow 1", "@deputy slow 1"])
def test_a_direct_message_is_too(text: str) -> None:
    assert direct(text, "T1") == "slow 1"


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", ""),
        (":", ""),
        ("`look", "`look"),
        ("look `a` *b*", "look `a` *b*"),
        ("*look* *a*", "look *a*"),
        ("look a, b:", "look a, b:"),
        ("look *", "look *"),
        ("**", "**"),
        ("look <@U0DEPUTY>", "look @U0DEPUTY"),
        ("<@U0EVE> look", "@U0EVE look"),
        ("away until 2026-12-01 to <@U0MAYA>", "away until 2026-12-01 to @T1:U0MAYA"),
    ],
)
def test_nothing_else_of_what_is_asked_is_changed(text: str, asked: str) -> None:
    assert after_mention(f"{US} {text}", "T1", "U0DEPUTY") == asked


@given(st.lists(st.sampled_from([US, " ", ":", "*", "`", "```", "_", "look", "/deputy", "\n"]), max_size=12))
def test_whatever_stands_around_it_is_read_in_the_end(parts: list[str]) -> None:
    text = "".join(parts)
    assert US not in (after_mention(text, "T1", "U0DEPUTY"), direct(text, "T1"))


def test_R6_who_addresses_it_thousands_of_times_is_read_in_one_go() -> None:
    for often in (f"{US} ", f"*{US}* ", ", ", "`", "* ", "<@", "/deputy "):
        assert isinstance(after_mention(often * 4_000, "T1", "U0DEPUTY"), str)
        assert isinstance(direct(often * 4_000, "T1"), str)
