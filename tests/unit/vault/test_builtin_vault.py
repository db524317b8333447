"""The built-in vault: what is changed, moved or sealed with another key doesn't open."""

import traceback
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Damaged, Invalid
from bot.ports import Change, SecretRow
from bot.vault import envelope
from bot.vault.builtin import BuiltinVault, open_vault
from bot.vault.keyfile import open_keys
from bot.vault.keys import KeyRing
from tests.fakes.memory_store import MemoryStore

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def vault(store: MemoryStore, tmp_path: Path) -> BuiltinVault:
    return await open_vault(tmp_path / "vault.key", store)


async def put(
    store: MemoryStore, vault: BuiltinVault, name: str, version: int, value: str = PASSWORD
) -> SecretRow:
    row = vault.seal(name, version, {"password": value}, NOW + timedelta(seconds=version))
    await store.commit(Change((), secrets=(row,)))
    return row


def with_part(row: SecretRow, part: str, content: bytes) -> SecretRow:
    changed: dict[str, Any] = {part: content}
    return replace(row, **changed)


async def test_a_row_shows_nothing_of_what_it_seals(store: MemoryStore, vault: BuiltinVault) -> None:
    row = await put(store, vault, "directory", 1)
    assert PASSWORD.encode() not in row.wrapped_key + row.ciphertext
    assert PASSWORD not in repr(row)
    assert "ciphertext" not in repr(row)


async def test_every_seal_has_its_own_data_key_and_nonce(vault: BuiltinVault) -> None:
    rows = [vault.seal("directory", 1, {"password": PASSWORD}, NOW) for _ in range(20)]
    assert len({row.wrapped_key for row in rows}) == 20
    assert len({row.ciphertext[:12] for row in rows}) == 20


@pytest.mark.parametrize("part", ["wrapped_key", "ciphertext"])
async def test_V5_any_flipped_or_missing_byte_is_found(store: MemoryStore, vault: BuiltinVault, part: str) -> None:
    row = await put(store, vault, "directory", 1)
    whole: bytes = getattr(row, part)
    for place in range(len(whole)):
        for broken in (whole[:place] + bytes([whole[place] ^ 128]) + whole[place + 1 :], whole[:place]):
            store.tamper(with_part(row, part, broken))
            with pytest.raises(
                Damaged, match=r"“directory” \(version 1\) doesn't open.*deputy vault set directory"
            ):
                await vault.lease("vault:directory", 1, "R-1")


async def test_V5_a_row_in_the_place_of_another_is_found(store: MemoryStore, vault: BuiltinVault) -> None:
    mine = await put(store, vault, "directory", 1)
    other = await put(store, vault, "supervisor", 1)
    newer = await put(store, vault, "directory", 2)
    for stranger in (other, newer):
        store.tamper(replace(stranger, name="directory", version=1))
        with pytest.raises(Damaged, match="“directory”"):
            await vault.lease("vault:directory", 1, "R-1")
        store.tamper(replace(mine, ciphertext=stranger.ciphertext))
        with pytest.raises(Damaged, match="“directory”"):
            await vault.lease("vault:directory", 1, "R-1")


@pytest.mark.parametrize("other_layer", ["value", "data_key"])
async def test_V5_each_layer_alone_finds_a_row_in_the_place_of_another(
    store: MemoryStore, vault: BuiltinVault, monkeypatch: pytest.MonkeyPatch, other_layer: str
) -> None:
    monkeypatch.setattr(envelope.Label, other_layer, lambda label, key_id="": b"the same everywhere")
    newer = await put(store, vault, "directory", 2)
    await vault.lease("vault:directory", 2, "R-1")
    store.tamper(replace(newer, version=1))
    with pytest.raises(Damaged, match="“directory”"):
        await vault.lease("vault:directory", 1, "R-1")


