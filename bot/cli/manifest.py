"""`deputy manifest`: what makes the app at a chat platform, built from the catalogue."""

import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from bot.core.errors import Invalid
from bot.settings import read

app = typer.Typer(no_args_is_help=True, help="Print what makes the app at a chat platform.")


@app.callback()
def _platforms() -> None:
    """Keep the platform a word of its own, though there is one."""


@app.command()
def slack(
    url: Annotated[
        str, typer.Option(help="Slack delivers to https://deputy.example.com; without it by Socket Mode")
    ] = "",
) -> None:
    """Print the manifest to paste at https://api.slack.com/apps: “Create New App”, “From a manifest”, YAML."""
    import yaml

    from bot.app import catalog_of
    from bot.chat.slack.manifest import manifest

    catalog = catalog_of(read()).catalog()
    made = manifest(catalog, _checked(url))
    print(yaml.safe_dump(made.content, sort_keys=False, allow_unicode=True, width=110), end="")
    if made.left_out:
        print(
            f"Slack takes 50 commands of 32 characters, and none that it has itself, so "
            f"{', '.join(made.left_out)} got none: type /deputy before their names.",
            file=sys.stderr,
        )
    if catalog.faults:
        print(f"Not in it, for `deputy check` finds faults: {', '.join(catalog.faults)}.", file=sys.stderr)


def _checked(url: str) -> str:
    """Return an address without the slash at its end. Raises Invalid."""
    given = url.rstrip("/")
    try:
        parts = urlsplit(given)
        fine = bool(parts.hostname) and "@" not in given and given == f"https://{parts.netloc}"
    except ValueError:
        fine = False
    if url and not fine:
        raise Invalid(f"“{url}” is not an address like https://deputy.example.com, without a path.", "--url")
    return given
