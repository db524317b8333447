"""What Slack takes as a message or a view, and what it calls illegal.

`message_faults(…)`, `view_faults(…)` and `options_faults(…)` return sentences like Slack's own, each ending in a
JSON pointer; none where it is legal. Where Slack's reference is unclear, the stricter reading is taken here:
`too_long(…)` has no number in the reference, but messages over 13,200 bytes of blocks were seen to be refused.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from tests.fakes.slack_blocks import (
    BLOCKS,
    GROUP,
    MARKDOWN_TEXT,
    OPTION,
    TABLE_TEXT,
    Json,
    different_values,
    one_list,
)
from tests.fakes.slack_rules import Rule, fault, flag, kinds, many, plain, shape, text

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MESSAGE_TEXT = 40_000  # characters of `text`
VIEW_BYTES = 250_000  # of a view as JSON
MESSAGE_BYTES = 13_000  # of all blocks but tables together, as JSON; beyond that: msg_blocks_too_long

_EVERYWHERE = ("section", "divider", "header", "context", "actions", "input", "image", "rich_text")
_MESSAGE = kinds(BLOCKS, *_EVERYWHERE, "markdown", "table")
_VIEW = kinds(BLOCKS, *_EVERYWHERE)


def message_faults(blocks: Any) -> list[str]:
    """Return what is illegal in a message's blocks."""
    faults = list(many(_MESSAGE, 0, MESSAGE_BLOCKS)(blocks, "/blocks"))
    if faults:
        return faults
    tables = [block for block in blocks if block["type"] == "table"]
    if len(tables) > 1:
        faults.append(fault("only_one_table_allowed", "/blocks"))
    if sum(map(_length, tables)) > TABLE_TEXT:
        faults.append(fault(f"a table must be less than {TABLE_TEXT + 1} characters", "/blocks"))
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_TEXT:
        faults.append(fault(f"markdown must be less than {MARKDOWN_TEXT + 1} characters", "/blocks"))
    return [*faults, *_repeated(blocks, "/blocks")]


def too_long(blocks: Sequence[Json]) -> bool:
    """Say whether a message's blocks hold more than Slack takes altogether."""
    counted = [block for block in blocks if block["type"] != "table"]
    return _bytes(counted) > MESSAGE_BYTES


def view_faults(view: Any) -> list[str]:
    """Return what is illegal in a modal or a Home tab."""
    named: dict[str, Rule] = {
        "blocks": many(_VIEW, 0, VIEW_BLOCKS),
        "may_private_metadata": text(3000),
        "may_callback_id": text(255),
        "may_external_id": text(255),
    }
    modal = shape(
        title=plain(24),
        may_submit=plain(24),
        may_close=plain(24),
        may_clear_on_close=flag,
        may_notify_on_close=flag,
        may_submit_disabled=flag,
        **named,
    )
    faults = list(kinds({"modal": modal, "home": shape(**named)})(view, "/view"))
    if faults:
        return faults
    if view["type"] == "modal" and "submit" not in view and any(one["type"] == "input" for one in view["blocks"]):
        faults.append(fault("missing required field: submit, for there are inputs", "/view"))
    if _bytes(view) > VIEW_BYTES:
        faults.append(fault("view_too_large", "/view"))
    focused = [element for _, element in elements(view["blocks"]) if element.get("focus_on_load")]
    if len(focused) > 1:
        faults.append(fault("only one element may have focus_on_load", "/view/blocks"))
    return [*faults, *_repeated(view["blocks"], "/view/blocks")]


def options_faults(answer: Any) -> list[str]:
    """Return what is illegal in the answer to a block suggestion; no options at all are legal."""
    shaped = shape(may_options=many(OPTION, 0, 100), may_option_groups=many(GROUP, 0, 100))
    return list(shaped(answer, "")) or list(one_list(answer, "")) or list(different_values(answer, ""))


def elements(blocks: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield every interactive element with its block."""
    for block in blocks:
        held = [block.get("accessory"), block.get("element")]
        held += block.get("elements", []) if block["type"] == "actions" else []
        yield from ((block, one) for one in held if one and one["type"] != "image")


def _repeated(blocks: Sequence[Json], at: str) -> Iterator[str]:
    named = Counter(block["block_id"] for block in blocks if "block_id" in block)
    yield from (fault(f"block_id already exists: {one}", at) for one, times in named.items() if times > 1)
    for place, block in enumerate(blocks):
        ids = Counter(one["action_id"] for _, one in elements([block]) if "action_id" in one)
        again = [one for one, times in ids.items() if times > 1]
        yield from (fault(f"action_id already exists: {one}", f"{at}/{place}") for one in again)


def _length(value: Any) -> int:
    """Count the characters of every text that is shown."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_length(one) for one in value.values() if not isinstance(one, str))
    return sum(map(_length, value)) if isinstance(value, list) else 0


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
