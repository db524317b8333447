"""What a runner gets and gives: one start of a script, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.core.action import Action, Script
from bot.core.canonical import Json
from bot.core.parameter import Value
from bot.core.secret import Secret


@dataclass(frozen=True)
class Work:
    """All a runner needs for one start. `credentials` maps a name in the script to its fields.

    `timeout` is in seconds, `output_cap` in bytes.
    """

    run: str
    action: Action
    script: Script
    arguments: Mapping[str, Value | Secret]
    credentials: Mapping[str, Mapping[str, Secret]]
    timeout: float
    output_cap: int = 1_000_000


class ExitReason(StrEnum):
    """Why a script is no longer running."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"
    OUTPUT_LIMIT = "output_limit"
    NOT_STARTED = "not_started"


@dataclass(frozen=True)
class Exit:
    """How a script ended. `result` is its structured result (not yet redacted), None where it gave none."""

    reason: ExitReason
    code: int | None = None
    result: Json = None
    seconds: float = 0.0
    sentence: str = ""
