"""A secret never prints."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bot.core.secret import Secret

SECRET = Secret("hunter2-hunter2")


@dataclass(frozen=True)
class Holder:
    credential: Secret


@pytest.mark.parametrize(
    "printed",
    [
        repr,
        str,
        "{}".format,
        "{!r:>20}".format,
        lambda secret: f"{secret}",
        lambda secret: f"{[secret]}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
        lambda secret: repr(Holder(secret)),
        lambda secret: str(ValueError("bad", secret)),
        lambda secret: logging.LogRecord("n", 30, "f", 1, "%s", (secret,), None).getMessage(),
    ],
)
def test_V3_printing_it_shows_nothing_of_it(printed: Callable[[Secret], str]) -> None:
    assert "hunter2" not in printed(SECRET)
    assert "Secret(…)" in printed(SECRET)


@pytest.mark.parametrize("leak", [json.dumps, pickle.dumps, copy.copy, copy.deepcopy, vars])
def test_V3_it_is_written_nowhere(leak: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as caught:
        leak(SECRET)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_only_revealing_gives_it_out() -> None:
    assert SECRET.reveal() == "hunter2-hunter2"


def test_secrets_are_alike_where_their_values_are() -> None:
    assert {Secret("a"), Secret("a"), Secret("b")} == {Secret("a"), Secret("b")}
    assert Secret("a") != "a"
