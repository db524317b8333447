"""What a start needs and takes before it makes anything, so that one that fails leaves nothing behind."""

import socket

from bot.core.errors import Invalid, Unavailable
from bot.engine.lock import only_one
from bot.settings import Settings, check_folders


def claimed(settings: Settings) -> socket.socket:
    """Check the settings for a process that people come to, and take its port. Raises Invalid, Unavailable."""
    check(settings, doors=True)
    try:
        return _listen_on(settings)
    except Unavailable:
        if not settings.database_url and settings.database_file.is_file():
            with only_one(settings.data_dir):  # another Deputy with the same data is named before its port
                raise
        raise


def check(settings: Settings, *, doors: bool) -> None:
    """Raise Invalid naming the setting that is missing, or whose folder is."""
    check_plan(settings, doors)
    check_folders(settings)


def check_plan(settings: Settings, doors: bool) -> None:
    """Raise Invalid naming the setting without which nobody could come in, or do anything there."""
    if doors and not (settings.local_chat or settings.slack):
        raise Invalid(
            "No chat is set up. Set it to 1 for the local channel, run `deputy demo`, or set up Slack "
            "(DEPUTY_SLACK_BOT_TOKEN).",
            "DEPUTY_LOCAL_CHAT",
        )
    if doors and settings.slack and not (settings.links_file or settings.entra_tenant):
        raise Invalid(
            "Without it no account in Slack is anybody's: connect Entra ID, or name a file of people with "
            "DEPUTY_LINKS_FILE.",
            "DEPUTY_ENTRA_TENANT",
        )
    if settings.links_file and settings.entra_tenant:
        raise Invalid("People come from Entra ID or from a file: set one of the two.", "DEPUTY_LINKS_FILE")
    if not doors and not settings.database_url:
        raise Invalid(
            "Workers beside `deputy serve` need a PostgreSQL database to share; on SQLite it does all the work.",
            "DEPUTY_DATABASE_URL",
        )


def _listen_on(settings: Settings) -> socket.socket:
    """Take the port. Raises Unavailable naming it where somebody else has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"Port {settings.port} on {settings.host} can't be taken: {(error.strerror or str(error)).lower()}. "
            "Stop what listens there, or choose another with DEPUTY_PORT."
        ) from None
    return listener
