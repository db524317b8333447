"""The folder of policies: all of it holds, or the first fault is named by file and line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import Invalid
from bot.policy import rules
from tests.unit.policy.samples import PERMIT_ALL, SHIPPED, folder


def test_the_shipped_policies_hold_and_each_says_why() -> None:
    book = rules.load(SHIPPED)
    assert set(book.roles) == {"helpdesk", "manager", "oncall", "engineer"}
    assert all(rule.reason.endswith(".") for rule in book.rules.values())


def test_a_policy_knows_its_file_and_line(tmp_path: Path) -> None:
    text = (
        '// a comment; with a semicolon\n\n@id("a")\n@reason("one; two // three")\n' + PERMIT_ALL.split(" ", 1)[1]
    )
    rule = rules.load(folder(tmp_path, text)).rules["a"]
    assert (rule.where, rule.reason) == ("0.cedar:3", "one; two // three")


ROLE = '(principal in Deputy::Role::"{}", action == Deputy::Action::"run", resource)'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("permit (principal, action, resource) when { x y };", "Cedar can't read the policy"),
        ("permit (principal, action, resource)", "Cedar can't read the policy"),
        ("permit (principal, action, resource);", "has no name"),
        ('@id("") permit (principal, action, resource);', "has no name"),
        ('@id("first") permit (principal, action, resource);', "“first” is taken: it stands in 0.cedar:1"),
        ('@id("x") forbid (principal, action, resource);', "forbids without a word"),
        ('@id("x") permit (principal, action, resource) when { resource.rsik == "read" };', "attribute `rsik`"),
        ('@id("x") permit (principal, action == Deputy::Action::"fly", resource);', "fly"),
        ('@id("x") permit (principal == ?principal, action, resource);', "open slot"),
        (f'@id("x") permit {ROLE.format("boss")};', "the role “boss”, which roles.toml doesn't know"),
        (
            '@id("x") permit (principal, action == Deputy::Action::"run", resource)\n'
            'when { context.arguments.numbers.getTag("days") < 9 };',
            "unable to guarantee safety of access to tag",
        ),
    ],
)
def test_a_fault_names_file_and_line(tmp_path: Path, text: str, words: str) -> None:
    first = PERMIT_ALL.replace("all", "first")
    with pytest.raises(Invalid) as fault:
        rules.load(folder(tmp_path, f"{first}\n\n\n{text}\n"))
    assert fault.value.where == "0.cedar:4"
    assert words in fault.value.sentence


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("schema__cedarschema", "namespace Deputy {", "schema.cedarschema:1: Cedar can't read it"),
        ("a__cedar", "", "It holds no policy"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, file: str, content: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        rules.load(folder(tmp_path, **{file: content}))


@pytest.mark.parametrize("name", ["schema.cedarschema", "roles.toml"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (folder(tmp_path, PERMIT_ALL) / name).unlink()
    with pytest.raises(Invalid, match=f"{name}: This file is missing"):
        rules.load(tmp_path)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (folder(tmp_path, PERMIT_ALL) / "b.cedar").write_bytes(b"// one\n// \xff\n")
    with pytest.raises(Invalid, match=r"b\.cedar:2: It is not UTF-8"):
        rules.load(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="The folder of policies can't be read"):
        rules.load(tmp_path / "nowhere")


def test_hidden_files_and_cases_decide_nothing(tmp_path: Path) -> None:
    before = rules.load(folder(tmp_path, PERMIT_ALL)).version
    (tmp_path / ".#0.cedar").write_text("left by an editor")
    (tmp_path / "cases.toml").write_text("[[case]]")
    assert rules.load(tmp_path).version == before


def test_names_and_bytes_make_the_version(tmp_path: Path) -> None:
    versions = {rules.load(folder(tmp_path, PERMIT_ALL)).version}
    (tmp_path / "0.cedar").rename(tmp_path / "1.cedar")
    versions.add(rules.load(tmp_path).version)
    (tmp_path / "1.cedar").write_text(PERMIT_ALL + "\n")
    versions.add(rules.load(tmp_path).version)
    (tmp_path / "roles.toml").write_text((tmp_path / "roles.toml").read_text() + "\n# more\n")
    versions.add(rules.load(tmp_path).version)
    assert len(versions) == 4
    assert all(len(version) == 64 for version in versions)


TEXTS = st.text(st.sampled_from('a"\\/;\n '), max_size=12)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
def test_policies_are_cut_where_they_end_whatever_strings_and_comments_hold(pieces: list[tuple[str, str]]) -> None:
    written = [
        '"' + string.replace("\\", "\\\\").replace('"', '\\"') + '" // ' + comment.replace("\n", "") + "\nend;"
        for string, comment in pieces
    ]
    cut = [statement for _, statement in rules.statements("\n// between;\n".join(written))]
    assert cut == written
