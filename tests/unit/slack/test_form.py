"""A form's fields are read as the standard library reads them, strictly."""

from typing import Any
from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from bot.chat.slack.guard import FORM, MOST_FIELDS, Rejected, parse

PIECES = st.sampled_from(["a", "b", "=", "&", "+", "%", "%C3%A9", "%ff", "%26", "%3D", "\u00e9", ";", " "])


def expected(text: str) -> dict[str, Any] | None:
    """Return what the standard library reads, None for what is refused."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        return None
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None


@given(st.lists(PIECES, max_size=12).map("".join))
def test_P5_a_form_is_read_as_the_standard_library_reads_it(text: str) -> None:
    try:
        read = dict(parse(FORM, text.encode()))
    except Rejected:
        assert expected(text) is None
    else:
        assert read == expected(text)


def test_P5_a_form_has_no_more_fields_than_slack_ever_sends() -> None:
    fields = [f"f{number}=" for number in range(MOST_FIELDS + 1)]
    assert len(parse(FORM, "&".join(fields[:-1]).encode())) == MOST_FIELDS
    try:
        parse(FORM, "&".join(fields).encode())
    except Rejected as rejected:
        assert rejected.status == 400
    else:
        raise AssertionError("a form with too many fields was taken")
