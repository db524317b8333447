"""The key file: made once, closed to others, read as it is now, never guessed."""

import os
import stat
import threading
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import Conflict, Invalid, Unavailable
from bot.vault.keyfile import open_keys
from bot.vault.keys import Key, parse, render


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.key"


def test_V9_the_first_start_makes_a_key_that_nobody_else_has(tmp_path: Path) -> None:
    first = open_keys(tmp_path / "one.key", requires_existing=False).ring()
    second = open_keys(tmp_path / "two.key", requires_existing=False).ring()
    assert len(first.keys) == 1
    assert first.ids != second.ids


def test_a_new_key_file_is_readable_by_us_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        open_keys(path, requires_existing=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["vault.key"]


def test_a_second_start_finds_the_same_key(path: Path) -> None:
    made = open_keys(path, requires_existing=False).ring()
    assert open_keys(path, requires_existing=True).ring() == made


def test_many_starting_at_once_agree_on_one_key(path: Path) -> None:
    starting = threading.Barrier(8)
    found: list[tuple[str, ...]] = []

    def start() -> None:
        starting.wait()
        found.append(open_keys(path, requires_existing=False).ring().ids)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_what_a_killed_process_left_half_written_is_no_obstacle(path: Path) -> None:
    path.with_name("vault.key.new").write_text("half a k")
    open_keys(path, requires_existing=False)
    assert [entry.name for entry in path.parent.iterdir()] == ["vault.key"]


def test_V9_a_missing_file_is_not_replaced_by_a_new_key_where_something_is_sealed(path: Path) -> None:
    with pytest.raises(Invalid, match=r"missing.*put back your copy") as refusal:
        open_keys(path, requires_existing=True)
    assert refusal.value.where == str(path)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o666])
def test_a_file_open_to_others_is_refused_with_the_way_to_close_it(path: Path, mode: int) -> None:
    open_keys(path, requires_existing=False)
    path.chmod(mode)
    with pytest.raises(Invalid, match=f"mode {mode:o}.*chmod 600 {path}"):
        open_keys(path, requires_existing=True)


def test_a_file_that_is_opened_to_others_later_is_refused_from_then_on(path: Path) -> None:
    keys = open_keys(path, requires_existing=False)
    path.chmod(0o644)
    with pytest.raises(Invalid, match="mode 644"):
        keys.ring()


def test_somebody_elses_file_is_refused_with_the_way_to_own_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_keys(path, requires_existing=False)
    us = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: us)
    with pytest.raises(Invalid, match=f"belongs to somebody else.*chown {us} {path}"):
        open_keys(path, requires_existing=True)


def test_a_pipe_or_a_folder_in_its_place_is_refused_at_once(path: Path) -> None:
    os.mkfifo(path, 0o600)
    with pytest.raises(Invalid, match="not an ordinary file"):
        open_keys(path, requires_existing=True)
    path.unlink()
    path.mkdir(mode=0o700)
    with pytest.raises(Unavailable, match="Is a directory"):
        open_keys(path, requires_existing=True)


def test_a_missing_folder_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"No such file or directory\. Check that"):
        open_keys(tmp_path / "nowhere" / "vault.key", requires_existing=False)


def test_a_file_that_goes_away_is_told_in_a_sentence(path: Path) -> None:
    keys = open_keys(path, requires_existing=False)
    path.unlink()
    with pytest.raises(Unavailable, match=r"vault\.key can't be read: No such file"):
        keys.ring()


def test_a_replaced_file_is_read_again(path: Path) -> None:
    keys = open_keys(path, requires_existing=False)
    other = open_keys(path.with_name("other.key"), requires_existing=False).ring()
    path.with_name("other.key").replace(path)
    assert keys.ring().ids == other.ids


def _line(content: bytes, key_id: str = "") -> str:
    material = b64encode(content).decode()
    return f"{key_id or '0' * 12} {material}\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "vault.key: This key file holds no key"),
        ("# only words\n\n", "vault.key: This key file holds no key"),
        ("# words\nonly-one-part\n", "vault.key:2: This is not a key's id and the key"),
        ("a b c\n", "vault.key:1: This is not a key's id and the key"),
        ("abc !!!!\n", "vault.key:1: This key is not base64"),
        ("abc käse\n", "vault.key:1: This key is not base64"),
        (_line(b"x" * 31), "vault.key:1: This key has 31 bytes, not 32"),
        (_line(b"x" * 33), "vault.key:1: This key has 33 bytes, not 32"),
        (_line(b"x" * 32), "vault.key:1: This key doesn't fit its id"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number(text: str, fault: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(text, "vault.key")
    assert refusal.value.sentence.startswith(fault)
    assert "put back" in refusal.value.sentence


def test_a_file_that_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    path.chmod(0o600)
    with pytest.raises(Invalid, match="not a key file"):
        open_keys(path, requires_existing=True)


def test_V3_a_refused_key_is_not_quoted() -> None:
    material = b64encode(b"x" * 32).decode()
    with pytest.raises(Invalid) as refusal:
        parse(_line(b"x" * 32), "vault.key")
    assert material not in str(refusal.value)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(Invalid, match=r"^vault\.key"):
        parse(text, "vault.key")


@given(st.integers(min_value=1, max_value=5), st.sampled_from(["\n", "\r\n", "\n\n# words\n"]))
def test_what_is_written_is_read_back_in_order(count: int, ending: str) -> None:
    keys = tuple(Key.new() for _ in range(count))
    assert parse(render(keys).replace("\n", ending), "vault.key").keys == keys


def test_V3_a_key_shows_its_id_and_never_itself(path: Path) -> None:
    ring = open_keys(path, requires_existing=False).ring()
    assert ring.primary.material.reveal() not in f"{ring} {ring!r} {vars(ring)}"
    assert ring.primary.id not in ring.primary.material.reveal()


def test_two_cannot_change_the_keys_at_once(path: Path) -> None:
    keys = open_keys(path, requires_existing=False)
    with (
        keys.changing(),
        pytest.raises(Conflict, match="being replaced"),
        open_keys(path, requires_existing=True).changing(),
    ):
        pass
    with keys.changing() as change:
        assert change.renew() == keys.ring().primary
