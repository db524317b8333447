"""Form fields: what the .toml adds to a script's signature, or says alone for a shell script."""

from decimal import Decimal
from pathlib import Path

import pytest

from bot.core.parameter import Choice, Kind, Parameter
from tests.unit.catalog.laying import folder, python, shell, told

MAIN = "def main(account: str, days: int = 30, mode: Literal['a', 'b'] = 'a', flag: bool | None = None): ...\n"


def field(root: Path, name: str) -> Parameter:
    found = folder(root).action("greet").parameter(name)
    assert found is not None
    return found


def test_the_toml_adds_what_the_signature_can_not_say(tmp_path: Path) -> None:
    toml = """
        [parameters.account]
        label = "Sign-in name"
        help = "Whose?"
        pattern = "[a-z]+"
        min_length = 2
        max_length = 20
        [parameters.days]
        minimum = 1
        maximum = 90.5
        default = 7
        [parameters.mode]
        choices = [{value = "b", label = "Bee"}, "a"]
    """
    python(tmp_path, toml=toml, main=MAIN)
    assert field(tmp_path, "account") == Parameter(
        "account",
        Kind.STRING,
        "Sign-in name",
        "Whose?",
        required=True,
        pattern="[a-z]+",
        min_length=2,
        max_length=20,
    )
    days = field(tmp_path, "days")
    assert (days.default, days.minimum, days.maximum) == (7, Decimal(1), Decimal("90.5"))
    assert field(tmp_path, "mode").choices == (Choice("b", "Bee"), Choice("a", "a"))
    assert field(tmp_path, "flag") == Parameter("flag", Kind.BOOLEAN, "Flag")


@pytest.mark.parametrize(
    ("toml", "kind"),
    [
        ('kind = "text"', Kind.TEXT),
        ('kind = "secret"', Kind.SECRET),
        ('choices = ["a"]', Kind.CHOICE),
        ('choices_from = "greet"', Kind.CHOICE),
    ],
)
def test_a_str_may_be_shown_as_more_than_a_line_of_text(tmp_path: Path, toml: str, kind: Kind) -> None:
    python(tmp_path, toml=f"[parameters.account]\n{toml}", main=MAIN)
    assert field(tmp_path, "account").kind is kind


def test_a_default_in_the_toml_makes_a_field_optional_and_required_forgets_the_scripts_default(
    tmp_path: Path,
) -> None:
    toml = "[parameters.account]\ndefault = 'alice'\n[parameters.days]\nrequired = true\n"
    python(tmp_path, toml=toml, main=MAIN)
    account, days = field(tmp_path, "account"), field(tmp_path, "days")
    assert (account.required, account.default) == (False, "alice")
    assert (days.required, days.default) == (True, None)


def test_a_shell_script_has_the_fields_of_its_toml_in_their_order(tmp_path: Path) -> None:
    toml = """
        [parameters.lines]
        kind = "integer"
        default = 20
        [parameters.file_name]
        required = true
        [parameters.since]
        kind = "date"
        default = 2026-11-23
        [parameters.names]
        kind = "list"
        default = ["a", "b"]
        [parameters.level]
        choices = ["low", "high"]
        [parameters.note]
    """
    shell(tmp_path, toml=toml)
    found = folder(tmp_path).action("greet").parameters
    assert [(one.name, one.kind, one.required, one.default) for one in found] == [
        ("lines", Kind.INTEGER, False, 20),
        ("file_name", Kind.STRING, True, None),
        ("since", Kind.DATE, False, "2026-11-23"),
        ("names", Kind.LIST, False, ("a", "b")),
        ("level", Kind.CHOICE, False, None),
        ("note", Kind.STRING, False, None),
    ]


