"""The folder as a whole: which files are actions, what they say together, and how fresh it all is."""

import os
import time
from pathlib import Path

import pytest

from bot.catalog import folder as folders
from bot.catalog.files import Stamp
from bot.core.errors import Invalid, NotFound
from tests.unit.catalog.laying import MAIN, PLAIN, folder, lay, python, shell, told


def test_one_broken_action_never_hides_the_others(tmp_path: Path) -> None:
    python(tmp_path, "good")
    python(tmp_path, "bad", toml="timeout = 0\nrunner = 'x'")
    lay(tmp_path, "people/worse.toml", "= = =")
    (tmp_path / "people/worst.toml").mkdir()
    catalog = folder(tmp_path).catalog()
    assert list(catalog.actions) == ["good"]
    assert set(catalog.faults) == {"bad", "worse", "worst"}
    assert str(catalog.faults["worst"]) == "people/worst.toml:1: This file is a directory, not a file."
    assert len(folder(tmp_path).faults()) == 4


def test_only_files_in_a_category_whose_names_are_not_hidden_are_actions(tmp_path: Path) -> None:
    python(tmp_path, "good")
    lay(tmp_path, "people/_lib/x.toml", PLAIN)
    lay(tmp_path, "people/_draft.toml", PLAIN)
    lay(tmp_path, "people/.hidden.toml", PLAIN)
    lay(tmp_path, "people/lonely.py", MAIN)
    lay(tmp_path, "_drafts/x.toml", PLAIN)
    lay(tmp_path, "README.md", "hello")
    assert told(tmp_path) == []
    assert list(folder(tmp_path).catalog().actions) == ["good"]


def test_an_action_beside_the_categories_is_a_fault(tmp_path: Path) -> None:
    lay(tmp_path, "greet.toml", PLAIN)
    assert told(tmp_path) == [
        "greet.toml: An action lies in a category's folder, not beside them; move this file into one."
    ]


def test_X20_a_category_that_leads_out_of_the_folder_is_a_fault(tmp_path: Path) -> None:
    python(tmp_path / "outside")
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions/people").symlink_to(tmp_path / "outside/people")
    (fault,) = told(tmp_path / "actions")
    assert fault.startswith("people: This category leads out of the actions folder")


def test_a_second_action_of_the_same_id_is_a_fault_and_the_first_still_runs(tmp_path: Path) -> None:
    python(tmp_path)
    lay(tmp_path, "things/greet.toml", PLAIN)
    lay(tmp_path, "things/greet.py", MAIN)
    assert told(tmp_path) == [
        "things/greet.toml:1: “greet” is the id of people/greet.toml too, and that one keeps it; rename this file."
    ]
    found = folder(tmp_path)
    assert found.action("greet").category == "people"
    assert set(found.catalog().faults) == {"things/greet"}


@pytest.mark.parametrize(
    ("source", "words"),
    [("gone", "“gone”, which is no action that loads"), ("rename", "“rename”, which has the risk change")],
)
def test_choices_come_from_a_reading_action_that_exists(tmp_path: Path, source: str, words: str) -> None:
    shell(tmp_path, toml=f"[parameters.name]\nchoices_from = '{source}'")
    lay(tmp_path, "people/rename.toml", PLAIN.replace("read", "change"))
    lay(tmp_path, "people/rename.sh", "echo")
    (fault,) = told(tmp_path)
    assert fault.startswith("people/greet.toml:4: “choices_from” names ")
    assert words in fault
    with pytest.raises(Invalid, match="choices_from"):
        folder(tmp_path).action("greet")


def test_an_action_falls_with_the_one_its_choices_come_from(tmp_path: Path) -> None:
    shell(tmp_path, "a", toml="[parameters.x]\nchoices_from = 'b'")
    shell(tmp_path, "b", toml="[parameters.x]\nchoices_from = 'c'")
    shell(tmp_path, "c", toml="timeout = 0")
    assert set(folder(tmp_path).catalog().faults) == {"a", "b", "c"}


@pytest.mark.parametrize("there", [False, True])
def test_a_missing_folder_is_one_fault_and_says_so_for_every_action(tmp_path: Path, there: bool) -> None:
    root = tmp_path / "actions"
    if there:
        root.write_text("not a folder")
    (fault,) = told(root)
    assert fault.startswith(f"{root}: The folder of actions can't be read (")
    with pytest.raises(Invalid, match="make it, or name the right one"):
        folder(root).action("greet")


def test_an_action_keeps_being_the_same_object_until_a_file_of_it_changes(tmp_path: Path) -> None:
    python(tmp_path)
    python(tmp_path, "other")
    found = folder(tmp_path)
    before, other = found.action("greet"), found.action("other")
    lay(tmp_path, "people/greet.py", "def main(x: str): ...")
    found.refresh()
    assert [one.name for one in found.catalog().actions["greet"].parameters] == ["x"]
    assert before.parameters == ()
    assert found.catalog().actions["other"] is other


