"""`deputy vault`: credentials in, never out."""

import asyncio
import getpass
import os
import sys
from typing import Annotated

import typer

from bot.core.errors import Invalid
from bot.core.principal import Who
from bot.core.secret import PLAIN_FIELDS, Secret
from bot.core.wording import count
from bot.settings import read

app = typer.Typer(
    no_args_is_help=True, help="The built-in vault: set, list and remove credentials, rotate its key."
)


def operator() -> Who:
    """Return who works at this terminal, for the audit log: by number where the machine has no name for them."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"uid {os.getuid()}"
    return Who("terminal", name, f"{name} (terminal)")


@app.command("set")
def set_(
    name: Annotated[str, typer.Argument(help="The credential's name: directory, ad/operator")],
    fields: Annotated[
        list[str], typer.Argument(help="username=svc url=ldaps://… and password, which is asked for")
    ],
) -> None:
    """Set a credential. A secret field is named without a value: it is asked for, or read from a pipe by line."""
    given = dict(_field(text) for text in fields)
    asyncio.run(_set(name, given))


def _field(text: str) -> tuple[str, Secret]:
    name, equals, value = text.partition("=")
    if equals and name not in PLAIN_FIELDS:
        raise Invalid(
            "Give a secret field by its name alone; its value is asked for and stays out of the shell.", name
        )
    if equals:
        return name, Secret(value)
    if sys.stdin.isatty():
        return name, Secret(getpass.getpass(f"{name}: "))
    return name, Secret(sys.stdin.readline().rstrip("\n"))


async def _set(name: str, fields: dict[str, Secret]) -> None:
    from bot.app import SystemClock, data
    from bot.service.secrets import set_secret

    async with data(read()) as (store, vault):
        done = await set_secret(store, vault, name, fields, operator(), SystemClock().now())
        print(f"“{name}” is set, version {done.version} ({done.audit}).")


@app.command("list")
def list_() -> None:
    """List what there is: names, versions and dates, never values."""
    asyncio.run(_list())


async def _list() -> None:
    from bot.app import data
    from bot.service.secrets import list_secrets

    async with data(read()) as (store, _):
        secrets = [one for one in await list_secrets(store) if not one.name.startswith("run/")]
        for one in secrets:
            print(f"{one.name:<30} version {one.version:<4} set {one.set_at:%Y-%m-%d %H:%M} UTC")
        if not secrets:
            print("The vault is empty. Set a credential: deputy vault set directory username=svc password")


@app.command("remove")
def remove(name: str) -> None:
    """Remove a credential with all its versions."""
    asyncio.run(_remove(name))


async def _remove(name: str) -> None:
    from bot.app import SystemClock, data
    from bot.service.secrets import remove_secret

    async with data(read()) as (store, _):
        audit = await remove_secret(store, name, operator(), SystemClock().now())
        print(f"“{name}” is removed ({audit}).")


@app.command("rotate-key")
def rotate_key() -> None:
    """Replace the key that seals the vault; all it sealed stays readable, whatever happens meanwhile."""
    asyncio.run(_rotate())


async def _rotate() -> None:
    from bot.app import SystemClock, data
    from bot.service.secrets import rotate_key

    async with data(read()) as (store, vault):
        done = await rotate_key(store, vault, operator(), SystemClock().now())
        wrapped = f"{count(done.rewrapped, 'secret')} and {count(done.results, 'private result')}"
        print(f"The key is now {done.key_id}; wrapped with it: {wrapped} ({done.audit}).")