async def test_V5_a_store_that_hands_over_another_row_is_found(store: MemoryStore, vault: BuiltinVault) -> None:
    other = await put(store, vault, "supervisor", 1)

    class Confused(MemoryStore):
        async def secret(self, name: str, version: int | None = None) -> SecretRow | None:
            return other

    confused = BuiltinVault(vault._keys, Confused())
    with pytest.raises(Damaged, match="“directory”"):
        await confused.lease("vault:directory", 1, "R-1")


async def test_V5_a_row_of_another_store_does_not_open(
    store: MemoryStore, vault: BuiltinVault, tmp_path: Path
) -> None:
    await put(store, vault, "directory", 1)
    elsewhere = BuiltinVault(open_keys(tmp_path / "vault.key", requires_existing=True), store, "another")
    with pytest.raises(Damaged, match="“directory”"):
        await elsewhere.lease("vault:directory", 1, "R-1")


async def test_V5_a_secret_does_not_open_as_a_text(vault: BuiltinVault) -> None:
    row = vault.seal("directory", 1, {"password": PASSWORD}, NOW)
    with pytest.raises(Damaged):
        vault.open_text("directory", b"\x01" + row.key_id.encode() + row.wrapped_key + row.ciphertext)


async def test_V5_V6_a_key_that_does_not_fit_is_named_at_the_start(
    store: MemoryStore, vault: BuiltinVault, tmp_path: Path
) -> None:
    row = await put(store, vault, "directory", 1)
    other = open_keys(tmp_path / "other.key", requires_existing=False).ring()
    with pytest.raises(Damaged) as failure:
        await open_vault(tmp_path / "other.key", store)
    for words in ("“directory”", row.key_id, other.primary.id, str(tmp_path / "other.key"), "Put back"):
        assert words in failure.value.sentence


async def test_V6_the_start_opens_the_newest_secret(
    store: MemoryStore, vault: BuiltinVault, tmp_path: Path
) -> None:
    await put(store, vault, "directory", 1)
    newest = await put(store, vault, "supervisor", 2)
    await open_vault(tmp_path / "vault.key", store)
    store.tamper(replace(newest, ciphertext=newest.ciphertext[:-1]))
    with pytest.raises(Damaged, match="“supervisor”"):
        await open_vault(tmp_path / "vault.key", store)


async def test_V6_encryption_that_gives_back_something_else_stops_the_start(
    vault: BuiltinVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.vault.envelope._decrypt", lambda cipher, sealed, associated: b"k" * 32)
    with pytest.raises(Damaged, match="encryption of this machine"):
        await vault.test()


async def test_V9_a_lost_key_file_stops_the_start_where_secrets_are_sealed(
    store: MemoryStore, vault: BuiltinVault, tmp_path: Path
) -> None:
    await put(store, vault, "directory", 1)
    (tmp_path / "vault.key").unlink()
    with pytest.raises(Invalid, match="missing"):
        await open_vault(tmp_path / "vault.key", store)
    assert not (tmp_path / "vault.key").exists()


@pytest.mark.parametrize("part", ["wrapped_key", "ciphertext"])
async def test_V3_a_traceback_with_locals_shows_neither_keys_nor_values(
    store: MemoryStore, vault: BuiltinVault, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_keys: list[bytes] = []
    unwrap = envelope._unwrap

    def recording(ring: KeyRing, label: envelope.Label, sealed: envelope.Sealed) -> bytes:
        data_keys.append(unwrap(ring, label, sealed))
        return data_keys[-1]

    monkeypatch.setattr(envelope, "_unwrap", recording)
    row = await put(store, vault, "directory", 1)
    await vault.lease("vault:directory", 1, "R-1")
    store.tamper(with_part(row, part, bytes(80)))
    with pytest.raises(Damaged) as failure:
        await vault.lease("vault:directory", 1, "R-1")
    trace = failure.tb.tb_next  # without this test's own frame, which holds them all
    shown = "".join(traceback.TracebackException(failure.type, failure.value, trace, capture_locals=True).format())
    assert "envelope.py" in shown
    material = vault._keys.ring().primary.material.reveal()
    for secret in (PASSWORD, material, repr(b64decode(material)), repr(data_keys[0])):
        assert secret not in shown
