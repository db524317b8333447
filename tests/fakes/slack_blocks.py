"""Slack's blocks: every kind with its fields and their limits, as tables of rules.

Sources: Slack's reference of blocks, block elements and composition objects.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.slack_rules import Rule, either, fault, flag, kinds, many, plain, shape, text, whole, word

Json = Mapping[str, Any]
TABLE_TEXT = 10_000
MARKDOWN_TEXT = 12_000

URL = text(3000, 1, r"https?://\S+")
ID = text(255, 1)
CONFIRM = shape(
    title=plain(100), text=either(300), confirm=plain(30), deny=plain(30), may_style=word("primary", "danger")
)
OPTION = shape(text=plain(75), value=text(150, 1), may_description=plain(75))
RICH_OPTION = shape(text=either(75), value=text(150, 1), may_description=either(75))
GROUP = shape(label=plain(75), options=many(OPTION, 1, 100))


def _offered(element: Json) -> list[Any]:
    options = [one for group in element.get("option_groups") or [] for one in group.get("options") or []]
    return [*(element.get("options") or []), *options]


def _chosen_from_options(element: Json, at: str) -> Iterator[str]:
    chosen = [("initial_option", element["initial_option"])] if "initial_option" in element else []
    chosen += [("initial_options", one) for one in element.get("initial_options") or []]
    for name, option in chosen:
        if option not in _offered(element):
            yield fault("initial option must be one of the options", f"{at}/{name}")


def different_values(element: Json, at: str) -> Iterator[str]:
    """No two options with one value."""
    values = Counter(one.get("value") for one in _offered(element) if isinstance(one, dict))
    yield from (fault(f"option values must be unique: {one}", at) for one, times in values.items() if times > 1)


def one_list(element: Json, at: str) -> Iterator[str]:
    """Options, or groups of them."""
    if ("options" in element) == ("option_groups" in element):
        yield fault("must have options or option_groups, not both", at)


def _in_order(least: str, most: str) -> Rule:
    def rule(element: Any, at: str) -> Iterator[str]:
        if least in element and most in element and float(element[least]) > float(element[most]):
            yield fault(f"{least} must not be more than {most}", at)

    return rule


# ---- block elements --------------------------------------------------------------------------------

_WHOSE: dict[str, Rule] = {"may_action_id": ID}
_COMMON: dict[str, Rule] = {**_WHOSE, "may_confirm": CONFIRM, "may_focus_on_load": flag}
_HINTED: dict[str, Rule] = {**_COMMON, "may_placeholder": plain(150)}
_TYPED: dict[str, Rule] = {
    **_WHOSE,
    "may_focus_on_load": flag,
    "may_placeholder": plain(150),
    "may_dispatch_action_config": shape(
        trigger_actions_on=many(word("on_enter_pressed", "on_character_entered"), 1, 2)
    ),
}
_LISTED: dict[str, Rule] = {"may_options": many(OPTION, 1, 100), "may_option_groups": many(GROUP, 1, 100)}
_MANY: dict[str, Rule] = {"may_max_selected_items": whole(1, 100)}
_DECIMAL = text(40, 1, r"-?\d+(\.\d+)?")
_DATE = text(10, 10, r"\d{4}-\d\d-\d\d")
_TICKED: tuple[Rule, ...] = (_chosen_from_options, different_values)

ELEMENTS: dict[str, Rule] = {
    "button": shape(
        text=plain(75),
        may_url=URL,
        may_value=text(2000),
        may_style=word("primary", "danger"),
        may_accessibility_label=text(75),
        **_WHOSE,
        may_confirm=CONFIRM,
    ),
    "overflow": shape(
        options=many(shape(text=plain(75), value=text(150, 1), may_description=plain(75), may_url=URL), 1, 5),
        **_WHOSE,
        may_confirm=CONFIRM,
    ),
    "image": shape(image_url=URL, alt_text=text(2000, 1)),
    "static_select": shape(one_list, *_TICKED, **_HINTED, **_LISTED, may_initial_option=OPTION),
    "multi_static_select": shape(
        one_list, *_TICKED, **_HINTED, **_LISTED, **_MANY, may_initial_options=many(OPTION, 1, 100)
    ),
    "external_select": shape(**_HINTED, may_initial_option=OPTION, may_min_query_length=whole(0, 100)),
    "multi_external_select": shape(
        **_HINTED, **_MANY, may_initial_options=many(OPTION, 1, 100), may_min_query_length=whole(0, 100)
    ),
    "users_select": shape(**_HINTED, may_initial_user=ID),
    "conversations_select": shape(
        **_HINTED,
        may_initial_conversation=ID,
        may_default_to_current_conversation=flag,
        may_response_url_enabled=flag,
    ),
    "channels_select": shape(**_HINTED, may_initial_channel=ID, may_response_url_enabled=flag),
    "checkboxes": shape(
        *_TICKED, **_COMMON, options=many(RICH_OPTION, 1, 10), may_initial_options=many(RICH_OPTION, 1, 10)
    ),
    "radio_buttons": shape(*_TICKED, **_COMMON, options=many(RICH_OPTION, 1, 10), may_initial_option=RICH_OPTION),
    "datepicker": shape(**_HINTED, may_initial_date=_DATE),
    "timepicker": shape(**_HINTED, may_initial_time=text(5, 5, r"([01]\d|2[0-3]):[0-5]\d"), may_timezone=text(64)),
    "datetimepicker": shape(**_COMMON, may_initial_date_time=whole(10**9, 10**10 - 1)),
    "plain_text_input": shape(
        _in_order("min_length", "max_length"),
        **_TYPED,
        may_initial_value=text(3000),
        may_multiline=flag,
        may_min_length=whole(0, 3000),
        may_max_length=whole(1, 3000),
    ),
    "number_input": shape(
        _in_order("min_value", "max_value"),
        **_TYPED,
        is_decimal_allowed=flag,
        may_initial_value=_DECIMAL,
        may_min_value=_DECIMAL,
        may_max_value=_DECIMAL,
    ),
    "email_text_input": shape(**_TYPED, may_initial_value=text(3000)),
    "url_text_input": shape(**_TYPED, may_initial_value=text(3000)),
    "file_input": shape(**_WHOSE, may_filetypes=many(text(20, 1), 1, 50), may_max_files=whole(1, 10)),
}
_SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
_PICKERS = ("datepicker", "timepicker", "checkboxes", "radio_buttons")
_MULTI = ("multi_static_select", "multi_external_select")
_INPUTS = ("plain_text_input", "number_input", "email_text_input", "url_text_input", "file_input")
_ACTIONS = ("button", "overflow", "datetimepicker", *_SELECTS, *_PICKERS)

# ---- blocks ----------------------------------------------------------------------------------------

_STYLE = shape(may_bold=flag, may_italic=flag, may_strike=flag, may_code=flag)
_RUNS = many(
    kinds(
        {
            "text": shape(text=text(12_000, 1), may_style=_STYLE),
            "link": shape(url=URL, may_text=text(3000), may_unsafe=flag, may_style=_STYLE),
            "user": shape(user_id=ID, may_style=_STYLE),
            "channel": shape(channel_id=ID, may_style=_STYLE),
            "usergroup": shape(usergroup_id=ID, may_style=_STYLE),
            "emoji": shape(name=text(100, 1), may_unicode=text(100), may_skin_tone=whole(1, 6)),
            "broadcast": shape(range=word("here", "channel", "everyone")),
            "date": shape(timestamp=whole(0, 10**11), format=text(200, 1), may_url=URL, may_fallback=text(3000)),
        }
    ),
    0,
    1000,
)
_SECTION = shape(elements=_RUNS)
RICH_PARTS: dict[str, Rule] = {
    "rich_text_section": _SECTION,
    "rich_text_preformatted": shape(elements=_RUNS, may_border=whole(0, 1)),
    "rich_text_quote": shape(elements=_RUNS, may_border=whole(0, 1)),
    "rich_text_list": shape(
        elements=many(kinds({"rich_text_section": _SECTION}), 1, 1000),
        style=word("bullet", "ordered"),
        may_indent=whole(0, 8),
        may_offset=whole(0, 10_000),
        may_border=whole(0, 1),
    ),
}
_RICH = shape(elements=many(kinds(RICH_PARTS), 1, 1000), may_block_id=ID)
_CELL = kinds(
    {"raw_text": shape(text=text(TABLE_TEXT, 1)), "rich_text": shape(elements=many(kinds(RICH_PARTS), 1, 100))}
)


def _something_said(block: Json, at: str) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield fault("missing required field: text or fields", at)


def _square(block: Json, at: str) -> Iterator[str]:
    widths = {len(row) for row in block.get("rows") or [] if isinstance(row, list)}
    if len(widths) > 1:
        yield fault("every row must have as many cells", f"{at}/rows")


BLOCKS: dict[str, Rule] = {
    "section": shape(
        _something_said,
        may_text=either(3000),
        may_fields=many(either(2000), 1, 10),
        may_accessory=kinds(ELEMENTS, "image", "button", "overflow", *_SELECTS, *_MULTI, *_PICKERS),
        may_block_id=ID,
        may_expand=flag,
    ),
    "divider": shape(may_block_id=ID),
    "header": shape(text=plain(150), may_block_id=ID),
    "context": shape(
        elements=many(
            kinds(
                {
                    "image": ELEMENTS["image"],
                    "plain_text": shape(text=text(3000, 1), may_emoji=flag),
                    "mrkdwn": shape(text=text(3000, 1), may_verbatim=flag),
                }
            ),
            1,
            10,
        ),
        may_block_id=ID,
    ),
    "actions": shape(elements=many(kinds(ELEMENTS, *_ACTIONS), 1, 25), may_block_id=ID),
    "input": shape(
        label=plain(2000),
        element=kinds(ELEMENTS, *_INPUTS, *_SELECTS, *_MULTI, *_PICKERS, "datetimepicker"),
        may_hint=plain(2000),
        may_optional=flag,
        may_dispatch_action=flag,
        may_block_id=ID,
    ),
    "image": shape(image_url=URL, alt_text=text(2000, 1), may_title=plain(2000), may_block_id=ID),
    "rich_text": _RICH,
    "markdown": shape(text=text(MARKDOWN_TEXT, 1), may_block_id=ID),
    "table": shape(
        _square,
        rows=many(many(_CELL, 1, 20), 1, 100),
        may_column_settings=many(shape(may_align=word("left", "center", "right"), may_is_wrapped=flag), 0, 20),
        may_block_id=ID,
    ),
}
