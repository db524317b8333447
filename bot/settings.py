"""Settings: one frozen value read from `DEPUTY_*` variables and a `.env` file at the start."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from bot.core.errors import Invalid, Unavailable

LOOPBACK = ("127.0.0.1", "::1", "localhost")

_YEAR = 365 * 86_400
# What each of Slack's settings looks like, and that in words.
_SLACK = {
    "slack_bot_token": (r"xoxb-[!-~]+", "a bot's token begins with xoxb-"),
    "slack_signing_secret": (r"[!-~]{16,}", "a signing secret has 32 letters and digits"),
    "slack_app_token": (r"xapp-[!-~]+", "an app-level token begins with xapp-"),
    "slack_team": (r"[TE][A-Z0-9]{1,29}", "a workspace's id begins with T, an Enterprise Grid's with E"),
    "slack_app_id": (r"A[A-Z0-9]{1,29}", "an app's id begins with A"),
}
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOST = {"link_days": 3_650, "concurrency": 1_000, "approval_ttl": _YEAR, "private_ttl": _YEAR}


@dataclass(frozen=True)
class Settings:
    """Where things are and how long they may take. Times are in seconds."""

    data_dir: Path = Path(".deputy")
    database_url: str = field(default="", repr=False)  # it holds a password
    actions_dir: Path = Path("actions")
    policies_dir: Path = Path("policies")
    host: str = "127.0.0.1"
    port: int = 8700
    local_chat: bool = False
    approval_ttl: float = 8 * 3600.0
    private_ttl: float = 3600.0
    concurrency: int = 8
    target_at_once: int = 0  # any number
    links_file: str = ""
    slack_bot_token: str = field(default="", repr=False)
    slack_signing_secret: str = field(default="", repr=False)
    slack_app_token: str = field(default="", repr=False)
    slack_team: str = ""
    slack_app_id: str = ""
    slack_api: str = "https://slack.com/api/"
    public_url: str = ""
    entra_tenant: str = ""
    entra_client_id: str = ""
    entra_client_secret: str = field(default="", repr=False)
    entra_certificate: str = ""
    entra_authority: str = "https://login.microsoftonline.com"
    graph_url: str = "https://graph.microsoft.com"
    link_days: int = 180

    def __post_init__(self) -> None:
        """Raise Invalid for settings that must not go together, however they came about."""
        self._check_slack()
        if self.local_chat and self.host not in LOOPBACK:
            raise Invalid(
                "The local channel lets anybody be anybody, so it listens on loopback only.", "DEPUTY_HOST"
            )
        _check_addresses(self)
        _check_entra(self)

    @property
    def slack(self) -> bool:
        """Whether Slack is set up."""
        return bool(self.slack_bot_token)

    def _check_slack(self) -> None:
        """Raise Invalid where Slack is set up in part: nothing may come in that can't be proven to be Slack's."""
        given = {name: getattr(self, name) for name in _SLACK}
        if self.slack and not self.slack_signing_secret and not self.slack_app_token:
            raise Invalid(
                "Without it nobody could tell Slack's messages from forged ones, so Deputy does not start. Your "
                "Slack app's page has it under Basic Information; for Socket Mode set DEPUTY_SLACK_APP_TOKEN.",
                "DEPUTY_SLACK_SIGNING_SECRET",
            )
        if any(given.values()):
            for name in ("slack_bot_token", "slack_team"):
                if not given[name]:
                    raise Invalid("It is missing, and Slack needs it.", f"DEPUTY_{name.upper()}")
        for name, (shape, looks) in _SLACK.items():
            if given[name] and not re.fullmatch(shape, given[name]):
                raise Invalid(f"It looks otherwise: {looks}.", f"DEPUTY_{name.upper()}")
        address = urlsplit(self.slack_api)
        if not (address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK)):
            raise Invalid("It must be https, or http on this machine for a test.", "DEPUTY_SLACK_API")
        if not self.slack_api.endswith("/"):
            raise Invalid("It must end in a slash, as https://slack.com/api/ does.", "DEPUTY_SLACK_API")

    def address(self, port: int = 0) -> str:
        """Return the address of what listens at the host: at its port, or at another."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{port or self.port}"

    @property
    def database(self) -> Path | str:
        """Return where the database is: PostgreSQL's URL, or SQLite's file."""
        return self.database_url or self.database_file

    @property
    def database_file(self) -> Path:
        return self.data_dir / "deputy.db"

    @property
    def key_file(self) -> Path:
        return self.data_dir / "vault.key"


