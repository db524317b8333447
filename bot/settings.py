"""Settings: one frozen value read from `DEPUTY_*` variables and a `.env` file at the start."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from bot.core.errors import Invalid, Unavailable, gathered, noted

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
# What is used of settings that don't go together, to look at the rest.
_PLACES = ("data_dir", "actions_dir", "policies_dir", "links_file")
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
        with gathered() as faults:
            if self.local_chat and self.host not in LOOPBACK:
                sentence = "The local channel lets anybody be anybody, so it listens on loopback only."
                faults.append(Invalid(sentence, "DEPUTY_HOST"))
            for check in (_check_slack, _check_slack_address, _check_addresses, _check_entra):
                with noted(faults):
                    check(self)

    @property
    def slack(self) -> bool:
        """Whether Slack is set up."""
        return bool(self.slack_bot_token)

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


def _check_slack(settings: Settings) -> None:
    """Raise Invalid where Slack is set up in part: nothing may come in that can't be proven to be Slack's."""
    given = {name: getattr(settings, name) for name in _SLACK}
    with gathered() as faults:
        if settings.slack and not settings.slack_signing_secret and not settings.slack_app_token:
            sentence = (
                "Without it nobody could tell Slack's messages from forged ones, so Deputy does not start. Your "
                "Slack app's page has it under Basic Information; for Socket Mode set DEPUTY_SLACK_APP_TOKEN."
            )
            faults.append(Invalid(sentence, "DEPUTY_SLACK_SIGNING_SECRET"))
        for name, (shape, looks) in _SLACK.items():
            if given[name] and not re.fullmatch(shape, given[name]):
                faults.append(Invalid(f"It looks otherwise: {looks}.", _variable(name)))
            elif not given[name] and name in ("slack_bot_token", "slack_team") and any(given.values()):
                faults.append(Invalid("It is missing, and Slack needs it.", _variable(name)))


def _check_slack_address(settings: Settings) -> None:
    address = urlsplit(settings.slack_api)
    with gathered() as faults:
        if not (address.scheme == "https" or (address.scheme == "http" and address.hostname in LOOPBACK)):
            sentence = "It must be https, or http on this machine for a test."
            faults.append(Invalid(sentence, "DEPUTY_SLACK_API"))
        if not settings.slack_api.endswith("/"):
            faults.append(Invalid("It must end in a slash, as https://slack.com/api/ does.", "DEPUTY_SLACK_API"))


def _check_addresses(settings: Settings) -> None:
    with gathered() as faults:
        for name in ("public_url", "entra_authority", "graph_url"):
            with noted(faults):
                _check_address(settings, name)


def _check_address(settings: Settings, name: str) -> None:
    text = getattr(settings, name)
    scheme, host = _origin(text, name) if text else ("https", None)
    if scheme != "https" and not (scheme == "http" and host in LOOPBACK and name == "public_url"):
        raise Invalid(f"“{text}” must begin with https://.", _variable(name))
    if name == "public_url" and settings.local_chat and text and host not in LOOPBACK:
        raise Invalid(
            "The local channel lets anybody be anybody, so nothing of this process may be reached from elsewhere.",
            _variable(name),
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
    with gathered() as faults:
        for name in ("entra_tenant", "entra_client_id"):
            if not _GUID.fullmatch(getattr(settings, name)):
                sentence = "It takes a GUID, as the app registration shows it."
                faults.append(Invalid(sentence, _variable(name)))
        if bool(settings.entra_client_secret) == bool(settings.entra_certificate):
            sentence = (
                "Deputy proves itself to Entra ID by this or by DEPUTY_ENTRA_CERTIFICATE (a PEM file): give one."
            )
            faults.append(Invalid(sentence, "DEPUTY_ENTRA_CLIENT_SECRET"))
        if not settings.public_url:
            sentence = (
                "It is empty. People link their accounts on a page: say by which address they reach this process."
            )
            faults.append(Invalid(sentence, "DEPUTY_PUBLIC_URL"))


def _variable(name: str) -> str:
    return f"DEPUTY_{name.upper()}"


def read(environment: Mapping[str, str] | None = None, env_file: Path = Path(".env")) -> Settings:
    """Read the settings. Raises Invalid naming the variable that is wrong or unknown, with all the others."""
    with gathered() as faults:
        return right(faults, environment, env_file)


def right(
    faults: list[Invalid], environment: Mapping[str, str] | None = None, env_file: Path = Path(".env")
) -> Settings:
    """Read the settings as far as they are right; each that is wrong is left out, and goes among the faults."""
    given = dict(os.environ if environment is None else environment)
    values = {key: value for key, value in given.items() if key.startswith("DEPUTY_")}
    wrong: list[Invalid] = []
    pieces: list[Binding] = []
    with noted(wrong):
        pieces = _pieces(env_file)
    unread = [one for one in pieces if one.error]
    wrong += [Invalid("It isn't NAME=value, nor a comment.", f"{env_file}:{_line(one)}") for one in unread]
    lines = {one.key: _line(one) for one in pieces if one.key and one.key not in values}
    found = _settings(wrong, {**_set_by(pieces), **values})
    faults += [_in_file(fault, env_file, lines) for fault in wrong]
    return found


def _settings(faults: list[Invalid], values: Mapping[str, str]) -> Settings:
    fields = {_variable(name): name for name in Settings.__dataclass_fields__}
    typed: dict[str, Any] = {}
    for key, value in values.items():
        with noted(faults):
            if key not in fields:
                known = ", ".join(sorted(fields))
                raise Invalid(f"There is no such setting. The settings are {known}.", key)
            typed[fields[key]] = _typed(key, fields[key], value)
    with noted(faults):
        return Settings(**typed)
    return Settings(**{name: typed[name] for name in _PLACES if name in typed})


def _in_file(fault: Invalid, path: Path, lines: Mapping[str, int]) -> Invalid:
    """Give a fault of a setting that stands in the file its line there."""
    line = lines.get(fault.where)
    words = fault.sentence.removeprefix(f"{fault.where}: ")
    return Invalid(words, f"{path}:{line}: {fault.where}") if line else fault


def _pieces(path: Path) -> list[Binding]:
    """Cut a file of settings, where there is one, into its lines; a value in quotes may go over several."""
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8") as file:
            return list(parse_stream(file))
    except UnicodeDecodeError as error:
        raise Invalid(f"It is not UTF-8 text (byte {error.start + 1}); save it as UTF-8.", str(path)) from None
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.", str(path)) from None


def _set_by(pieces: list[Binding]) -> dict[str, str]:
    text = "".join(one.original.string for one in pieces if not one.error)
    found = dotenv_values(stream=StringIO(text))
    return {key: value or "" for key, value in found.items() if key.startswith("DEPUTY_")}


def _line(binding: Binding) -> int:
    """Return the line of what stands after the blank lines with which a piece of the file may begin."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")


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
