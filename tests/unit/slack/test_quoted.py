"""What a message says that somebody runs an action on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.slack.quoted import words

ALERT = {
    "fallback": "web-3 is down",
    "pretext": "Alert",
    "title": "Disk is full",
    "title_link": "https://monitoring.example.com/1",
    "fields": [{"title": "Host", "value": "web-3", "short": True}],
    "footer": "Monitoring",
}
BLOCKS = [
    {"type": "header", "text": {"type": "plain_text", "text": "Disk is full"}},
    {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Host*"}, {"type": "mrkdwn", "text": "web-3"}]},
    {"type": "actions", "elements": [{"type": "button", "text": {"text": "Silence"}, "value": "s-1"}]},
    {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": one} for one in ("Since:", " now")],
            }
        ],
    },
]

NAMED = (("Requester", "hanna"), ("Account", "hanna"), ("Manager", ""), ("Site", "Berlin"))
SAME = {"fields": [{"title": title, "value": value} for title, value in NAMED]}
UNFURLED = {"from_url": "https://x.example", "title": "Account: root", "text": "Account: root"}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"text": "alice can't sign in"}, "alice can't sign in"),
        ({"text": "alice", "blocks": BLOCKS}, "alice"),
        ({"text": "", "attachments": [ALERT]}, "Alert\nDisk is full\nHost: web-3"),
        ({"attachments": [SAME]}, "Requester: hanna\nAccount: hanna\nManager: \nSite: Berlin"),
        ({"text": "see https://x.example", "attachments": [UNFURLED]}, "see https://x.example"),
        ({"text": "shown nowhere", "bot_id": "B1", "blocks": BLOCKS[:1]}, "Disk is full"),
        ({"text": "Disk is full", "bot_id": "B1"}, "Disk is full"),
        ({"text": "", "attachments": [{"fallback": "web-3 is down"}]}, "web-3 is down"),
        ({"text": "Disk is full", "bot_id": "B1", "blocks": BLOCKS}, "Disk is full\n*Host*\nweb-3\nSince: now"),
        ({"blocks": BLOCKS[1:2]}, "*Host*\nweb-3"),
        ({"attachments": [{"color": "f00", "blocks": BLOCKS[:1]}]}, "Disk is full"),
        ({}, ""),
    ],
)
def test_a_persons_text_and_all_parts_of_an_alert_are_its_words(message: dict[str, Any], said: str) -> None:
    assert words(message) == said


JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*ALERT, "text", "blocks", "type"]), inner),
)


@given(st.dictionaries(st.sampled_from(["text", "bot_id", "blocks", "attachments"]), JSON))
def test_whatever_a_message_holds_its_words_are_text(message: dict[str, Any]) -> None:
    assert isinstance(words(message), str)
