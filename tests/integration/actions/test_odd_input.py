"""Whatever is typed, an action ends with an answer or a sentence, never with another entry or a traceback."""

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.demo.world import World
from tests.integration.actions.scripts import library, script

NAMES = {"alice", "bob", "carol", "d.o'brien", "erin", "fabio", "j.mueller", "ada-admin"}
FILTERS = st.text(st.sampled_from("*()\\|&!=<>~:,. \0abceoil'éß"), max_size=12)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(account=st.text(max_size=20) | FILTERS)
def test_X1_no_text_finds_an_account_but_its_own_name(world: World, account: str) -> None:
    with suppress(SystemExit):
        shown = script("show-account").main(account, directory=dict(world.credentials["directory"]))
        assert shown["account"] == account
        assert account in NAMES


@given(rest=st.text(max_size=40), start=st.sampled_from(["", "http://", "https://h", "http://[", "http://h:"]))
def test_no_text_breaks_the_reading_of_an_address(rest: str, start: str) -> None:
    with suppress(SystemExit):
        parts = script("check-url")._parts(start + rest)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert script("check-url")._path(parts).isascii()


@given(count=st.integers(0, 10**16))
def test_sizes_keep_to_three_or_four_figures(count: int) -> None:
    number, unit = library("sizes").size(count).split()
    scale = {"bytes": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    assert abs(float(number) * scale - count) <= 0.051 * scale + 0.005 * count
