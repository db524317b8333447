"""Secrets are set, listed and removed with an audit entry that never holds a value."""

import asyncio
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.audit import Entry, Tag, verify
from bot.core.errors import Conflict, DeputyError, Invalid, NotFound, Unavailable
from bot.core.principal import Who
from bot.core.secret import Secret
from bot.ports import Change
from bot.service.secrets import Listed, checked_name, list_secrets, remove_secret, set_secret
from bot.vault.builtin import BuiltinVault, open_vault
from tests.fakes.memory_store import MemoryStore

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ENGINEER = Who("contoso", "e-1", "Erin")
PASSWORD = "correct horse battery"
FIELDS = {"username": Secret("svc"), "password": Secret(PASSWORD)}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def vault(store: MemoryStore, tmp_path: Path) -> BuiltinVault:
    return await open_vault(tmp_path / "vault.key", store)


async def test_setting_a_secret_writes_its_next_version_and_an_audit_entry(
    store: MemoryStore, vault: BuiltinVault
) -> None:
    first = await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)
    second = await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)
    assert (first.version, second.version) == (1, 2)
    entries = await store.entries(subject="directory")
    assert [entry.reference for entry in entries] == [first.audit, second.audit]
    assert (entries[1].tag, entries[1].actor, entries[1].at) == (Tag.SECRET_SET, "e-1", NOW)
    key = vault._keys.ring().primary.id
    assert entries[1].facts == {"version": 2, "fields": ["password", "username"], "key": key}
    assert verify(entries).holds == 2


async def test_V3_no_audit_entry_holds_a_value(store: MemoryStore, vault: BuiltinVault) -> None:
    await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)
    await remove_secret(store, "directory", ENGINEER, NOW)
    assert PASSWORD not in repr(await store.entries())


async def test_secrets_are_listed_by_name_with_their_newest_version(
    store: MemoryStore, vault: BuiltinVault
) -> None:
    later = NOW + timedelta(hours=1)
    await set_secret(store, vault, "supervisor", FIELDS, ENGINEER, NOW)
    await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)
    await set_secret(store, vault, "directory", FIELDS, ENGINEER, later)
    assert await list_secrets(store) == [Listed("directory", 2, later), Listed("supervisor", 1, NOW)]


async def test_removing_takes_every_version_and_keeps_what_the_log_says(
    store: MemoryStore, vault: BuiltinVault
) -> None:
    await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)
    await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)
    await set_secret(store, vault, "supervisor", FIELDS, ENGINEER, NOW)
    reference = await remove_secret(store, "directory", ENGINEER, NOW)
    assert [row.name for row in await store.all_secret_rows()] == ["supervisor"]
    entries = await store.entries(subject="directory")
    assert [entry.tag for entry in entries] == [Tag.SECRET_SET, Tag.SECRET_SET, Tag.SECRET_REMOVED]
    assert (entries[-1].reference, entries[-1].facts) == (reference, {"version": 2})


async def test_a_removed_version_is_never_given_again(store: MemoryStore, vault: BuiltinVault) -> None:
    await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)
    await remove_secret(store, "directory", ENGINEER, NOW)
    assert (await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)).version == 2
    with pytest.raises(NotFound, match="no version 1 any more"):
        await vault.lease("vault:directory", 1, "R-1")


async def test_removing_what_is_not_there_says_how_to_look(store: MemoryStore) -> None:
    with pytest.raises(NotFound, match=r"no secret “directory” to remove.*deputy vault list"):
        await remove_secret(store, "directory", ENGINEER, NOW)
    assert await store.entries() == []


async def test_of_two_who_set_the_same_version_one_is_told(store: MemoryStore, vault: BuiltinVault) -> None:
    setting = (set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW) for _ in range(2))
    first, second = await asyncio.gather(*setting, return_exceptions=True)
    assert isinstance(second, Conflict)
    assert not isinstance(first, BaseException)
    assert [row.version for row in await store.all_secret_rows()] == [1]
    assert len(await store.entries()) == 1


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "needs a field"),
        ({"password": ""}, "password: It is empty"),
        ({"username": ""}, "username: It is empty"),
        ({"password": "12345"}, "password: It has 5 characters. One of fewer than 6 occurs in ordinary output"),
        ({"pin": "1234"}, "pin: It has 4 characters"),
        ({"password": "with a nul\x00"}, "password: It holds the control character ⟨U\\+0000⟩"),
        ({"password": "typed on windows\r"}, "password: It holds the control character ⟨U\\+000D⟩"),
        ({"password": "half \ud83d of one"}, "password: It holds half of a character"),
        ({"username": "svc", "Pass": PASSWORD}, "field 2: A field's name is made of"),
        ({"": PASSWORD}, "field 1: A field's name"),
        ({"1st": PASSWORD}, "field 1: A field's name"),
        ({"päss": PASSWORD}, "field 1: A field's name"),
        ({"password\n": PASSWORD}, "field 1: A field's name"),
    ],
)
async def test_a_field_that_cannot_be_kept_is_refused_with_the_reason(
    store: MemoryStore, vault: BuiltinVault, fields: dict[str, str], fault: str
) -> None:
    given = {name: Secret(value) for name, value in fields.items()}
    with pytest.raises(Invalid, match=f"^{fault}|^A secret {fault}"):
        await set_secret(store, vault, "directory", given, ENGINEER, NOW)
    assert await store.entries() == []
    assert await store.all_secret_rows() == []


async def test_fields_that_are_no_secrets_may_be_short(store: MemoryStore, vault: BuiltinVault) -> None:
    fields = {"username": Secret("a"), "port": Secret("389"), "_key": Secret("-----\nab\tc\n-----")}
    version = (await set_secret(store, vault, "directory", fields, ENGINEER, NOW)).version
    assert await vault.lease("vault:directory", version, "R-1") == fields


async def test_V3_a_value_given_as_a_fields_name_is_not_quoted(store: MemoryStore, vault: BuiltinVault) -> None:
    with pytest.raises(Invalid) as refusal:
        await set_secret(store, vault, "directory", {PASSWORD: Secret(PASSWORD)}, ENGINEER, NOW)
    assert PASSWORD not in refusal.value.sentence


@pytest.mark.parametrize("name", ["directory", "ad/operator", "a", "0", "a-b/c-1/d", "a" * 100])
def test_an_ordinary_name_is_taken(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "-a", "a_b", "a/", "/a", "a//b", "a/../b", "a b", "ä", "a\n", "a" * 101]
)
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="can't be a secret's name"):
        checked_name(name)


@given(st.text())
def test_a_name_that_is_taken_holds_only_plain_characters(name: str) -> None:
    try:
        assert set(checked_name(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-/")
    except DeputyError as refusal:
        assert refusal.sentence.isprintable()


async def test_V3_A7_a_store_that_cannot_write_keeps_nothing_and_its_traceback_shows_nothing(
    store: MemoryStore, vault: BuiltinVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(change: Change) -> tuple[Entry, ...]:
        raise Unavailable("The disk is full.")

    monkeypatch.setattr(store, "commit", full)
    with pytest.raises(Unavailable) as failure:
        await set_secret(store, vault, "directory", FIELDS, ENGINEER, NOW)
    shown = "".join(traceback.TracebackException.from_exception(failure.value, capture_locals=True).format())
    assert "Secret(…)" in shown
    assert PASSWORD not in shown
    assert await store.all_secret_rows() == []