def _check_addresses(settings: Settings) -> None:
    for name in ("public_url", "entra_authority", "graph_url"):
        text = getattr(settings, name)
        scheme, host = _origin(text, name) if text else ("https", None)
        if scheme != "https" and not (scheme == "http" and host in LOOPBACK and name == "public_url"):
            raise Invalid(f"“{text}” must begin with https://.", _variable(name))
    if settings.local_chat and settings.public_url and _origin(settings.public_url, "")[1] not in LOOPBACK:
        raise Invalid(
            "The local channel lets anybody be anybody, so nothing of this process may be reached from elsewhere.",
            "DEPUTY_PUBLIC_URL",
        )


def _origin(text: str, name: str) -> tuple[str, str | None]:
    """Return scheme and host of an address that has no more than those and a port. Raises Invalid."""
    try:
        where = urlsplit(text)
        host, port = where.hostname, where.port
    except ValueError:
        host = None
    if not host or "@" in text or text != f"{where.scheme}://{where.netloc}" or port == 0:
        raise Invalid(
            f"“{text}” is not an address like https://deputy.example.com, without a path.", _variable(name)
        )
    return where.scheme, host


def _check_entra(settings: Settings) -> None:
    if not settings.entra_tenant:
        return
    for name in ("entra_tenant", "entra_client_id"):
        if not _GUID.fullmatch(getattr(settings, name)):
            raise Invalid("It takes a GUID, as the app registration shows it.", _variable(name))
    if bool(settings.entra_client_secret) == bool(settings.entra_certificate):
        raise Invalid(
            "Deputy proves itself to Entra ID by this or by DEPUTY_ENTRA_CERTIFICATE (a PEM file): give one.",
            "DEPUTY_ENTRA_CLIENT_SECRET",
        )
    if not settings.public_url:
        raise Invalid(
            "It is empty. People link their accounts on a page: say by which address they reach this process.",
            "DEPUTY_PUBLIC_URL",
        )


def _variable(name: str) -> str:
    return f"DEPUTY_{name.upper()}"


def read(environment: Mapping[str, str] | None = None, env_file: Path = Path(".env")) -> Settings:
    """Read the settings; raises Invalid naming the variable that is wrong or unknown."""
    given = dict(os.environ if environment is None else environment)
    values = {
        **_from_file(env_file),
        **{key: value for key, value in given.items() if key.startswith("DEPUTY_")},
    }
    fields = {f"DEPUTY_{name.upper()}": name for name in Settings.__dataclass_fields__}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        known = ", ".join(sorted(fields))
        raise Invalid(f"There is no such setting. The settings are {known}.", unknown[0])
    return Settings(**{fields[key]: _typed(key, fields[key], value) for key, value in values.items()})


def _from_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        found = dotenv_values(path)
    except UnicodeDecodeError as error:
        raise Invalid(f"It is not UTF-8 text (byte {error.start + 1}); save it as UTF-8.", str(path)) from None
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.", str(path)) from None
    return {key: value or "" for key, value in found.items() if key.startswith("DEPUTY_")}


def _typed(variable: str, name: str, text: str) -> Any:
    default = Settings.__dataclass_fields__[name].default
    try:
        if isinstance(default, bool):
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}[
                text.strip().lower()
            ]
        if isinstance(default, int | float):
            number = type(default)(text)
            if number == default == 0:
                return number
            if not 0 < number < math.inf or (name == "port" and number > 65535):
                raise ValueError
            if number > _MOST.get(name, number):
                raise Invalid(f"“{text}” is too much: {_MOST[name]} is the most.", variable)
            return number
    except (KeyError, ValueError):
        kind = {bool: "yes or no", int: "a positive whole number", float: "a positive number"}[type(default)]
        raise Invalid(f"“{text}” is not {kind}{' up to 65535' if name == 'port' else ''}.", variable) from None
    if not text.strip() and default != "":
        raise Invalid("It is empty.", variable)
    return Path(text) if isinstance(default, Path) else text


def check_folders(settings: Settings) -> None:
    """Raise Invalid naming the setting whose folder of actions or policies isn't there."""
    for name in ("actions_dir", "policies_dir"):
        folder = getattr(settings, name)
        if not folder.is_dir():
            sentence = f"There is no folder {folder}. Make it, or name the right one."
            raise Invalid(sentence, f"DEPUTY_{name.upper()}")


def make_data_dir(path: Path) -> None:
    """Make the folder for Deputy's data, for its owner alone."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"The data folder {path} can't be made: {error.strerror}. Set DEPUTY_DATA_DIR."
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise Unavailable(f"The data folder {path} can't be written to. Set DEPUTY_DATA_DIR.")
