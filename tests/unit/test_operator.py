"""Who works at a terminal, as the audit log has it."""

import os
import pwd

import pytest

from bot.cli.vault import operator


def test_an_operator_without_a_name_on_this_machine_is_known_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert operator().name == f"uid {os.getuid()} (terminal)"
