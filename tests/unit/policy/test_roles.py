"""roles.toml: read, and every fault in it named by line and field."""

import pytest

from bot.core.errors import Invalid
from bot.policy import roles

GROUP = "11111111-0000-4000-8000-00000000000a"
OTHER = "11111111-0000-4000-8000-00000000000b"
TEXT = f"""# roles
[helpdesk]
title = "Helpdesk"
groups = ["{GROUP.upper()}"]
contact = "#it"

[manager]
title = "Managers"
groups = [
  "{OTHER}",
]
"""


def test_roles_come_with_title_groups_and_contact() -> None:
    found = roles.parse(TEXT)
    assert found["helpdesk"] == roles.Role("helpdesk", "Helpdesk", (GROUP,), "#it")
    assert found["manager"].contact == ""


def test_D6_groups_give_roles_whatever_their_case() -> None:
    found = roles.parse(TEXT)
    assert roles.held(found, [GROUP.upper(), "something else"]) == {"helpdesk"}
    assert roles.held(found, [GROUP, OTHER]) == {"helpdesk", "manager"}
    assert roles.held(found, []) == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        (OTHER, "the managers", "roles.toml:9", "[manager] groups takes object ids (GUIDs)"),
        (OTHER, GROUP, "roles.toml:9", "one group gives one role"),
        (f'"{OTHER}",', f'"{OTHER}", "{OTHER.upper()}"', "roles.toml:9", "one group gives one role"),
        ('contact = "#it"', 'contract = "#it"', "roles.toml:5", "[helpdesk] contract is unknown"),
        ('contact = "#it"', "contact = 5", "roles.toml:5", "[helpdesk] contact takes text"),
        ('title = "Managers"', "", "roles.toml:7", "[manager] title is missing"),
        (f'groups = ["{GROUP.upper()}"]', "groups = []", "roles.toml:4", "[helpdesk] groups takes a list"),
        ('contact = "#it"', 'guests = "yes"', "roles.toml:5", "[helpdesk] guests takes true or false"),
        ("# roles", "spare = 1", "roles.toml:1", "outside every role"),
        ("[manager]", "[helpdesk]", "roles.toml:7", "This isn't valid TOML"),
    ],
)
def test_a_fault_names_line_and_field(old: str, new: str, where: str, words: str) -> None:
    with pytest.raises(Invalid) as fault:
        roles.parse(TEXT.replace(old, new))
    assert fault.value.where == where
    assert words in fault.value.sentence


def test_every_fault_of_every_role_is_named_at_once() -> None:
    text = TEXT.replace('contact = "#it"', "contact = 5\nguests = 1").replace(f'"{OTHER}"', f'"x", "{GROUP}"')
    with pytest.raises(Invalid) as fault:
        roles.parse(text.replace('title = "Managers"', "title = 1"))
    assert [one.where for one in (fault.value, *fault.value.others)] == [
        *("roles.toml:5", "roles.toml:6", "roles.toml:9", "roles.toml:10", "roles.toml:10")
    ]


def test_I7_guests_hold_only_what_guests_may() -> None:
    found = roles.parse(TEXT.replace('title = "Managers"', 'title = "Managers"\nguests = true'))
    assert roles.held(found, [GROUP, OTHER], guest=True) == {"manager"}
    assert roles.held(found, [GROUP, OTHER]) == {"helpdesk", "manager"}


def test_no_role_at_all_is_a_fault() -> None:
    with pytest.raises(Invalid, match="names no role"):
        roles.parse("# nothing\n")
