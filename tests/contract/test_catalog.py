"""What every catalogue source must do: one suite, a list of adapters."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.catalog.folder import Folder
from bot.core.errors import Invalid, NotFound
from bot.ports import CatalogSource

Make = Callable[[Path, Mapping[str, str]], CatalogSource]

GOOD = {
    "people/greet-all.toml": 'summary = "Says hello."\nrisk = "read"\n',
    "people/greet-all.py": "def main(name: str): ...\n",
}
BAD = {"people/bad.toml": 'summary = "Says hello."\n', "people/bad.sh": "echo\n"}


def _folder(root: Path, files: Mapping[str, str]) -> CatalogSource:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Folder(root, lambda name: f"runs {name}")


ADAPTERS: Mapping[str, Make] = {"folder": _folder}


@pytest.fixture(params=ADAPTERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., CatalogSource]:
    return lambda *files: ADAPTERS[request.param](
        tmp_path, {path: text for one in files for path, text in one.items()}
    )


def test_it_shows_every_action_and_the_fault_of_every_broken_one(make: Callable[..., CatalogSource]) -> None:
    catalog = make(GOOD, BAD).catalog()
    assert [action.id for action in catalog] == ["greet-all"]
    assert catalog.faults["bad"].where == "people/bad.toml:1"


@pytest.mark.parametrize("name", ["greet-all", "Greet_All", " greet-all "])
def test_it_finds_an_action_as_people_type_it(make: Callable[..., CatalogSource], name: str) -> None:
    assert make(GOOD).action(name).id == "greet-all"


def test_an_action_is_the_same_by_both_ways(make: Callable[..., CatalogSource]) -> None:
    source = make(GOOD)
    assert source.action("greet-all") == source.catalog().get("greet-all")


def test_a_broken_action_raises_its_fault(make: Callable[..., CatalogSource]) -> None:
    with pytest.raises(Invalid, match=r"people/bad\.toml:1: “risk” is missing"):
        make(BAD).action("bad")


@pytest.mark.parametrize("name", ["gone", "", "../people/greet-all", "x" * 5_000, "\u202egone"])
def test_what_is_not_there_is_not_found(make: Callable[..., CatalogSource], name: str) -> None:
    with pytest.raises(NotFound) as caught:
        make(GOOD).action(name)
    assert "\u202e" not in str(caught.value)
    assert len(str(caught.value)) < 100


def test_it_names_what_runs_a_script(make: Callable[..., CatalogSource]) -> None:
    source = make(GOOD)
    assert source.interpreter(source.action("greet-all")) == "runs greet-all.py"
