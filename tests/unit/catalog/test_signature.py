"""The form that the signature of `main` makes."""

from decimal import Decimal
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog.signature import Signature, read
from bot.core.errors import Invalid
from bot.core.parameter import Kind


def signature(parameters: str) -> Signature:
    return read("people/greet.py", f"def main({parameters}):\n    pass\n".encode())


@pytest.mark.parametrize(
    ("written", "kind", "required", "default"),
    [
        ("x: str", Kind.STRING, True, None),
        ("x: int = 30", Kind.INTEGER, False, 30),
        ("x: int = -3", Kind.INTEGER, False, -3),
        ("x: float = 0.5", Kind.NUMBER, False, "0.5"),
        ("x: Decimal = Decimal('1.50')", Kind.NUMBER, False, "1.5"),
        ("x: decimal.Decimal = decimal.Decimal(2)", Kind.NUMBER, False, "2"),
        ("x: bool", Kind.BOOLEAN, True, None),
        ("x: 'bool'", Kind.BOOLEAN, True, None),
        ("x: bool = False", Kind.BOOLEAN, False, False),
        ("x: bool | None = None", Kind.BOOLEAN, False, None),
        ("x: str | None = None", Kind.STRING, False, None),
        ("x: None | str = None", Kind.STRING, False, None),
        ("x: Optional[str] = None", Kind.STRING, False, None),
        ("x: 'str | None' = None", Kind.STRING, False, None),
        ("x: str | None", Kind.STRING, True, None),
        ("x: str = ''", Kind.STRING, False, None),
        ("x: list[str]", Kind.LIST, True, None),
        ("x: list[str] = ('a', 'b')", Kind.LIST, False, ("a", "b")),
        ("x: list[str] | None = None", Kind.LIST, False, None),
        ("x: date = date(2026, 11, 23)", Kind.DATE, False, "2026-11-23"),
        ("x: datetime.date | None = None", Kind.DATE, False, None),
        ("x: datetime", Kind.DATETIME, True, None),
        ("x: datetime.datetime", Kind.DATETIME, True, None),
        ("*, x: dict[str, str]", Kind.CREDENTIAL, True, None),
        ("*, x: Mapping[str, str]", Kind.CREDENTIAL, True, None),
    ],
)
def test_an_annotation_and_a_default_make_a_field(
    written: str, kind: Kind, required: bool, default: object
) -> None:
    found = signature(written)
    assert found.faults == ()
    (field,) = found.parameters
    assert (field.name, field.kind, field.required, field.default) == ("x", kind, required, default)


def test_a_literal_is_a_choice() -> None:
    (field,) = signature("x: Literal['b', 'a', 'b'] | None = 'a'").parameters
    assert [choice.value for choice in field.choices] == ["b", "a"]
    assert (field.kind, field.default) == (Kind.CHOICE, "a")


def test_fields_keep_the_order_of_the_signature_and_take_label_and_help_from_it() -> None:
    found = read(
        "people/greet.py",
        dedent('''\
            def main(account: str, max_count: int = 3, *, note: str | None = None) -> None:
                """Greet.

                Args:
                    account: Whom to greet. In full.
                    max_count: How often.
                """
        ''').encode(),
    )
    assert [(one.name, one.label, one.help) for one in found.parameters] == [
        ("account", "Account", "Whom to greet."),
        ("max_count", "Max count", "How often."),
        ("note", "Note", ""),
    ]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("x", "“x” has no annotation"),
        ("x: bytes", "annotation “bytes”"),
        ("x: list[int]", "annotation “list[int]”"),
        ("x: list", "annotation “list”"),
        ("x: dict[str, int]", "annotation “dict[str, int]”"),
        ("x: bool | None", "“x” may be None but has no default"),
        ("x: 'bool | None'", "write “x: bool | None = None”, or “x: bool” where"),
        ("*, x: Optional[bool]", "write “x: bool | None = None”, or “x: bool” where"),
        ("x: str | int", "annotation “str | int”"),
        ("x: Literal[1, 2]", "has the choice 1"),
        ("x: Literal['']", "has the choice ''"),
        ("x: 'str |'", "isn't valid Python"),
        ("x: int = DAYS", "default “DAYS”"),
        ("x: int = days()", "default “days()”"),
        ("x: Decimal = Decimal('many')", "default “Decimal('many')”"),
        ("x: int = 2.5", "it takes a whole number"),
        ("x: Literal['a'] = 'b'", "it takes one of a"),
        ("x: str = b'raw'", "it takes text"),
        ("*, x: dict[str, str] = {}", "it takes text"),
        ("*names: str", "“*names” can't be shown as a form"),
        ("**names: str", "“**names” can't be shown as a form"),
        ("x: str, /", "can't be given by name"),
    ],
)
def test_what_no_form_can_show_is_a_fault_at_its_line(written: str, words: str) -> None:
    (fault,) = signature(written).faults
    assert words in str(fault)
    assert fault.where == "people/greet.py:1"


def test_each_faulty_parameter_is_told_at_its_own_line_and_the_good_ones_stay() -> None:
    found = read("a/b.py", b"def main(\n    good: str,\n    bad: bytes,\n    worse: set,\n) -> None: ...\n")
    assert [fault.where for fault in found.faults] == ["a/b.py:3", "a/b.py:4"]
    assert [one.name for one in found.parameters] == ["good"]
    assert found.broken == {"bad", "worse"}


@pytest.mark.parametrize(
    ("source", "where", "words"),
    [
        ("x = 1\n", "a.py:1", "no “def main"),
        ("class A:\n    def main(self): ...\n", "a.py:1", "no “def main"),
        ("x = 1\nasync def main(): ...\n", "a.py:2", "is async"),
        ("x = 1\ndef main(:\n", "a.py:2", "isn't valid Python"),
        ("x = '\0'", "a.py:1", "Python"),
        ("def main(x: str = " + "(" * 10_000, "a.py:1", "Python"),
        ("def main(x: " + " | ".join(["None"] * 3_000) + "): ...", "a.py:1", "Python"),
    ],
    ids=["empty", "method", "async", "broken", "null", "parentheses", "deep"],
)
def test_a_script_without_a_readable_main_is_refused(source: str, where: str, words: str) -> None:
    with pytest.raises(Invalid) as caught:
        read("a.py", source.encode())
    assert caught.value.where == where
    assert words in str(caught.value)


def test_of_two_mains_the_last_counts_as_in_python() -> None:
    found = read("a.py", b"def main(x: str): ...\ndef main(y: str): ...\n")
    assert [one.name for one in found.parameters] == ["y"]


def test_reading_never_runs_the_script(tmp_path_factory: pytest.TempPathFactory) -> None:
    mark = tmp_path_factory.mktemp("ran") / "mark"
    source = f"open({str(mark)!r}, 'w')\ndef main(x: int = open({str(mark)!r}, 'w')): ...\n"
    assert read("a.py", source.encode()).broken == {"x"}
    assert not mark.exists()


@given(st.text())
def test_any_text_as_parameters_is_read_or_refused(text: str) -> None:
    try:
        found = signature(text)
    except Invalid as fault:
        assert fault.where.startswith("people/greet.py:")
    else:
        assert all(one.label is not None for one in found.parameters)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4))
def test_a_number_default_is_kept_exactly(number: Decimal) -> None:
    (field,) = signature(f"x: Decimal = Decimal('{number}')").parameters
    assert Decimal(str(field.default)) == number
