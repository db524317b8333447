"""Who calls a service, and what it says back at once, to that person alone.

What others see goes through the outbox; a reply is only what the door hands back in the same breath.
"""

from dataclasses import dataclass

from bot.core.card import Card
from bot.core.form import Form
from bot.core.principal import Principal
from bot.core.run import Place


@dataclass(frozen=True)
class Caller:
    """A principal at a door: `door` is `chat`, `cli`, later `api`, `schedule`, `agent`."""

    principal: Principal
    place: Place
    door: str = "chat"


@dataclass(frozen=True)
class Reply:
    """At most one of a card and a form; `run` names the run that came of it."""

    card: Card | None = None
    form: Form | None = None
    run: str = ""
