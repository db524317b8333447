"""The command line. Commands import what they need when they run, so that each starts fast."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from bot.cli import audit, check, db, doctor, manifest, policy, say, serve, vault
from bot.core.errors import DeputyError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Deputy: delegated execution in chat.",
)
app.command()(serve.demo)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("check")(check.check)
app.command("doctor")(doctor.doctor)
app.command("say")(say.say)
app.add_typer(vault.app, name="vault")
app.add_typer(audit.app, name="audit")
app.add_typer(db.app, name="db")
app.add_typer(policy.app, name="policy")
app.add_typer(manifest.app, name="manifest")


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more of what happens.")] = False,
) -> None:
    import logging

    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def main() -> None:
    """Run the command line; every expected failure is one sentence on stderr and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # what a terminal has no letters for is shown all the same
    try:
        app()
    except DeputyError as error:
        print(f"deputy: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
