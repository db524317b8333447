"""A linking goes one way, each step once; a code is known however people type it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import linking
from bot.core.errors import Conflict
from bot.core.linking import LIFE, MOST_MISSES, Linking, Stage
from bot.core.principal import Account, Who

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HANNA = Who("acme", "o-1", "Hanna")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

OFFERED = Linking(Account("slack", "T1/U1"), linking.digest("ticket"), NOON)
SENT = linking.send(OFFERED, "browser", {"state": "s"})
RETURNED = linking.take_back(SENT, "browser")
SIGNED_IN = linking.accept(RETURNED, HANNA, "7K3M9Q")
LINKED = linking.hear(SIGNED_IN, "7K3M9Q")
OVER = linking.give_up(RETURNED)
ALL = (OFFERED, SENT, RETURNED, SIGNED_IN, LINKED, OVER)

STEPS: dict[Stage, Callable[[Linking], Linking]] = {
    Stage.OFFERED: lambda one: linking.send(one, "other", {}),
    Stage.SIGNING_IN: lambda one: linking.take_back(one, "browser"),
    Stage.RETURNED: lambda one: linking.accept(one, HANNA, "000000"),
    Stage.SIGNED_IN: lambda one: linking.hear(one, "7K3M9Q"),
}


def test_a_linking_goes_from_the_offer_to_the_link_and_every_step_counts() -> None:
    assert [one.stage for one in ALL] == list(Stage)
    assert [one.revision for one in ALL] == [1, 2, 3, 4, 5, 4]
    assert LINKED.who == HANNA
    assert OFFERED.expires == NOON + LIFE


@pytest.mark.parametrize("start", STEPS)
@pytest.mark.parametrize("one", ALL, ids=lambda one: one.stage)
def test_no_step_is_taken_from_another_stage(one: Linking, start: Stage) -> None:
    if one.stage is start:
        assert STEPS[start](one).stage is not start
    else:
        with pytest.raises(Conflict, match=r"\.$"):
            STEPS[start](one)


def test_another_browser_does_not_come_back() -> None:
    with pytest.raises(Conflict, match="another browser"):
        linking.take_back(SENT, "other")


def test_what_is_kept_tells_no_secret_of_ticket_and_browser() -> None:
    assert "browser" not in (SENT.browser, SENT.ticket)
    assert "7K3M9Q" not in repr(SIGNED_IN)
    assert RETURNED.flow
    assert not SIGNED_IN.flow


def test_too_many_wrong_codes_end_it() -> None:
    heard = SIGNED_IN
    for misses in range(1, MOST_MISSES + 1):
        assert heard.stage is Stage.SIGNED_IN
        heard = linking.hear(heard, "WRONG1")
        assert heard.misses == misses
    assert heard.stage is Stage.OVER


@given(st.text(CROCKFORD, min_size=6, max_size=6), st.data())
def test_a_code_is_known_however_people_type_it(code: str, data: st.DataObject) -> None:
    signed_in = replace(SIGNED_IN, code=code)
    shown = linking.shown_code(code)
    alike = {"0": "0oO", "1": "1iIlL"}
    typed = "".join(data.draw(st.sampled_from(alike.get(char, char + char.lower()))) for char in shown)
    blanks = data.draw(st.text(" -\t", max_size=3))

    assert linking.hear(signed_in, blanks + typed + blanks).stage is Stage.LINKED


@given(st.text(max_size=40))
def test_no_other_text_is_the_code(text: str) -> None:
    if linking.plain_code(text) != "7K3M9Q":
        assert linking.hear(SIGNED_IN, text).stage is Stage.SIGNED_IN


@given(st.text(max_size=10), st.text(max_size=10))
def test_D6_an_account_has_one_key_however_it_is_spelt(platform: str, name: str) -> None:
    spelt = Account(f" {platform}\t", f"{name} ")
    assert spelt.key == Account(platform, name).key
    assert Account(platform.upper(), name).key == Account(platform.upper(), f"\n{name}").key
