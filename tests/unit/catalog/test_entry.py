"""One action: its .toml, its scripts, and every fault in them."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.catalog.entry import load
from bot.catalog.files import LARGEST, Snapshot
from bot.core.action import Risk
from bot.core.command import VERBS
from tests.unit.catalog.laying import MAIN, PLAIN, folder, lay, python, shell, told

BOUND = "def main(account: str, *, directory: dict[str, str]): ...\n"


def test_everything_a_toml_can_say_is_read(tmp_path: Path) -> None:
    toml = """
        title = "Say hello"
        script = "other.py"
        runner = "local"
        target = "this machine"
        timeout = 5
        idempotent = true
        private = true
        minutes_saved = 3
        locks = ["account:{account}", "all"]
        verify = "greet.verify.py"
        libraries = ["_lib/directory.py", "../common/words.py"]
        [credentials]
        directory = "vault:ad/operator"
    """
    lay(tmp_path, "people/greet.toml", PLAIN + "\n".join(row.strip() for row in toml.splitlines()))
    lay(tmp_path, "people/other.py", BOUND)
    lay(tmp_path, "people/greet.verify.py", "def main(*, directory: dict[str, str]): ...")
    lay(tmp_path, "people/_lib/directory.py", "x = 1")
    lay(tmp_path, "common/words.py", "y = 1")
    action = folder(tmp_path).action("greet")
    assert (action.id, action.category, action.path) == ("greet", "people", "people/greet.toml")
    assert (action.title, action.summary, action.risk) == ("Say hello", "Says hello.", Risk.READ)
    assert (action.runner, action.target, action.timeout, action.minutes_saved) == (
        "local",
        "this machine",
        5.0,
        3,
    )
    assert (action.idempotent, action.private) == (True, True)
    assert action.locks == ("account:{account}", "all")
    assert action.credentials == {"directory": "vault:ad/operator"}
    assert [one.name for one in action.parameters] == ["account"]
    assert [one.name for one in action.scripts] == ["other.py", "directory.py", "words.py", "greet.verify.py"]
    assert action.script.content == BOUND.encode()


def test_what_a_toml_leaves_out_has_plain_defaults(tmp_path: Path) -> None:
    python(tmp_path, "unlock-account")
    action = folder(tmp_path).action("unlock-account")
    assert (action.title, action.timeout, action.script.name) == ("Unlock account", 60.0, "unlock-account.py")
    assert (action.locks, action.libraries, action.verify, action.credentials) == ((), (), None, {})
    assert (action.idempotent, action.private, action.minutes_saved) == (False, False, 0)


@pytest.mark.parametrize(
    ("toml", "line", "words"),
    [
        ("sumary = 'x'", 3, "“sumary” is no field of an action; did you mean “summary”?"),
        ("colour = 'x'", 3, "“colour” is no field of an action; the fields are summary, risk"),
        ("timeout = 0", 3, "“timeout” takes a whole number from 1 to 86400, not 0"),
        ("timeout = 86401", 3, "“timeout” takes"),
        ("idempotent = 'yes'", 3, "“idempotent” takes true or false"),
        ("minutes_saved = -1", 3, "“minutes_saved” takes"),
        ("title = ''", 3, "“title” takes one line of text"),
        ("runner = 'ssh'", 3, "“runner” takes local"),
        ("parameters = 5", 3, "“parameters” takes a table"),
        ("script = 'greet.exe'", 3, "“script” takes a file ending in .py or .sh"),
        ("script = 'gone.py'", 3, "“script” names “gone.py”, which isn't there"),
        ("verify = 'greet.sh'", 3, "“verify” takes a file ending in .py"),
        ("libraries = ['gone.py']", 3, "“libraries” names “gone.py”, which isn't there"),
        ("libraries = ['../people/greet.py']", 3, "“greet.py” is the name of two of this action's files"),
        ("locks = ['a:{who}']", 3, "“locks” has 'a:{who}', which names “who”, but the action has no such"),
        ("locks = ['a:{account.__class__}']", 3, "may hold names in braces only"),
        ("locks = ['a:{}']", 3, "may hold names in braces only"),
        ("locks = ['a:{account']", 3, "“locks” has 'a:{account', which expected '}'"),
        ("locks = ['a:{note}']", 3, "which may be left blank"),
    ],
)
def test_a_faulty_field_is_told_with_its_line_and_name(tmp_path: Path, toml: str, line: int, words: str) -> None:
    python(tmp_path, toml=toml, main="def main(account: str, note: str | None = None): ...")
    (fault,) = told(tmp_path)
    assert fault.startswith(f"people/greet.toml:{line}: ")
    assert words in fault


@pytest.mark.parametrize(
    ("toml", "line", "words"),
    [
        ("", 1, "“credentials” doesn't bind “directory”, which the script's main takes"),
        ("directory = 'secret'", 4, "“directory” takes a vault reference like “vault:directory”, not 'secret'"),
        ("directory = 'vault:x'\nother = 'vault:x'", 5, "“other” is no parameter of the script's main"),
        ("directory = 'vault:x'\naccount = 'vault:x'", 5, "“account” comes as a table of fields; annotate it"),
        ("directory = 'vault:x'\n[parameters.directory]", 5, "“directory” is bound to a credential"),
        ("directory = 'vault:x'\n[parameters]\ndirectory.label = 'x'", 6, "“directory” is bound to a credential"),
    ],
)
def test_a_credential_and_main_must_agree(tmp_path: Path, toml: str, line: int, words: str) -> None:
    python(tmp_path, toml=f"[credentials]\n{toml}\n" if toml else "", main=BOUND)
    (fault,) = told(tmp_path)
    assert fault.startswith(f"people/greet.toml:{line}: ")
    assert words in fault


def test_a_lock_is_shown_so_it_names_no_secret_and_no_credential(tmp_path: Path) -> None:
    toml = """
        locks = ["{word}", "{directory}"]
        [credentials]
        directory = "vault:x"
        [parameters.word]
        kind = "secret"
    """
    python(tmp_path, toml=toml, main="def main(word: str, *, directory: dict[str, str]): ...")
    secret, credential = told(tmp_path)
    assert "names “word”, a secret" in secret
    assert "names “directory”, but the action has no such parameter" in credential


@pytest.mark.parametrize("target", ["'web1, web2'", "'*'", "['web1', 'web2']", "'web1'", "''"])
def test_X5_a_batch_of_targets_or_another_target_is_a_fault(tmp_path: Path, target: str) -> None:
    python(tmp_path, toml=f"target = {target}")
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:3: “target” takes this machine, not ")


@pytest.mark.parametrize(("toml", "key"), [("risk = 'read'", "summary"), ("summary = 'a'", "risk")])
def test_summary_and_risk_must_be_there(tmp_path: Path, toml: str, key: str) -> None:
    lay(tmp_path, "people/greet.py", MAIN)
    lay(tmp_path, "people/greet.toml", toml)
    (fault,) = told(tmp_path)
    assert fault.startswith(f"people/greet.toml:1: “{key}” is missing; it takes ")


def test_all_faults_of_an_action_are_told_at_once_also_those_in_its_scripts(tmp_path: Path) -> None:
    toml = "timeout = 0\nverify = 'check.py'\nlocks = ['{who}']\n[parameters.days]\nminimum = 'x'\n"
    python(tmp_path, toml=toml, main="def main(\n    days: int,\n    raw: bytes,\n): ...")
    lay(tmp_path, "people/check.py", "def main(*days: int): ...")
    assert sorted(fault.split(": ")[0] for fault in told(tmp_path)) == [
        "people/check.py:1",
        "people/greet.py:3",
        "people/greet.toml:3",
        "people/greet.toml:5",
        "people/greet.toml:7",
    ]


@pytest.mark.parametrize(
    ("main", "words"),
    [
        ("main(account: str, *, directory: dict[str, str])", ""),
        ("main(mode: str, note: str | None = None)", ""),
        ("main()", ""),
        ("main(days: int)", "takes “days”, which the action doesn't have"),
        ("main(account: int)", "takes “account” as integer, but the action's is string"),
        ("main(note: str)", "takes “note”, which may be left blank"),
        ("main(directory: str)", "takes “directory”, a credential, as something else than dict[str, str]"),
        ("main(*, other: dict[str, str])", "takes “other”, which the action doesn't have"),
    ],
)
def test_a_verify_script_takes_no_more_than_the_action_has(tmp_path: Path, main: str, words: str) -> None:
    toml = "verify = 'greet.verify.py'\n[credentials]\ndirectory = 'vault:x'\n"
    own = "account: str, mode: Literal['a'] = 'a', note: str | None = None, *, directory: dict[str, str]"
    python(tmp_path, toml=toml, main=f"def main({own}): ...")
    lay(tmp_path, "people/greet.verify.py", f"def {main}: ...")
    faults = told(tmp_path)
    assert len(faults) == (1 if words else 0)
    assert all(one.startswith("people/greet.toml:3: “verify” ") and words in one for one in faults)


def test_a_verify_script_may_check_a_shell_script(tmp_path: Path) -> None:
    shell(tmp_path, toml="verify = 'greet.verify.py'\n[parameters.days]\nkind = 'integer'\nrequired = true\n")
    lay(tmp_path, "people/greet.verify.py", "def main(days: int): ...")
    assert told(tmp_path) == []


def test_a_script_is_found_by_the_actions_name_unless_there_are_two_or_none(tmp_path: Path) -> None:
    shell(tmp_path, "one")
    lay(tmp_path, "people/none.toml", PLAIN)
    python(tmp_path, "two")
    lay(tmp_path, "people/two.sh", "echo")
    none, two = told(tmp_path)
    assert none.startswith("people/none.toml:1: “script” is not given, and there is no none.py or none.sh beside")
    assert two.startswith("people/two.toml:1: “script” is not given, and two.py and two.sh lie beside this file")
    assert folder(tmp_path).action("one").script.name == "one.sh"


@pytest.mark.parametrize("name", ["Greet", "greet_all", "greet.all", "größe", "-greet", "greet all"])
def test_an_id_has_only_small_letters_digits_and_hyphens(tmp_path: Path, name: str) -> None:
    python(tmp_path, name)
    (fault,) = told(tmp_path)
    assert fault == (
        f"people/{name}.toml:1: “{name}” can't be an action's id; name the file with a-z, 0-9 and - only."
    )


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_no_action_is_called_like_a_command(tmp_path: Path, verb: str) -> None:
    python(tmp_path, verb)
    (fault,) = told(tmp_path)
    assert "is a command already" in fault


@pytest.mark.parametrize("key", ["script", "verify", "libraries"])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("{outside}/evil.py", "is an absolute path"),
        ("../../outside/evil.py", "leads out of the actions folder"),
        ("link.py", "leads out of the actions folder"),
        ("linked/evil.py", "leads out of the actions folder"),
        ("loop.py", "can't be read"),
        ("folder.py", "is a directory"),
        ("pipe.py", "isn't a regular file"),
        ("bytes.py", "isn't UTF-8 text (byte 2)"),
        ("large.py", "is larger than 1,000,000 bytes"),
    ],
)
def test_X20_nothing_but_a_regular_file_under_the_root_is_ever_read(
    tmp_path: Path, key: str, path: str, words: str
) -> None:
    root, outside = tmp_path / "actions", tmp_path / "outside"
    people = root / "people"
    evil = lay(outside, "evil.py", "def main(): ...")
    path = path.format(outside=outside)
    python(root, toml=f"{key} = {[path] if key == 'libraries' else path!r}")
    (people / "link.py").symlink_to(evil)
    (people / "linked").symlink_to(outside)
    (people / "loop.py").symlink_to("loop.py")
    (people / "folder.py").mkdir()
    os.mkfifo(people / "pipe.py")
    (people / "bytes.py").write_bytes(b"#\xff")
    (people / "large.py").write_bytes(b"#" * (LARGEST + 1))
    (fault,) = told(root)
    assert fault.startswith(f"people/greet.toml:3: “{key}” names “{path}”, which ")
    assert words in fault


def test_X20_a_link_that_stays_under_the_root_is_followed(tmp_path: Path) -> None:
    python(tmp_path, toml="libraries = ['_lib/words.py']")
    lay(tmp_path, "common/words.py", "x = 1")
    (tmp_path / "people/_lib").symlink_to("../common")
    assert folder(tmp_path).action("greet").libraries[0].content == b"x = 1"


def test_X20_a_folder_beside_the_root_whose_name_begins_alike_is_outside(tmp_path: Path) -> None:
    python(tmp_path / "actions", toml="libraries = ['../../actions-old/x.py']")
    lay(tmp_path, "actions-old/x.py", "x = 1")
    (fault,) = told(tmp_path / "actions")
    assert "leads out of the actions folder" in fault


@pytest.mark.parametrize("name", ["greet.toml", "greet.py"])
def test_a_file_that_may_not_be_read_is_a_fault(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    python(tmp_path)
    really = os.open

    def refuse(path: str | Path, flags: int) -> int:
        if str(path).endswith(name):
            raise PermissionError(13, "Permission denied")
        return really(path, flags)

    monkeypatch.setattr(os, "open", refuse)
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:1: ")
    assert "can't be read: Permission denied" in fault


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "summary",
                    "risk",
                    "timeout",
                    "locks",
                    "script",
                    "verify",
                    "libraries",
                    "credentials",
                    "parameters",
                ),
                *(
                    "[parameters.x]",
                    "[credentials]",
                    "= 'read'",
                    "= 5",
                    "= ['a', '{x}']",
                    "= {x = 'vault:a'}",
                    "\n",
                    "kind",
                ),
                *(
                    "default",
                    "choices",
                    "= 'secret'",
                    "= 1e9",
                    "minimum",
                    "pattern",
                    "= '('",
                    "= true",
                    "= 2026-11-23",
                ),
            ]
        ),
        max_size=30,
    ),
    st.sampled_from(["py", "sh"]),
)
def test_any_toml_gives_an_action_or_faults_and_never_an_error(tmp_path: Path, words: list[str], end: str) -> None:
    lay(tmp_path, "people/greet.toml", " ".join(words))
    script = lay(tmp_path, f"people/greet.{end}", "def main(x: str = 'a'): ...")
    entry = load(Snapshot(tmp_path), "people/greet.toml")
    script.unlink()
    assert (entry.action is None) == bool(entry.faults)