def test_a_mended_action_comes_back_and_a_broken_one_goes(tmp_path: Path) -> None:
    lay(tmp_path, "people/greet.toml", PLAIN)
    found = folder(tmp_path)
    assert set(found.catalog().faults) == {"greet"}
    lay(tmp_path, "people/greet.py", MAIN)
    found.refresh()
    assert set(found.catalog().actions) == {"greet"}
    lay(tmp_path, "people/greet.sh", "echo")
    found.refresh()
    assert set(found.catalog().faults) == {"greet"}


def test_the_folder_itself_may_come_later_and_go_again(tmp_path: Path) -> None:
    root = tmp_path / "actions"
    found = folder(root)
    assert len(found.faults()) == 1
    python(root)
    found.refresh()
    assert found.faults() == ()
    root.rename(tmp_path / "moved")
    found.refresh()
    assert len(found.catalog()) == 0
    assert len(found.faults()) == 1


def test_the_folder_is_looked_at_again_only_after_half_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(folders, "monotonic", lambda: now)
    python(tmp_path)
    found = folder(tmp_path)
    assert len(found.catalog()) == 1
    python(tmp_path, "other")
    assert len(found.catalog()) == 1
    now += 0.5
    assert len(found.catalog()) == 2


@pytest.mark.parametrize("name", ["greet.toml", "greet.py", "greet.verify.py", "_lib/words.py"])
def test_P8_an_action_asked_for_has_the_bytes_that_lie_there_now(tmp_path: Path, name: str) -> None:
    python(tmp_path, toml="verify = 'greet.verify.py'\nlibraries = ['_lib/words.py']\n# 1")
    lay(tmp_path, "people/greet.verify.py", MAIN + "# 1")
    lay(tmp_path, "people/_lib/words.py", "# 1")
    found = folder(tmp_path)
    before = found.action("greet")
    file = tmp_path / "people" / name
    file.write_text(file.read_text().replace("hello", "fired").replace("# 1", "summary2 = 1"))
    if name == "greet.toml":
        with pytest.raises(Invalid, match="summary2"):
            found.action("greet")
    else:
        assert found.action("greet").scripts != before.scripts


def test_P8_a_second_change_within_one_tick_of_the_clock_is_seen_by_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick = Stamp(time.time_ns(), 1, 1, 1, 1)
    monkeypatch.setattr("bot.catalog.files._stamp", lambda path: tick)
    shell(tmp_path, toml="script = 'greet.sh'")
    found = folder(tmp_path)
    assert found.action("greet").script.content == b"echo hello\n"
    lay(tmp_path, "people/greet.sh", "echo fired\n")
    assert found.action("greet").script.content == b"echo fired\n"
    assert found.catalog().actions["greet"].script.content == b"echo fired\n"


def test_files_that_rest_are_not_read_again_for_every_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell(tmp_path)
    monkeypatch.setattr("bot.catalog.files.SETTLED", 0)
    found = folder(tmp_path)
    before = found.action("greet")
    read: list[str] = []
    monkeypatch.setattr("bot.catalog.files._content", lambda path, root: read.append(path))
    assert found.action("greet") is before
    assert read == []


def test_P8_a_file_that_rested_is_read_again_once_it_changes_whatever_its_times_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell(tmp_path)
    file = tmp_path / "people/greet.sh"
    monkeypatch.setattr("bot.catalog.files.SETTLED", 0)
    found = folder(tmp_path)
    found.action("greet")
    times = file.stat()
    time.sleep(0.02)  # a tick
    file.write_text("echo fired\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert found.action("greet").script.content == b"echo fired\n"


def test_an_edit_that_sets_the_time_back_is_seen(tmp_path: Path) -> None:
    shell(tmp_path)
    file = tmp_path / "people/greet.sh"
    found = folder(tmp_path)
    found.refresh()
    times = file.stat()
    file.write_text("echo fired\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    found.refresh()
    assert found.catalog().actions["greet"].script.content == b"echo fired\n"


def test_a_new_action_is_found_and_a_removed_one_is_gone_at_once(tmp_path: Path) -> None:
    python(tmp_path)
    found = folder(tmp_path)
    assert len(found.catalog()) == 1
    python(tmp_path, "other")
    assert found.action("Other").id == "other"
    (tmp_path / "people/greet.toml").unlink()
    with pytest.raises(NotFound, match="There is no action “greet”"):
        found.action("greet")


def test_a_fault_raised_again_and_again_does_not_grow(tmp_path: Path) -> None:
    python(tmp_path, toml="timeout = 0")
    found = folder(tmp_path)
    depths = set()
    for _ in range(3):
        with pytest.raises(Invalid) as caught:
            found.action("greet")
        depths.add(len(caught.traceback))
    assert len(depths) == 1
