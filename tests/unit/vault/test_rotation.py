"""Replacing the vault's key: nothing is unreadable at any moment, wherever it is interrupted."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.audit import Entry, Tag, verify
from bot.core.errors import Conflict, Damaged
from bot.core.principal import Who
from bot.core.secret import Secret
from bot.ports import Change, Output
from bot.service.secrets import remove_secret, rotate_key, set_secret
from bot.vault.builtin import BuiltinVault, open_vault
from bot.vault.keyfile import open_keys
from tests.fakes.memory_store import MemoryStore

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ENGINEER = Who("contoso", "e-1", "Erin")
STEPS = 19


class Crash(BaseException):
    """The process ends here: no handler of errors sees it."""


class Steps:
    """Ends the process just before its `last`-th step; every outside effect is a step."""

    def __init__(self, last: int) -> None:
        self.left = last

    def before(self, effect: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise Crash
            return effect(*arguments, **options)

        return step


class SteppingStore(MemoryStore):
    """A store whose reads and commits are steps; a crash may come before or after a commit."""

    steps = Steps(0)

    async def all_secret_rows(self) -> Any:
        self.steps.before(lambda: None)()
        return await super().all_secret_rows()

    async def sealed_outputs(self) -> Any:
        self.steps.before(lambda: None)()
        return await super().sealed_outputs()

    async def commit(self, change: Change) -> tuple[Entry, ...]:
        self.steps.before(lambda: None)()
        entries = await super().commit(change)
        self.steps.before(lambda: None)()
        return entries


@pytest.fixture
def store() -> SteppingStore:
    return SteppingStore()


@pytest.fixture
async def vault(store: SteppingStore, tmp_path: Path) -> BuiltinVault:
    vault = await open_vault(tmp_path / "vault.key", store)
    for name in ("directory", "directory", "ad/operator"):
        await set_secret(store, vault, name, {"password": Secret(f"the {name} one")}, ENGINEER, NOW)
    return vault


async def readable(store: MemoryStore, vault: BuiltinVault) -> bool:
    """Say whether every version of every secret opens."""
    leases = [
        (row.name, await vault.lease(f"vault:{row.name}", row.version, "R-1"))
        for row in await store.all_secret_rows()
    ]
    return len(leases) == 3 and all(fields["password"].reveal() == f"the {name} one" for name, fields in leases)


async def kept(store: SteppingStore, vault: BuiltinVault, run: str) -> Output:
    """Keep a private result, sealed with the vault's key of now."""
    output = Output(run, sealed=vault.seal_text(run, f"the result of {run}"), expires=NOW)
    await store.commit(Change((), output=output))
    return output


async def result_of(store: MemoryStore, vault: BuiltinVault, run: str) -> str:
    """Open a run's private result."""
    output = await store.output(run)
    return vault.open_text(run, (output.sealed if output else None) or b"")


async def test_a_rotation_wraps_every_version_anew_and_leaves_the_values(
    store: SteppingStore, vault: BuiltinVault, tmp_path: Path
) -> None:
    before = await store.all_secret_rows()
    [old] = vault._keys.ring().ids
    rotated = await rotate_key(store, vault, ENGINEER, NOW)
    after = await store.all_secret_rows()
    assert [row.ciphertext for row in after] == [row.ciphertext for row in before]
    assert {row.wrapped_key for row in after}.isdisjoint(row.wrapped_key for row in before)
    assert {row.key_id for row in after} == {rotated.key_id} != {old}
    assert open_keys(tmp_path / "vault.key", requires_existing=True).ring().ids == (rotated.key_id,)
    assert (rotated.rewrapped, rotated.retired) == (3, (old,))
    assert await readable(store, vault)


async def test_a_rotation_is_in_the_audit_log(store: SteppingStore, vault: BuiltinVault) -> None:
    [old] = vault._keys.ring().ids
    rotated = await rotate_key(store, vault, ENGINEER, NOW)
    entry = (await store.entries())[-1]
    assert (entry.tag, entry.actor, entry.reference) == (Tag.KEY_ROTATED, "e-1", rotated.audit)
    assert entry.facts == {"key": rotated.key_id, "before": [old], "rows": 3, "results": 0}
    assert verify(await store.entries()).holds == 4


def count_in(steps: Steps, store: SteppingStore, patch: pytest.MonkeyPatch) -> None:
    """Make every outside effect of a rotation one of `steps`."""
    patch.setattr(store, "steps", steps)
    patch.setattr(Path, "replace", steps.before(Path.replace))
    for effect in ("open", "fsync", "fdopen"):
        patch.setattr(f"bot.vault.keyfile.os.{effect}", steps.before(getattr(os, effect)))


