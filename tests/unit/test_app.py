"""The people of the local channel, and what they are offered to try."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bot.app import SystemClock, catalog_of
from bot.chat.local.listen import Person
from bot.doors import EXAMPLES, person
from bot.identity.local import PEOPLE, LocalDirectory
from bot.policy.cedar import CedarPolicy
from bot.ports import Ports, Situation
from bot.settings import Settings

ROOT = Path(__file__).parents[2]


async def people(
    actions: Path, policies: Path = ROOT / "policies", files: Path = ROOT / "none"
) -> dict[str, Person]:
    policy = CedarPolicy(policies)
    catalog = catalog_of(Settings(actions_dir=actions))
    ports = SimpleNamespace(
        directory=LocalDirectory(policy.roles),
        policy=policy,
        catalog=catalog,
        clock=SystemClock(),
        situation=lambda now: Situation(),
    )
    return {one.account: await person(cast(Ports, ports), one, files) for one in PEOPLE}


async def test_the_shipped_actions_and_policies_allow_every_example(tmp_path: Path) -> None:
    for account, one in (await people(ROOT / "actions", files=tmp_path)).items():
        tries = tuple(f"/deputy {text.format(files=tmp_path)}" for text in EXAMPLES[account])
        assert one.examples == (*tries, "/deputy", "/deputy help")[:3]


@pytest.mark.parametrize("broken", ["actions", "policies"])
async def test_what_is_not_there_or_not_allowed_is_not_offered(tmp_path: Path, broken: str) -> None:
    folders = {"actions": ROOT / "actions", "policies": ROOT / "policies", broken: tmp_path}
    found = await people(**folders)
    assert found["helpdesk"].examples == ("/deputy", "/deputy help")
    assert found["manager"].examples == ("/deputy approvals", "/deputy whoami", "/deputy")


@pytest.mark.parametrize("name", ["none", "my demo", "the 'demo'"])
async def test_where_the_demo_has_no_files_that_can_be_named_plainly_the_form_asks(
    tmp_path: Path, name: str
) -> None:
    if name != "none":
        (tmp_path / name).mkdir()
    found = await people(ROOT / "actions", files=tmp_path / name)
    assert found["oncall"].examples[2] == "/deputy clean-old-files"
