"""What lies where, and what no file may hold."""

import re
from pathlib import Path

from tests.architecture.tree import BOT, ROOT, entries, files, modules, name

FOLDERS = {"bot", "actions", "policies", "tests", "manifest"}
FILES = {"pyproject.toml", "README.md", "Makefile", "requirements.lock"}

# Joined here, so that this file holds none of them itself.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("golang", "org"),
    )
]
HOMES = re.compile(r"(?<![\w.~*-])/(?:root|work|Users|home/\w+)/")


def held(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


def test_only_the_folders_and_files_of_the_design_lie_at_the_top() -> None:
    strangers = {path.name for path in entries() if not path.name.startswith(".")} - FOLDERS - FILES
    assert strangers == set()


def test_the_folders_of_the_design_are_there() -> None:
    assert {path.name for path in entries() if path.is_dir()} >= FOLDERS
    assert BOT in entries()


def test_no_file_names_a_package_registry() -> None:
    found = [(name(path), host) for path in files() for host in REGISTRIES if host in held(path)]
    assert found == []


def test_homes_are_known_from_other_paths() -> None:
    assert HOMES.search("/".join(["in ", "home", "ann", "deputy"]))
    assert not HOMES.search("https://example.com/root/, ./work/ and ~/home/ann/")


def test_no_file_names_a_path_of_one_machine() -> None:
    here = [str(place) for place in (ROOT, Path.home()) if len(place.parts) > 2]
    found = [
        (name(path), match)
        for path in files()
        for match in [*HOMES.findall(held(path)), *(place for place in here if place in held(path))]
    ]
    assert found == []


def test_no_module_is_longer_than_400_lines() -> None:
    long = {name(path): count for path in modules() if (count := len(held(path).splitlines())) > 400}
    assert long == {}
