"""The file of people: who an account is, how an edit shows, and what is wrong with a line."""

from pathlib import Path

import pytest

from bot.core.errors import DeputyError, Invalid, Refused, Unavailable
from bot.core.principal import Account, Who
from bot.identity.linkfile import LinkFile, parse
from bot.identity.several import Several

TENANT = "00000000-0000-4000-8000-00000000d0d0"
HANNA = "22222222-0000-4000-8000-000000000001"
GROUP = "11111111-0000-4000-8000-000000000001"
PERSON = f"""
[[person]]
tenant = "{TENANT}"
id = "{HANNA}"
name = "Hanna Weber"
groups = ["{GROUP}"]
slack = "T0DEPUTY:U0HANNA"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.toml"
    path.write_text(PERSON)
    return path


def opened(file: Path) -> LinkFile:
    return LinkFile(file, frozenset)


async def test_an_account_is_who_the_file_says_with_the_roles_of_their_groups(file: Path) -> None:
    links = opened(file)
    principal = await links.principal(Account("slack", "T0DEPUTY:U0HANNA"))
    assert principal.who == Who(TENANT, HANNA)
    assert (principal.name, principal.roles) == ("Hanna Weber", {GROUP})
    assert (await links.live(Who(TENANT.upper(), HANNA))).roles == {GROUP}
    assert links.account("slack", principal.who.key) == "T0DEPUTY:U0HANNA"
    assert links.account("slack", "acme/nobody") == links.account("teams", principal.who.key) == ""


@pytest.mark.parametrize(
    "account",
    [
        Account("slack", "T0OTHER:U0HANNA"),
        Account("slack", "U0HANNA"),
        Account("slack", "Hanna Weber"),
        Account("slack", "t0deputy:u0hanna"),
        Account("teams", "T0DEPUTY:U0HANNA"),
        Account("local", "helpdesk"),
    ],
)
async def test_I7_an_account_that_is_not_in_the_file_is_nobody_and_told_what_to_do(
    file: Path, account: Account
) -> None:
    with pytest.raises(Refused, match=r"linked to nobody.*Ask the people who look after Deputy") as caught:
        await opened(file).principal(account)
    assert account.id in str(caught.value)


async def test_D1_an_edit_shows_at_once(file: Path) -> None:
    links, account = opened(file), Account("slack", "T0DEPUTY:U0HANNA")
    who = (await links.principal(account)).who
    file.write_text(PERSON.replace(f'"{GROUP}"', ""))
    assert (await links.live(who)).roles == frozenset()
    file.write_text("")
    with pytest.raises(Refused, match="Hanna Weber is no longer among the people"):
        await links.live(who)
    with pytest.raises(Refused):
        await links.principal(account)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[[person]]", "[[persons]]"), "people.toml:2: It holds people and nothing else"),
        (("[[person]]", "[person"), "people.toml:2: This isn't valid TOML"),
        (('name = "Hanna Weber"', ""), "people.toml:2: person 1, name: It is missing"),
        (
            ('name = "Hanna Weber"', 'e_mail = "h@example.com"'),
            "people.toml:5: person 1, e_mail: “e_mail” is unknown",
        ),
        ((f'id = "{HANNA}"', 'id = "hanna"'), "people.toml:4: person 1, id: “hanna” is no id of Entra ID"),
        (
            (f'groups = ["{GROUP}"]', 'groups = "helpdesk"'),
            "people.toml:6: person 1, groups: It takes a list of group ids",
        ),
        (
            (f'groups = ["{GROUP}"]', 'groups = ["helpdesk"]'),
            "people.toml:6: person 1, groups: It takes a list of group ids",
        ),
        (("T0DEPUTY:U0HANNA", "U0HANNA"), "people.toml:7: person 1, slack: It takes workspace and member id"),
        (
            ("T0DEPUTY:U0HANNA", "hanna@example.com"),
            "people.toml:7: person 1, slack: It takes workspace and member id",
        ),
        (("slack =", "slack = 5 #"), "people.toml:7: person 1, slack: It takes workspace and member id"),
    ],
)
async def test_D4_a_file_that_is_wrong_lets_nobody_do_anything_and_names_the_place(
    file: Path, change: tuple[str, str], words: str
) -> None:
    file.write_text(PERSON.replace(*change))
    for _ in range(2):
        with pytest.raises(Invalid) as caught:
            await opened(file).principal(Account("slack", "T0DEPUTY:U0HANNA"))
        assert words in str(caught.value)


@pytest.mark.parametrize("again", [PERSON, PERSON.replace(HANNA, GROUP), PERSON.replace("U0HANNA", "U0OTHER")])
def test_D2_nobody_and_no_account_is_in_it_twice(again: str) -> None:
    with pytest.raises(
        Invalid, match=r"people\.toml:9: person 2: Hanna Weber, or an account of theirs, is in it twice"
    ):
        parse(PERSON + again, "people.toml")


def test_every_fault_is_named_at_once_with_its_line() -> None:
    second = PERSON.replace(HANNA, GROUP).replace("T0DEPUTY:U0HANNA", "U0HANNA").replace("groups", "group")
    with pytest.raises(Invalid) as caught:
        parse(f"team = 1\n{PERSON.replace(TENANT, 'contoso')}{second}{PERSON}{PERSON}", "people.toml")
    assert [fault.where for fault in (caught.value, *caught.value.others)] == [
        "people.toml:1",
        "people.toml:4: person 1, tenant",
        "people.toml:14: person 2, group",
        "people.toml:15: person 2, slack",
        "people.toml:24: person 4",
    ]


@pytest.mark.parametrize("how", ["gone", "binary"])
async def test_D4_a_file_that_can_not_be_read_lets_nobody_do_anything(file: Path, how: str) -> None:
    links = opened(file)
    await links.principal(Account("slack", "T0DEPUTY:U0HANNA"))
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(b"\xff")
    with pytest.raises(Unavailable, match=r"Nobody is known: people.toml can't be read"):
        await links.principal(Account("slack", "T0DEPUTY:U0HANNA"))


async def test_several_directories_know_their_own_platforms_and_any_of_their_people(
    file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(PERSON.replace(HANNA, GROUP))
    both = Several({"slack": opened(file), "teams": opened(other)})
    assert (await both.principal(Account("slack", "T0DEPUTY:U0HANNA"))).who.oid == HANNA
    for oid in (HANNA, GROUP):
        assert (await both.live(Who(TENANT, oid))).who.oid == oid
    for failing in (both.principal(Account("irc", "hanna")), both.live(Who(TENANT, TENANT))):
        with pytest.raises(Refused):
            await failing
    other.unlink()
    with pytest.raises(DeputyError):
        await both.live(Who(TENANT, TENANT))
