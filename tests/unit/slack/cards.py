"""Any card and any form: strategies for what has to be shown whatever it holds."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from bot.core.card import Button, Card, Fact, Hidden, Item, Menu, Page, Table, Text, Tone, Verb
from bot.core.form import Field, Form
from bot.core.parameter import Choice, Kind, Parameter
from bot.core.wording import when

WORDS = st.text(max_size=60) | st.sampled_from(["", " ", "<!channel>", "```", "x" * 9_000, "漢" * 5_000, "\u202e"])
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,60}", fullmatch=True)
ITEMS = st.builds(Item, NAMES, WORDS, WORDS, WORDS)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Any table, with and without heads."""
    width = draw(st.integers(1, 25))
    row = st.tuples(*[WORDS] * width)
    heads = draw(row | st.just(()))
    return Table(
        heads, tuple(draw(st.lists(row, max_size=6)) * draw(st.sampled_from([1, 40]))), draw(st.integers(0, 9))
    )


MENUS = st.builds(Menu, WORDS, st.lists(ITEMS, max_size=3).map(tuple))
FACTS = st.builds(Fact, WORDS, WORDS, st.booleans()) | st.builds(
    when, WORDS, st.datetimes(datetime(1970, 1, 2), datetime(5000, 1, 1), timezones=st.just(UTC))
)
BLOCKS = st.one_of(
    st.builds(Text, WORDS, st.booleans(), st.booleans()),
    st.builds(Text, st.sampled_from(["line\n" * 8_000, "é" * 40_000, "\n\n\n"]), st.just(True)),
    tables(),
    st.builds(Hidden, st.just("R-1")),
    st.builds(Text, WORDS, st.just(True), st.booleans(), WORDS),
    st.builds(Page, WORDS.filter(bool), st.just("https://deputy.example.com/link/x")),
    MENUS,
    st.builds(Menu, WORDS, st.just(tuple(Item(f"action-{n}", "An action") for n in range(150)))),
)
CARDS = st.builds(
    Card,
    title=WORDS,
    tone=st.sampled_from(Tone),
    lead=WORDS,
    facts=st.lists(FACTS, max_size=5).map(tuple)
    | st.builds(lambda fact, n: (fact,) * n, FACTS, st.integers(20, 120)),
    blocks=st.lists(BLOCKS, max_size=4).map(tuple)
    | st.builds(lambda menu, n: (menu,) * n, MENUS, st.integers(40, 120)),
    buttons=st.lists(
        st.builds(Button, WORDS, st.sampled_from(Verb), WORDS, st.sampled_from(["", "primary", "danger", "odd"])),
        max_size=30,
    ).map(tuple),
    run=st.just("R-1") | st.just(""),
    audit=st.just("AUD-000001-abcdef") | st.just(""),
    footnote=WORDS,
)

_NUMBERS = st.decimals(-1_000_000, 1_000_000, places=2) | st.none()
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    WORDS,
    st.lists(WORDS, max_size=3),
    st.sampled_from(["2026-11-23", "2026-11-23T14:30", "1.5", "yes"]),
)


@st.composite
def fields(draw: st.DrawFn) -> Field:
    """Any field that a catalogue could hold, with any value given for it."""
    least, most = sorted([draw(st.integers(0, 5_000)), draw(st.integers(0, 5_000))])
    low, high = draw(_NUMBERS), draw(_NUMBERS)
    if low is not None and high is not None and low > high:
        low, high = high, low
    parameter = Parameter(
        draw(NAMES),
        draw(st.sampled_from(Kind)),
        draw(WORDS),
        help=draw(WORDS),
        required=draw(st.booleans()),
        minimum=low if low is None else Decimal(low),
        maximum=high,
        min_length=draw(st.none() | st.just(least)),
        max_length=draw(st.none() | st.just(most)),
        choices_from=draw(st.none() | st.just("list-groups")),
    )
    choices = draw(st.lists(st.builds(Choice, WORDS, WORDS), max_size=4) | st.just(MANY))
    value = draw(_VALUES | st.sampled_from([one.value for one in choices] or [None]))
    return Field(parameter, value, draw(WORDS), tuple(choices))


MANY = [Choice(f"group-{n}", f"Group {n}") for n in range(200)]
FORMS = st.builds(
    Form,
    NAMES,
    WORDS,
    WORDS,
    st.sampled_from(["read", "change"]),
    st.lists(fields(), max_size=6, unique_by=lambda field: field.parameter.name).map(tuple),
    WORDS,
    WORDS,
)