@pytest.mark.parametrize(
    ("name", "toml", "line", "words"),
    [
        ("days", 'kind = "string"', 4, "“kind” is string, but the script's own annotation makes it integer"),
        ("mode", 'kind = "string"', 4, "annotation makes it choice"),
        ("account", 'kind = "word"', 4, "“kind” takes string, text, integer"),
        ("account", 'kind = "choice"', 4, "“kind” is choice, which needs choices or choices_from"),
        ("account", 'lable = "x"', 4, "“lable” is no field of a parameter; did you mean “label”?"),
        ("account", 'pattern = "("', 4, "“pattern” isn't a regular expression"),
        ("days", 'pattern = "a"', 4, "“pattern” means nothing for the kind integer"),
        ("account", "minimum = 1", 4, "“minimum” means nothing for the kind string"),
        ("account", 'kind = "string"\nchoices = ["a"]', 5, "“choices” means nothing for the kind string"),
        ("account", 'kind = "secret"\ndefault = "x"', 5, "“default” means nothing for the kind secret"),
        ("days", "minimum = 9\nmaximum = 3", 4, "“minimum” is 9, more than maximum, which is 3"),
        ("days", "minimum = nan", 4, "“minimum” takes a number"),
        ("days", "minimum = 31", 3, "“default” doesn't fit: it must be at least 31"),
        ("days", 'default = "soon"', 4, "“default” doesn't fit: it takes a whole number"),
        ("account", 'pattern = "a"\ndefault = "b"', 5, "“default” doesn't fit: it doesn't fit the pattern a"),
        ("account", 'pattern = "a"\nchoices = ["b"]', 5, "“choices” doesn't fit the pattern a"),
        ("account", 'choices = ["a"]\nchoices_from = "greet"', 5, "“choices_from” can't stand beside"),
        ("mode", 'choices = ["a", "c"]', 4, "“choices” has c, but the script's own Literal takes a or b"),
        ("mode", 'choices_from = "greet"', 4, "“choices_from” can't stand beside"),
        ("account", "required = false", 4, "“required” is false, but the script's main has no default"),
        ("days", "required = true\ndefault = 3", 4, "“required” is true beside a default"),
        ("account", "max_length = -1", 4, "“max_length” takes a whole number from 0"),
    ],
)
def test_a_faulty_field_is_told_with_its_line_and_name(
    tmp_path: Path, name: str, toml: str, line: int, words: str
) -> None:
    python(tmp_path, toml=f"[parameters.{name}]\n{toml}\n", main=MAIN)
    (fault,) = told(tmp_path)
    assert fault.startswith(f"people/greet.toml:{line}: ")
    assert words in fault


def test_a_secret_with_a_default_in_the_script_is_a_fault(tmp_path: Path) -> None:
    python(tmp_path, toml="[parameters.x]\nkind = 'secret'\n", main="def main(x: str = 'abc'): ...")
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:4: “kind” is secret, but")


def test_X6_a_parameter_that_main_lacks_is_a_fault(tmp_path: Path) -> None:
    python(tmp_path, toml="[parameters.LD_PRELOAD]\ndefault = '/tmp/x.so'\n", main=MAIN)
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:3: “LD_PRELOAD” is no parameter of the script's main")


@pytest.mark.parametrize("name", ["PATH", "LD_PRELOAD", '"a b"', '"-x"', '"a=b"', '"ä"'])
def test_X6_a_shell_scripts_parameter_has_a_plain_name(tmp_path: Path, name: str) -> None:
    shell(tmp_path, toml=f"[parameters.{name}]\n")
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:3: ")
    assert "is no name for an input" in fault


def test_a_credential_chosen_by_the_requester_is_one_of_those_offered(tmp_path: Path) -> None:
    main = "def main(*, site: dict[str, str]): ..."
    python(tmp_path, toml='[parameters.site]\nchoices = ["vault:east", "vault:west"]\n', main=main)
    site = field(tmp_path, "site")
    assert (site.kind, site.required, len(site.choices)) == (Kind.CREDENTIAL, True, 2)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('label = "Site"', "“kind” is credential, which needs choices"),
        ('choices = ["east"]', "“choices” takes a vault reference"),
        ('kind = "string"', "annotation makes it credential"),
    ],
)
def test_a_credential_from_anywhere_is_never_a_field(tmp_path: Path, toml: str, words: str) -> None:
    python(tmp_path, toml=f"[parameters.site]\n{toml}\n", main="def main(*, site: dict[str, str]): ...")
    assert words in told(tmp_path)[0]
