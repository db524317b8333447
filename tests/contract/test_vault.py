"""What every vault promises: a new one is one more factory in VAULTS."""

import logging
import pickle
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.errors import Damaged, Invalid, NotFound
from bot.core.principal import Who
from bot.core.secret import Secret
from bot.ports import Vault
from bot.service.secrets import set_secret
from bot.vault.builtin import open_vault
from tests.fakes.memory_store import MemoryStore

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ENGINEER = Who("contoso", "e-1", "Erin")
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Subject:
    """A vault under test, a way to set a secret in it, and how its references begin."""

    vault: Vault
    put: Callable[..., Awaitable[int]]
    prefix: str


@asynccontextmanager
async def builtin(folder: Path) -> AsyncIterator[Subject]:
    store = MemoryStore()
    vault = await open_vault(folder / "vault.key", store)

    async def put(name: str, **fields: str) -> int:
        secrets = {field: Secret(value) for field, value in fields.items()}
        return (await set_secret(store, vault, name, secrets, ENGINEER, NOW)).version

    yield Subject(vault, put, "vault:")


VAULTS = {"built in": builtin}


@pytest.fixture(params=list(VAULTS.values()), ids=list(VAULTS))
async def subject(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    async with request.param(tmp_path) as one:
        yield one


async def test_a_lease_gives_every_field_of_a_secret(subject: Subject) -> None:
    await subject.put("ad/operator", username="svc", password=PASSWORD, note="päss\n🔑 word")
    reference = f"{subject.prefix}ad/operator"
    fields = await subject.vault.lease(reference, await subject.vault.version(reference), "R-1")
    assert {name: value.reveal() for name, value in fields.items()} == {
        "username": "svc",
        "password": PASSWORD,
        "note": "päss\n🔑 word",
    }
    await subject.vault.revoke(reference, "R-1")


async def test_an_older_version_stays_what_it_was(subject: Subject) -> None:
    first = await subject.put("directory", password="the first one")
    second = await subject.put("directory", password="the second one")
    reference = f"{subject.prefix}directory"
    assert await subject.vault.version(reference) == second > first
    assert (await subject.vault.lease(reference, first, "R-1"))["password"].reveal() == "the first one"
    assert (await subject.vault.lease(reference, second, "R-1"))["password"].reveal() == "the second one"


async def test_what_one_run_does_to_its_lease_reaches_no_other(subject: Subject) -> None:
    version = await subject.put("directory", password=PASSWORD)
    reference = f"{subject.prefix}directory"
    fields = await subject.vault.lease(reference, version, "R-1")
    assert isinstance(fields, dict)
    fields.clear()
    assert set(await subject.vault.lease(reference, version, "R-2")) == {"password"}


async def test_a_missing_secret_says_how_to_set_it(subject: Subject) -> None:
    with pytest.raises(NotFound, match=r"no secret “directory”.*deputy vault set directory"):
        await subject.vault.version(f"{subject.prefix}directory")
    with pytest.raises(NotFound, match="no secret “directory”"):
        await subject.vault.lease(f"{subject.prefix}directory", 1, "R-1")


async def test_a_missing_version_says_to_ask_again(subject: Subject) -> None:
    version = await subject.put("directory", password=PASSWORD)
    with pytest.raises(NotFound, match=f"no version {version + 1}.*Ask again"):
        await subject.vault.lease(f"{subject.prefix}directory", version + 1, "R-1")


@pytest.mark.parametrize("reference", ["", "directory", "other:directory", "VAULT:directory", ":", "a:b:c"])
async def test_another_kind_of_reference_is_refused(subject: Subject, reference: str) -> None:
    with pytest.raises(Invalid, match=f"reads like `{subject.prefix}"):
        await subject.vault.version(reference)
    with pytest.raises(Invalid):
        await subject.vault.lease(reference, 1, "R-1")


@pytest.mark.parametrize("name", ["", "../x", "a//b", "/a", "a/", "Directory", "a b", "a\n", "‮a", "a" * 101])
async def test_X3_a_malformed_name_is_refused_and_shown_plainly(subject: Subject, name: str) -> None:
    with pytest.raises(Invalid, match="can't be a secret's name") as refusal:
        await subject.vault.version(subject.prefix + name)
    assert refusal.value.sentence.isprintable()


async def test_V3_a_lease_never_shows_its_values(subject: Subject, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    version = await subject.put("directory", password=PASSWORD)
    fields = await subject.vault.lease(f"{subject.prefix}directory", version, "R-1")
    logging.getLogger("test").warning("%s %r", fields, fields)
    shown = f"{fields} {fields!r} {subject.vault!r} {vars(subject.vault)} {caplog.text}"
    assert "Secret(…)" in shown
    assert PASSWORD not in shown
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(fields)


def test_a_text_opens_under_its_own_name(subject: Subject) -> None:
    for text in ("", "one line", "two\nlines 🔑", "half \ud83d of a character"):
        sealed = subject.vault.seal_text("R-1", text)
        assert subject.vault.open_text("R-1", sealed) == text


def test_the_same_text_seals_differently_every_time(subject: Subject) -> None:
    assert subject.vault.seal_text("R-1", "private") != subject.vault.seal_text("R-1", "private")


def test_V5_a_text_of_another_run_does_not_open(subject: Subject) -> None:
    with pytest.raises(Damaged, match="private result of R-2 doesn't open"):
        subject.vault.open_text("R-2", subject.vault.seal_text("R-1", "private"))


def test_V5_a_text_with_any_byte_changed_or_missing_does_not_open(subject: Subject) -> None:
    sealed = subject.vault.seal_text("R-1", "private")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        for broken in (changed, sealed[:place]):
            with pytest.raises(Damaged, match="private result of R-1"):
                subject.vault.open_text("R-1", broken)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(garbage=st.binary(max_size=200))
def test_V5_bytes_that_were_never_sealed_do_not_open(subject: Subject, garbage: bytes) -> None:
    with pytest.raises(Damaged, match="private result of R-1"):
        subject.vault.open_text("R-1", garbage)


def test_V3_a_sealed_text_and_its_failure_show_nothing_of_it(subject: Subject) -> None:
    sealed = subject.vault.seal_text("R-1", PASSWORD)
    assert PASSWORD.encode() not in sealed
    assert b64encode(PASSWORD.encode()) not in sealed
    with pytest.raises(Damaged) as failure:
        subject.vault.open_text("R-1", sealed[:-1])
    trace = traceback.TracebackException.from_exception(failure.value, capture_locals=True)
    assert PASSWORD not in "".join(trace.format())
