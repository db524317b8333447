"""The Cedar schema: whatever is wrong in it is named with its line, though Cedar knows none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import Invalid
from bot.policy import schema
from tests.unit.policy.samples import SHIPPED

TEXT = """// A comment with `{`, String and run.
namespace Deputy {
  entity Role;
  entity Person in [Role];
  entity Script {
    risk: String,
    target: String,
  };
  action run appliesTo { principal: [Person], resource: [Script], context: {} };
}
"""


def lines(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        schema.parse(text)
    return [fault.where for fault in (caught.value, *caught.value.others)]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("entity Role", "entiti Role", 3),
        ("namespace Deputy {", "namespace Deputy {{", 2),
        ("entity Script {", "entity Script {{", 5),
        ("risk: String", "risk  String", 6),
        ("target: String", "target: Strng", 7),
        ("target: String,\n  };", "target: String,\n", 9),
        ("[Role]", "[Rolle]", 4),
        ("entity Role;", "entity Role; entity Person;", 4),
        ("resource: [Script], ", "", 9),
        ("principal: [Person]", "principal: []", 9),
        ("action run", "action run in [all]", 9),
        ("entity Role;", "entity Role;\n  type Level = Level;", 4),
        ("entity Role;", "entity Role; /", 3),
        ("{} };\n}", "{} };\n}\n}", 11),
        ("{} };\n}", "{} };", 9),
    ],
)
def test_a_slip_is_named_with_its_line(old: str, new: str, line: int) -> None:
    schema.parse(TEXT)
    assert old in TEXT
    assert lines(TEXT.replace(old, new, 1)) == [f"{schema.FILE}:{line}"]


def test_every_name_that_is_not_known_is_a_fault_of_its_own() -> None:
    text = TEXT.replace("risk: String", "risk: Strng").replace("[Role]", "[Rolle]").replace("[Person]", "[People]")
    assert sorted(lines(text)) == [f"{schema.FILE}:{line}" for line in (4, 6, 9)]


@given(st.data())
def test_whatever_is_cut_out_of_it_is_read_or_named(data: st.DataObject) -> None:
    text = (SHIPPED / schema.FILE).read_text()[-1500:] if data.draw(st.booleans()) else TEXT
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    cut = text[:start] + data.draw(st.sampled_from(["", "\x00", '"', "\u00a0", "}"])) + text[end:]
    try:
        schema.parse(cut)
    except Invalid as fault:
        assert int(fault.where.rpartition(":")[2]) <= cut.count("\n") + 1
