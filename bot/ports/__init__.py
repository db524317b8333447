"""The ports: what Deputy needs from the world.

Adapters satisfy these structurally; `app.py` alone knows which is which. Every error that crosses a
port is one of `core/errors.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.parameter import Choice
from bot.ports.chat import Chat, Message, Timeline
from bot.ports.deciding import About, Clock, Directory, Policy, Question, RoleInfo, Situation
from bot.ports.running import CatalogSource, Engine, NewRun, Relay, Runner, Running, Stop
from bot.ports.store import Change, Delivery, Links, Output, Post, Store, Waiting
from bot.ports.vault import SecretRow, SecretRows, Vault

__all__ = [
    "About",
    "CatalogSource",
    "Change",
    "Chat",
    "Clock",
    "Delivery",
    "Directory",
    "Engine",
    "Links",
    "Message",
    "NewRun",
    "Output",
    "Policy",
    "Ports",
    "Post",
    "Question",
    "Relay",
    "RoleInfo",
    "Runner",
    "Running",
    "SecretRow",
    "SecretRows",
    "Situation",
    "Stop",
    "Store",
    "Timeline",
    "Vault",
    "Waiting",
]


@dataclass(frozen=True)
class Ports:
    """Everything the services need, put together once by `app.py`.

    `answers` are those of query actions by query and person, with the moment they were given; times in seconds.
    `target_at_once` is how many runs there may be at once on one target; 0: any number.
    `situation` says what goes on at a moment; unless one is given, nobody is on call and there is no incident.
    `comparable` are the actions of which some run is known to have ended.
    `link_page` is the address of the page where accounts are linked, empty where none has to be.
    """

    clock: Clock
    directory: Directory
    policy: Policy
    catalog: CatalogSource
    vault: Vault
    store: Store
    engine: Engine
    runners: Mapping[str, Runner]
    chats: Mapping[str, Chat]
    running: Running
    nonce: Callable[[], str]
    approval_ttl: float = 8 * 3600.0
    private_ttl: float = 3600.0
    target_at_once: int = 0
    link_page: str = ""
    situation: Callable[[datetime], Situation] = lambda now: Situation()
    comparable: set[str] = field(default_factory=set)
    answers: dict[tuple[str, str], tuple[datetime, tuple[Choice, ...]]] = field(default_factory=dict)
