"""Who has to wait: a conversation for which Slack asks for a pause, and everything while Slack is down."""

from datetime import datetime, timedelta

from bot.core.errors import Unavailable
from bot.ports import Clock

DOWN = 2.0  # seconds that an outage is taken to last, so that not every post waits for its own time-out


class Pace:
    """Remembers pauses; asking for what has to wait raises at once, without asking Slack."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, datetime] = {}
        self._up_from: datetime | None = None

    def check(self, conversation: str) -> None:
        """Raise Unavailable, with what is left of the pause, for what has to wait."""
        now = self._clock.now()
        self._until = {one: until for one, until in self._until.items() if until > now}
        until = max((one for one in (self._up_from, self._until.get(conversation)) if one), default=now)
        if until > now:
            raise Unavailable("Slack is given time.", (until - now).total_seconds())

    def quiet(self, conversation: str, seconds: float) -> None:
        """Leave a conversation alone for a while."""
        self._until[conversation] = self._clock.now() + timedelta(seconds=seconds)

    def down(self) -> None:
        """Leave Slack alone for a moment."""
        self._up_from = self._clock.now() + timedelta(seconds=DOWN)
