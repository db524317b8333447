"""The command line. Commands import what they need when they run, so that each starts fast."""

import errno
import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from bot.cli import audit, check, db, doctor, manifest, policy, say, serve, vault
from bot.core.errors import DeputyError, Invalid

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)

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
            stream.reconfigure(errors="backslashreplace")  # a terminal may have no letters for what is printed
    try:
        try:
            app()
        finally:
            print(end="", flush=True)  # what is still to be written fails here and not after all is over
    except DeputyError as error:
        for fault in (error, *(error.others if isinstance(error, Invalid) else ())):
            print(f"deputy: {fault}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _end_output()
        sys.exit(141)
    except OSError as error:
        print(f"deputy: {_told(error)}: {error.strerror or error}.", file=sys.stderr)
        _end_output()
        sys.exit(1)


def _told(error: OSError) -> str:
    """Say what the system refuses, as far as that is known."""
    if error.filename:
        return f"{error.filename} can't be used"
    return "What was to be printed can't be written" if error.errno in _NO_ROOM else "The system refuses"


def _end_output() -> None:
    """Let nothing more be written at the end: it would fail again, in Python's own words."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
