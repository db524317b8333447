"""oncall.toml: who is on call when, and every slip named, so that nobody is on call by mistake."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.errors import Invalid
from bot.oncall.schedule import FILE, Schedule, read

TENANT = "AAAAAAAA-0000-4000-8000-000000000000"
OLU, EVA = (f"22222222-0000-4000-8000-00000000000{number}" for number in (3, 4))
TEXT = f"""
tenant = "{TENANT}"

[[shift]]
people = ["{OLU}"]
from = 2026-11-23T08:00:00Z
until = 2026-11-23T20:00:00+01:00

[[incident]]
name = "Mail is down"
from = 2026-11-23T09:00:00Z
"""


def written(path: Path, text: str) -> Schedule:
    """Write the file, and read it."""
    (path / FILE).write_text(text)
    return read(path / FILE)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC)


def test_people_are_on_call_by_tenant_and_object_id_during_their_shift(tmp_path: Path) -> None:
    schedule = written(tmp_path, TEXT)
    on_call = frozenset({f"{TENANT}/{OLU}".lower()})
    assert [schedule.people(moment) for moment in (at(7, 59), at(8), at(18, 59), at(19))] == [
        frozenset(),
        on_call,
        on_call,
        frozenset(),
    ]


def test_an_incident_is_open_until_its_end_is_written(tmp_path: Path) -> None:
    schedule = written(tmp_path, TEXT)
    assert [schedule.open_incident(moment) for moment in (at(8, 59), at(9), at(23))] == ["", *["Mail is down"] * 2]
    closed = written(tmp_path, f"{TEXT}until = 2026-11-23T10:00:00Z\n")
    assert closed.open_incident(at(10)) == ""


def test_without_a_file_nobody_is_on_call(tmp_path: Path) -> None:
    assert read(tmp_path / FILE) == Schedule()


@pytest.mark.parametrize(
    "address",
    ["https://rota.example.com/now?key=1", "http://127.0.0.1:8080/x", "http://[::1]/x", "http://localhost/"],
)
def test_a_source_is_asked_by_https_or_on_this_machine(tmp_path: Path, address: str) -> None:
    assert written(tmp_path, f'tenant = "{TENANT}"\non_call = "{address}"').on_call == address


@pytest.mark.parametrize(
    "address",
    [
        "http://rota.example.com/now",
        "http://169.254.169.254/latest",
        "http://localhost.example.com/",
        "http://127.0.0.1.example.com/",
        "https://ann:secret@rota.example.com/",
        "file:///etc/passwd",
        "ftp://rota.example.com",
        "https://",
        "https://[::1",
        "//rota.example.com",
    ],
)
def test_W4_no_other_address_is_taken(tmp_path: Path, address: str) -> None:
    for field in ("on_call", "incident"):
        with pytest.raises(Invalid, match=f"“{field}” takes an address like https"):
            written(tmp_path, f'tenant = "{TENANT}"\n{field} = "{address}"')


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (f'tenant = "{TENANT}"', "", "“tenant” takes the Entra tenant's id"),
        (TENANT, "example.com", "“tenant” takes the Entra tenant's id"),
        (OLU, "olu@example.com", "takes a list of Entra ID object ids"),
        ("people", "person", "“people” is missing"),
        ("until", "to", "“until” is missing"),
        ("2026-11-23T08:00:00Z", "2026-11-23T08:00:00", "a moment with its offset"),
        ("2026-11-23T08:00:00Z", "2026-11-24T08:00:00Z", "ends it before it begins"),
        ('name = "Mail is down"', 'name = ""', "takes a name in words"),
        ('name = "Mail is down"', 'name = "x"\nseverity = 1', "“severity” is unknown"),
        ("[[shift]]", "[shift]", "a table of its own"),
        ("[[incident]]", "[[outage]]", "“outage” is unknown"),
        ("tenant =", 'on_call = "https://rota.example.com"\ntenant =', "who is on call twice"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(Invalid, match=rf"oncall\.toml:\d+: .*({words})"):
        written(tmp_path, TEXT.replace(old, new, 1))


def test_every_slip_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    text = TEXT.replace(TENANT, "contoso").replace("people", "person").replace("Mail is down", "").replace("Z", "")
    with pytest.raises(Invalid) as caught:
        written(tmp_path, f'rota = 1\n{text}on_call = "x"\n\n[[incident]]\nname = "B"\n')
    assert [str(fault).partition("”")[0] for fault in (caught.value, *caught.value.others)] == [
        "oncall.toml:1: “rota",
        "oncall.toml:3: “tenant",
        *("oncall.toml:5: “people", "oncall.toml:6: “person", "oncall.toml:7: “from"),
        *("oncall.toml:11: “name", "oncall.toml:12: “from", "oncall.toml:13: “on_call"),
        "oncall.toml:15: “from",
    ]


def test_what_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    line = TEXT[: TEXT.index("[[shift]]")].count("\n") + 1
    with pytest.raises(Invalid, match=rf"oncall\.toml:{line}: This isn't valid TOML"):
        written(tmp_path, TEXT.replace("[[shift]]", "[[shift"))
