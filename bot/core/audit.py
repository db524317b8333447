"""The audit chain: immutable facts, each holding the hash of the one before (as RFC 6962 logs do)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.core import canonical
from bot.core.principal import Who

GENESIS = "0" * 64


class Tag(StrEnum):
    """Every kind of fact the log knows."""

    REQUEST_PERMITTED = "request:permitted"
    REQUEST_NEEDS_APPROVAL = "request:approval:needed"
    REQUEST_REFUSED = "request:refused"
    APPROVAL_GRANTED = "request:approval:granted"
    APPROVAL_DENIED = "request:approval:denied"
    APPROVAL_REFUSED = "request:approval:refused"
    APPROVAL_VOID = "request:approval:void"
    APPROVAL_REMINDED = "request:approval:reminded"
    APPROVAL_ESCALATED = "request:approval:escalated"
    REQUEST_HANDED_OVER = "request:handed_over"
    REQUEST_TAKEN_UP = "request:taken_up"
    ABSENCE_SET = "approver:away"
    ABSENCE_ENDED = "approver:back"
    REQUEST_APPROVED = "request:approved"
    REQUEST_EXPIRED = "request:expired"
    REQUEST_WITHDRAWN = "request:withdrawn"
    ACCESS_REFUSED = "access:refused"
    QUERY_RAN = "query:ran"
    RUN_STARTED = "run:started"
    RUN_REFUSED = "run:refused"
    RUN_SUCCEEDED = "run:succeeded"
    RUN_FAILED = "run:failed"
    RUN_TIMED_OUT = "run:timed_out"
    RUN_CANCELLED = "run:cancelled"
    RUN_INTERRUPTED = "run:interrupted"
    RUN_REQUEUED = "run:requeued"
    RUN_ENDED_LATE = "run:ended_late"
    EMERGENCY_REVIEWED = "run:emergency:reviewed"
    EMERGENCY_REVIEW_REFUSED = "run:emergency:review_refused"
    POST_GIVEN_UP = "post:given_up"
    SECRET_SET = "vault:secret:set"  # noqa: S105 - a tag
    SECRET_REMOVED = "vault:secret:removed"  # noqa: S105 - a tag
    KEY_ROTATED = "vault:key:rotated"
    ACCOUNT_LINKED = "account:linked"
    ACCOUNT_RELINKED = "account:relinked"
    ACCOUNT_UNLINKED = "account:unlinked"
    ACCOUNT_LINK_REFUSED = "account:link:refused"


@dataclass(frozen=True)
class Draft:
    """A fact before it has its place in the chain. `subject`: a run's id, a secret's name, an account's key."""

    tag: Tag
    actor: Who
    subject: str
    at: datetime
    facts: Mapping[str, canonical.Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One immutable fact. `hash` covers every other field; `previous` is the hash of `sequence` − 1."""

    sequence: int
    at: datetime
    tag: str
    tenant: str
    actor: str
    actor_name: str
    subject: str
    facts: Mapping[str, canonical.Json]
    previous: str
    hash: str = ""

    @property
    def reference(self) -> str:
        """The reference people see: `AUD-000123-9f3a2c`."""
        return f"AUD-{self.sequence:06d}-{self.hash[:6]}"

    def computed(self) -> str:
        """Return the hash that this entry's fields give."""
        return canonical.sha256(
            {
                "sequence": self.sequence,
                "at": self.at.isoformat(),
                "tag": self.tag,
                "tenant": self.tenant,
                "actor": self.actor,
                "actor_name": self.actor_name,
                "subject": self.subject,
                "facts": self.facts,
                "previous": self.previous,
            }
        )


def seal(draft: Draft, sequence: int, previous: str) -> Entry:
    """Give a fact its place in the chain: its sequence number and its hash."""
    who = draft.actor
    bare = Entry(
        sequence, draft.at, draft.tag, who.tenant, who.oid, who.name, draft.subject, draft.facts, previous
    )
    return Entry(**{**vars(bare), "hash": bare.computed()})


@dataclass(frozen=True)
class Verdict:
    """What a check of the chain found: how many entries hold, and the first that doesn't."""

    holds: int
    broken_at: int | None = None
    fault: str = ""
    head: str = GENESIS


def verify(entries: Iterable[Entry], *, since: tuple[int, str] = (0, GENESIS)) -> Verdict:
    """Check a chain in order of its sequence numbers and stop at the first entry that doesn't hold.

    `since` is the sequence number and hash before the first entry given.
    """
    sequence, previous = since
    holds = 0
    for entry in entries:
        sequence += 1
        fault = _fault(entry, sequence, previous)
        if fault:
            return Verdict(holds, min(entry.sequence, sequence), fault, previous)
        previous, holds = entry.hash, holds + 1
    return Verdict(holds, head=previous)


def _fault(entry: Entry, sequence: int, previous: str) -> str:
    if entry.sequence != sequence:
        return f"entry {sequence} is missing or out of order (found {entry.sequence} in its place)"
    if entry.previous != previous:
        return f"entry {sequence} doesn't follow the one before it"
    if entry.hash != entry.computed():
        return f"entry {sequence} was changed after it was written"
    return ""


_REFERENCE = re.compile(r"AUD-(\d{1,12})(?:-([0-9a-f]{6}))?", re.IGNORECASE)


def read_reference(text: str) -> tuple[int, str] | None:
    """Read `AUD-000123-9f3a2c` (or `AUD-123`) into a sequence number and the start of a hash."""
    match = _REFERENCE.fullmatch(text.strip())
    return (int(match[1]), (match[2] or "").lower()) if match else None