async def test_a_rotation_takes_the_steps_that_are_tested(
    store: SteppingStore, vault: BuiltinVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Steps(1000)
    with monkeypatch.context() as patch:
        count_in(steps, store, patch)
        await rotate_key(store, vault, ENGINEER, NOW)
    assert 1000 - steps.left == STEPS


@pytest.mark.parametrize("last", range(1, STEPS + 1))
async def test_V7_a_rotation_that_ends_at_any_step_leaves_all_readable_and_the_next_one_finishes(
    store: SteppingStore, vault: BuiltinVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    [old] = vault._keys.ring().ids
    await kept(store, vault, "R-1")
    with monkeypatch.context() as patch:
        count_in(Steps(last), store, patch)
        with pytest.raises(Crash):
            await rotate_key(store, vault, ENGINEER, NOW)

    restarted = await open_vault(tmp_path / "vault.key", store)
    assert await readable(store, restarted)
    assert await readable(store, vault)
    assert await result_of(store, restarted, "R-1") == "the result of R-1"
    rotated = await rotate_key(store, restarted, ENGINEER, NOW)
    [key] = open_keys(tmp_path / "vault.key", requires_existing=True).ring().ids
    assert key == rotated.key_id != old
    assert {row.key_id for row in await store.all_secret_rows()} == {key}
    assert await readable(store, restarted)
    assert await result_of(store, restarted, "R-1") == "the result of R-1"
    assert [entry.name for entry in tmp_path.iterdir()] == ["vault.key"]


async def test_a_running_process_seals_with_the_new_key_at_once(
    store: SteppingStore, vault: BuiltinVault, tmp_path: Path
) -> None:
    rotated = await rotate_key(store, await open_vault(tmp_path / "vault.key", store), ENGINEER, NOW)
    assert vault.seal("directory", 9, {"password": "the new one"}, NOW).key_id == rotated.key_id


async def test_a_key_stays_for_a_secret_that_was_set_with_it_meanwhile(
    store: SteppingStore, vault: BuiltinVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = vault.seal("late", 1, {"password": "the late one"}, NOW)
    commit = store.commit

    async def with_another(change: Change) -> tuple[Entry, ...]:
        await commit(Change((), secrets=(late,)))
        return await commit(change)

    monkeypatch.setattr(store, "commit", with_another)
    assert (await rotate_key(store, vault, ENGINEER, NOW)).retired == ()
    assert (await vault.lease("vault:late", 1, "R-1"))["password"].reveal() == "the late one"
    monkeypatch.undo()
    assert len((await rotate_key(store, vault, ENGINEER, NOW)).retired) == 2
    assert (await vault.lease("vault:late", 1, "R-1"))["password"].reveal() == "the late one"


async def test_two_rotations_at_once_do_not_mix(store: SteppingStore, vault: BuiltinVault, tmp_path: Path) -> None:
    other = await open_vault(tmp_path / "vault.key", store)
    with other.rotation(), pytest.raises(Conflict, match="being replaced"):
        await rotate_key(store, vault, ENGINEER, NOW)
    assert await readable(store, vault)


async def test_V5_a_damaged_row_is_named_and_stops_the_rotation(store: SteppingStore, vault: BuiltinVault) -> None:
    [row] = [row for row in await store.all_secret_rows() if row.name == "ad/operator"]
    store.tamper(replace(row, wrapped_key=row.wrapped_key[:-1] + b"\x00\x01"))
    with pytest.raises(Damaged, match=r"“ad/operator”.*deputy vault remove ad/operator"):
        await rotate_key(store, vault, ENGINEER, NOW)
    assert (await vault.lease("vault:directory", 2, "R-1"))["password"].reveal() == "the directory one"
    await remove_secret(store, "ad/operator", ENGINEER, NOW)
    assert (await rotate_key(store, vault, ENGINEER, NOW)).rewrapped == 2


async def test_V7_private_results_stay_readable_without_the_old_key(
    store: SteppingStore, vault: BuiltinVault, tmp_path: Path
) -> None:
    for run in ("R-1", "R-2"):
        await kept(store, vault, run)
    rotated = await rotate_key(store, vault, ENGINEER, NOW)
    assert (rotated.results, vault._keys.ring().ids) == (2, (rotated.key_id,))
    restarted = await open_vault(tmp_path / "vault.key", store)
    for one in await store.sealed_outputs():
        assert restarted.open_text(one.run, one.sealed or b"") == f"the result of {one.run}"


async def test_a_key_stays_for_a_private_result_that_was_sealed_with_it_meanwhile(
    store: SteppingStore, vault: BuiltinVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Output("R-1", sealed=vault.seal_text("R-1", "the late one"), expires=NOW)
    commit = store.commit

    async def with_another(change: Change) -> tuple[Entry, ...]:
        await commit(Change((), output=late))
        return await commit(change)

    monkeypatch.setattr(store, "commit", with_another)
    assert (await rotate_key(store, vault, ENGINEER, NOW)).retired == ()
    assert vault.open_text("R-1", late.sealed or b"") == "the late one"


async def test_a_private_result_that_does_not_open_holds_up_no_rotation(
    store: SteppingStore, vault: BuiltinVault
) -> None:
    whole, broken = await kept(store, vault, "R-1"), Output("R-2", sealed=b"\x01 no seal of ours", expires=NOW)
    await store.commit(Change((), output=broken))
    assert (await rotate_key(store, vault, ENGINEER, NOW)).results == 1
    assert await store.output("R-2") == broken
    sealed = (await store.output("R-1") or whole).sealed
    assert sealed != whole.sealed
    assert vault.open_text("R-1", sealed or b"") == "the result of R-1"


async def test_an_empty_vault_can_be_rotated(store: SteppingStore, tmp_path: Path) -> None:
    vault = await open_vault(tmp_path / "vault.key", store)
    rotated = await rotate_key(store, vault, ENGINEER, NOW)
    assert (rotated.rewrapped, vault._keys.ring().ids) == (0, (rotated.key_id,))
