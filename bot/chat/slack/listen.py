"""Listening to Slack: each kind of delivery is read, kept and acknowledged; then it is done.

What has an effect is on the disk before Slack is told that it came. Bolt gets what the guard admitted, already
read, and hands it to one listener, which dispatches by kind: matching seven in turn took three times as long.
"""

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack import hear
from bot.chat.slack.answer import Answer, submitted
from bot.chat.slack.attend import PATIENCE, TOO_MUCH, Attendant
from bot.chat.slack.guard import Payload, Rejected, harmless
from bot.chat.slack.hear import LASTING, Heard
from bot.chat.slack.respond import Responder
from bot.core.errors import DeputyError
from bot.service.inbox import Inbox

log = logging.getLogger(__name__)

OPTIONS = 2.0  # seconds that the options of a select may take
Json = dict[str, Any]
NOTHING: Json = {}


class Listener(AsyncMiddleware):
    """Takes what the guard admitted, by HTTP and Socket Mode alike; Bolt goes no further than here."""

    def __init__(self, attendant: Attendant, responder: Responder, inbox: Inbox) -> None:
        self._attendant = attendant
        self._responder = responder
        self._inbox = inbox
        self._looking: set[asyncio.Task[Json]] = set()
        self._bolt = _bolt(self)
        self._kinds: Mapping[str, Callable[[Json], Awaitable[Json]]] = {
            "": self._command,
            "block_actions": self._click,
            "view_submission": self._submission,
            "view_closed": self._nothing,
            "block_suggestion": self._options,
            "shortcut": self._shortcut,
            "message_action": self._shortcut,
            "event_callback": self._event,
            "app_rate_limited": self._nothing,
        }

    async def deliver(self, payload: Payload) -> Payload:
        """Take a delivery and return what acknowledges it; empty where there is nothing to say.

        Raises Rejected (400) for what can't be understood.
        """
        if harmless(payload):
            challenge = payload.get("challenge")
            return {"challenge": challenge} if isinstance(challenge, str) else NOTHING
        with self._attendant.acknowledging:
            done = await self._bolt.async_dispatch(_Request(payload))
        if done.status != 200:
            raise Rejected(400, "it isn't understood")
        read: Payload = json.loads(done.body) if done.body else NOTHING
        return read

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse:
        """Dispatch what Bolt hands over by its kind; answers 400 for what can't be understood."""
        try:
            answer = await self._kinds[req.body.get("type", "")](req.body)
        except Exception as error:
            _log(error)
            return BoltResponse(status=400)
        return BoltResponse(status=200, body=json.dumps(answer) if answer else "")

    # ---- each kind of delivery -------------------------------------------------------------------

    async def _command(self, body: Json) -> Json:
        return await self._take(hear.command(body))

    async def _click(self, body: Json) -> Json:
        return await self._take(hear.click(body))

    async def _shortcut(self, body: Json) -> Json:
        return await self._take(hear.shortcut(body))

    async def _event(self, body: Json) -> Json:
        heard = hear.event(body)
        return await self._take(heard) if heard else NOTHING

    async def _nothing(self, body: Json) -> Json:
        return NOTHING

    async def _options(self, body: Json) -> Json:
        """Answer in time; what takes longer goes on, and is there when the next letter is typed."""
        looking = asyncio.create_task(self._responder.options(hear.suggestion(body)))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)
        await asyncio.wait({looking}, timeout=OPTIONS)
        return looking.result() if looking.done() else {"options": []}

    async def _submission(self, body: Json) -> Json:
        heard = hear.submission(body)
        asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        await self._take(heard, asked)
        try:
            async with asyncio.timeout(PATIENCE):
                return submitted(heard, await asked)
        except TimeoutError:
            return self._responder.patience(heard)

    # ---- what all of them lead to ----------------------------------------------------------------

    async def _take(self, heard: Heard, asked: asyncio.Future[Answer] | None = None) -> Json:
        """Keep what was heard and begin to do it. `asked` gets the answer while somebody waits for that."""
        if self._attendant.full(heard):
            return self._refuse(heard, asked, TOO_MUCH)
        try:
            if heard.doing not in LASTING or await self._inbox.keep(heard.id, heard.document()):
                self._attendant.begin(heard, asked)
            elif asked:
                asked.set_result(Answer())
        except DeputyError as error:
            return self._refuse(heard, asked, str(error))
        return NOTHING

    def _refuse(self, heard: Heard, asked: asyncio.Future[Answer] | None, sentence: str) -> Json:
        """Say at once why nothing is done: in the acknowledgement where Slack shows that, or by a message."""
        if asked:
            asked.set_result(Answer(sentence=sentence))
        elif heard.id.startswith("command:"):
            return {"response_type": "ephemeral", "text": sentence}
        else:
            self._attendant.tell(heard, Answer(sentence=sentence))
        return NOTHING


class _App(AsyncApp):
    """Bolt's app, without the web client that it makes anew for each delivery: nothing here uses that one."""

    def _init_context(self, req: AsyncBoltRequest) -> None:
        pass


class _Request(AsyncBoltRequest):
    """A delivery as Bolt hands it on. Bolt would look for eight ids in it, which `hear` reads and checks."""

    def __init__(self, payload: Payload) -> None:
        self.raw_body, self.query, self.headers = "", {}, {}
        self.body, self.context = dict(payload), AsyncBoltContext()
        self.content_type = self.lazy_function_name = None
        self.lazy_only, self.mode = False, "socket_mode"


def _log(error: Exception) -> None:
    """Say where something was not understood; not what, for that may hold what somebody wrote."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    log.warning("a delivery from Slack was not understood: %s at %s", type(error).__name__, place)


def _bolt(first: AsyncMiddleware) -> AsyncApp:
    """Build Bolt's app without what the guard has done already, and without its log, for it logs bodies."""
    quiet = logging.getLogger(f"{__name__}.bolt")
    quiet.setLevel(logging.CRITICAL)

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)

    return _App(
        name="deputy",
        logger=quiet,
        client=AsyncWebClient(),
        before_authorize=first,
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
