"""Cleaning: what is old goes, and nothing and nobody leads it elsewhere."""

import os
import sys
import time
from pathlib import Path

import pytest

from bot.demo.world import World
from tests.integration.actions.scripts import script

OLD = time.time() - 90 * 86_400


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with an old and a new file, each also in a directory below."""
    for name in ("old.tmp", "new.tmp", "below/old.txt", "below/new.txt"):
        path = tmp_path / "place" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 500)
        if path.stem == "old":
            os.utime(path, (OLD, OLD))
    return tmp_path / "place"


def files(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if not path.is_dir()}


def test_old_files_go_and_new_ones_stay(place: Path) -> None:
    check = script("clean-old-files.verify")
    assert check.main(str(place)) == {"ok": False, "message": f"2 old files are left below {place}."}
    done = script("clean-old-files").main(str(place))
    assert done == {"directory": str(place), "unchanged_for": "30 days", "removed": 2, "freed": "1.0 kB"}
    assert files(place) == {"new.tmp", "below/new.txt"}
    assert check.main(str(place))["ok"] is True


def test_a_dry_run_removes_nothing_and_its_check_holds(place: Path) -> None:
    before = files(place)
    done = script("clean-old-files").main(str(place), dry_run=True)
    assert done["would_remove"] == 2
    assert files(place) == before
    assert script("clean-old-files.verify").main(str(place), dry_run=True)["ok"] is True


def test_age_and_names_limit_what_goes(place: Path) -> None:
    assert script("clean-old-files").main(str(place), days=100)["removed"] == 0
    assert script("clean-old-files").main(str(place), pattern="*.tmp")["removed"] == 1
    assert "below/old.txt" in files(place)


def test_the_demos_cache_can_be_cleaned(world: World) -> None:
    done = script("clean-old-files").main(str(world.cache), dry_run=True)
    assert done["would_remove"] == 5


def test_links_pipes_and_what_they_lead_to_stay(place: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    precious = outside / "precious.tmp"
    precious.write_bytes(b"x")
    os.utime(precious, (OLD, OLD))
    (place / "to-file").symlink_to(precious)
    (place / "to-directory").symlink_to(outside)
    os.mkfifo(place / "pipe")
    for name in ("to-file", "to-directory", "pipe"):
        os.utime(place / name, (OLD, OLD), follow_symlinks=False)
    assert script("clean-old-files").main(str(place))["removed"] == 2
    assert precious.exists()
    assert {"to-file", "pipe"} <= files(place)


@pytest.mark.parametrize("given", ["linked", "linked/below"])
def test_a_path_through_a_link_is_refused(place: Path, tmp_path: Path, given: str) -> None:
    (tmp_path / "linked").symlink_to(place)
    with pytest.raises(SystemExit, match="symbolic link"):
        script("clean-old-files").main(str(tmp_path / given))
    assert "old.tmp" in files(place)


def test_a_directory_swapped_for_a_link_after_the_checks_leads_nowhere(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("clean-old-files")
    library = module.old_files.__globals__

    def swap(path: str) -> None:
        place.rename(tmp_path / "moved")
        place.symlink_to(tmp_path / "moved")

    monkeypatch.setitem(library, "refuse", swap)
    with pytest.raises(SystemExit, match="can't be opened"):
        module.main(str(place))
    assert "old.tmp" in files(tmp_path / "moved")


def test_a_directory_swapped_for_a_link_while_cleaning_leads_nowhere(place: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "old.txt").write_bytes(b"precious")
    os.utime(outside / "old.txt", (OLD, OLD))
    for file in script("clean-old-files").old_files(str(place), 30, "*"):
        file.remove()
        if file.name == "old.tmp":
            (place / "below").rename(tmp_path / "moved")
            (place / "below").symlink_to(outside)
    assert (outside / "old.txt").exists()


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "//",
            "/etc",
            "//etc/ssl",
            "/usr/local",
            "/bin",
            "/home",
            "/home/ann",
            "/var",
            "/var/lib/x",
            "/tmp",
        ),
        *("/proc/1", "/tmp/..", "/tmp/x/../../etc/ssl", "relative", "", ".", "~", "/no-such/place", "/dev/shm"),
    ],
)
def test_what_must_not_be_cleaned_is_refused(path: str) -> None:
    with pytest.raises(SystemExit):
        script("clean-old-files").main(path, days=3650, pattern="no-such-name", dry_run=True)


def test_what_deputy_works_in_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place / "below")
    with pytest.raises(SystemExit, match="Deputy itself works"):
        script("clean-old-files").main(str(place))
    # No system directory, so that the environment of this very Python is what refuses.
    monkeypatch.setattr(sys, "prefix", str(place / "below/venv"))
    monkeypatch.chdir("/")
    with pytest.raises(SystemExit, match="Deputy itself works"):
        script("clean-old-files").main(str(place))


def test_deputys_data_is_refused_but_for_the_demos_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = script("clean-old-files")
    data = tmp_path / "deputy"
    monkeypatch.setitem(module.old_files.__globals__, "DATA", data)
    for name in ("vault.key", "runs/R-1/script.py", "demo/cache/old.tmp"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_bytes(b"x")
        os.utime(data / name, (OLD, OLD))
    for folder in (data, data / "runs", data / "runs/R-1"):
        with pytest.raises(SystemExit, match="Deputy's own data"):
            module.main(str(folder))
    assert module.main(str(data / "demo/cache"))["removed"] == 1


def test_other_peoples_files_stay(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    assert script("clean-old-files").main(str(place))["removed"] == 0
    assert "old.tmp" in files(place)


def test_a_file_that_can_not_be_removed_fails_the_action_and_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unlink = os.unlink

    def stubborn(path: str, **rest: int) -> None:
        if path == "old.tmp":
            raise PermissionError(1, "Operation not permitted")
        unlink(path, **rest)

    monkeypatch.setattr(os, "unlink", stubborn)
    with pytest.raises(SystemExit, match=r"1 old files below .* could not be removed; 1 were"):
        script("clean-old-files").main(str(place))
    assert "old.tmp stays: Operation not permitted" in capsys.readouterr().out
