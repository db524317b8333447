"""Values as rows and back, exactly: what is read equals what was written.

What can't be read back raises Damaged naming it; an audit entry that can't becomes one that fails
its verification, so that the verifier names its place in the chain.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

from sqlalchemy import Row

from bot.core import canonical
from bot.core.approval import Vote
from bot.core.audit import Entry
from bot.core.background import Background, FileChange, Past
from bot.core.canonical import Json
from bot.core.card import Card, from_json, to_json
from bot.core.errors import Damaged, DeputyError
from bot.core.principal import Who
from bot.core.request import Request
from bot.core.run import Outcome, Place, Run, State
from bot.ports import Message, Output, Post, SecretRow, Waiting

AnyRow = Row[*tuple[Any, ...]]

LONG_AGO = datetime.min.replace(tzinfo=UTC)
UNREADABLE: Mapping[str, Json] = {"unreadable": "This row is not as Deputy wrote it."}


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Raise Damaged naming `what` where its row can't be read."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise Damaged(
            f"{what} can't be read: its row in the database was changed. Restore a backup, and look into who "
            "could write the file."
        ) from error


def moment(at: datetime) -> str:
    """Return a moment as text that sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


# ---- audit entries -------------------------------------------------------------------------------


def entry_row(entry: Entry) -> dict[str, Any]:
    """Return an entry's columns, which bear the names of its fields."""
    facts = canonical.encode(entry.facts).decode()
    return {**vars(entry), "at": entry.at.isoformat(), "tag": str(entry.tag), "facts": facts}


def read_entry(row: AnyRow) -> Entry:
    """Build an entry from its columns as they are stored; a byte that changed makes it fail verification."""
    sequence, at, tag, tenant, actor, actor_name, subject, facts, previous, hash_ = row
    try:
        if {*map(type, row[1:])} != {str}:
            raise TypeError
        read = _read_sealed_moment(at), tag, tenant, actor, actor_name, subject, _read_facts(facts)
        return Entry(sequence, *read, previous, hash_)
    except (ValueError, TypeError, RecursionError, DeputyError):
        # Nothing hashes to an empty text, so whatever stands in the other fields, this one never verifies.
        tag, tenant, actor, actor_name, subject, previous = map(
            str, (tag, tenant, actor, actor_name, subject, previous)
        )
        return Entry(sequence, LONG_AGO, tag, tenant, actor, actor_name, subject, UNREADABLE, previous)


def _read_sealed_moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.isoformat() != text:
        raise ValueError
    return at


def _read_facts(text: str) -> dict[str, Json]:
    """Read facts that are written as `canonical.encode` writes them.

    That function itself would take half the time of reading a log, so it only looks at keys beyond ASCII.
    """
    facts = _DECODER.decode(text)
    if not isinstance(facts, dict) or _ENCODER.encode(facts) != text:
        raise ValueError
    if not text.isascii():
        canonical.encode(facts)
    return facts


def _whole(digits: str) -> int:
    number = int(digits)
    if abs(number) > canonical.LARGEST:
        raise ValueError
    return number


def _refuse(number: str) -> NoReturn:
    raise ValueError


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_refuse, parse_constant=_refuse)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# ---- runs ----------------------------------------------------------------------------------------


def run_row(run: Run) -> dict[str, Any]:
    """Return a run's columns: what is searched by, and the whole run as a document."""
    return {
        "id": run.id,
        "requester": run.request.requester.key,
        "action": run.request.action,
        "state": run.state.value,
        "revision": run.revision,
        "created": moment(run.created),
        "expires": moment(run.request.expires_at),
        "document": json.dumps(run, default=_fields),
    }


def _fields(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return dict(value) if isinstance(value, Mapping) else vars(value)


def read_run(name: str, document: str) -> Run:
    """Read the run called `name` from its document. Raises Damaged."""
    with reading(f"The run {name}"):
        data = json.loads(document)
        return Run(
            **{
                **data,
                "request": _read_request(data["request"]),
                "place": Place(**data["place"]),
                "state": State(data["state"]),
                "approver_roles": tuple(data["approver_roles"]),
                "votes": tuple(_read_vote(vote) for vote in data["votes"]),
                "background": _read_background(data.get("background", {})),
                **{field: tuple(data.get(field, ())) for field in ("seats", "policies", "could")},
                "reasons": tuple(data["reasons"]),
                "outcome": Outcome(**data["outcome"]),
                "ended_by": Who(**data["ended_by"]) if data["ended_by"] else None,
                **{field: _read_moment(data[field]) for field in ("created", "started", "ended")},
            }
        )


def _read_request(data: Mapping[str, Any]) -> Request:
    arguments = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data["arguments"].items()
    }
    read = {
        "requester": Who(**data["requester"]),
        "arguments": arguments,
        "expires_at": datetime.fromisoformat(data["expires_at"]),
    }
    return Request(**{**data, **read})


def _read_vote(data: Mapping[str, Any]) -> Vote:
    holder = data.get("holder")
    read = {
        "approver": Who(**data["approver"]),
        "at": datetime.fromisoformat(data["at"]),
        "roles": tuple(data.get("roles", ())),
        "holder": Who(**holder) if holder else None,
    }
    return Vote(**{**data, **read})


def _read_background(data: Mapping[str, Any]) -> Background:
    read = {
        "changes": tuple(FileChange(**change) for change in data.get("changes", ())),
        "past": tuple(Past(**{**past, "at": datetime.fromisoformat(past["at"])}) for past in data.get("past", ())),
    }
    return Background(**{**data, **read})


def _read_moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# ---- what is shown -------------------------------------------------------------------------------


def card_text(card: Card) -> str:
    """Return a card as JSON text."""
    return json.dumps(to_json(card))


def read_waiting(row: AnyRow) -> Waiting:
    """Read a post of the outbox. Raises Damaged."""
    with reading(f"The post {row.id} in the outbox"):
        place = Place(row.platform, row.conversation)
        return Waiting(row.id, Post(place, row.key, from_json(json.loads(row.card)), row.only_for), row.attempts)


def read_message(row: AnyRow) -> Message:
    """Read a message of the local channel. Raises Damaged."""
    with reading(f"The message {row.id} of the local channel"):
        card = None if row.card is None else from_json(json.loads(row.card))
        at = datetime.fromisoformat(row.at)
        return Message(row.id, row.key, row.version, at, row.only_for, row.author, row.text, card)


# ---- what is kept --------------------------------------------------------------------------------


def output_row(output: Output) -> dict[str, Any]:
    """Return an output's columns."""
    return {**vars(output), "expires": None if output.expires is None else moment(output.expires)}


def read_output(row: AnyRow) -> Output:
    """Read an output. Raises Damaged."""
    with reading(f"The output of {row.run}"):
        return Output(row.run, row.text, row.sealed, _read_moment(row.expires))


def secret_row(row: SecretRow) -> dict[str, Any]:
    """Return the columns of a sealed secret version."""
    return {**vars(row), "created": moment(row.created)}


def read_secret(row: AnyRow) -> SecretRow:
    """Read a sealed secret version. Raises Damaged."""
    with reading(f"Version {row.version} of the secret {row.name}"):
        created = datetime.fromisoformat(row.created)
        return SecretRow(row.name, row.version, row.key_id, row.wrapped_key, row.ciphertext, created)
