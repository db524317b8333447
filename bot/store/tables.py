"""The tables. A change here needs a migration: a test compares the two.

Moments are ISO 8601 texts in UTC with microseconds, so that they sort as time does; those of the
audit chain are kept exactly as they were sealed. Structured values are JSON texts.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# What counts for ever. SQLite's INTEGER is that large already, and only by that name numbers rows by itself.
GROWING = BigInteger().with_variant(Integer, "sqlite")

# `number` is the order in which runs came, whatever the clock said. `document` is the whole run;
# the columns beside it are what is searched by.
runs = Table(
    "runs",
    metadata,
    Column("number", GROWING, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("requester", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created", Text, nullable=False),
    Column("expires", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "state", "number"),
    Index(None, "state", "expires"),
    Index(None, "requester", "number"),
    Index(None, "requester", "action"),
    Index(None, "action", "number"),
)

# `at` is when the audit log heard of it, so that what is older than the replay window can be removed;
# null where nothing was logged. `run` is empty where it led to none.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("at", Text, index=True),
)

# What was said in chat and acknowledged: `document` says what is to be done, and is empty once it was.
# `holder` is whose turn it is to do it, `at` since when.
intents = Table(
    "intents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("at", Text, nullable=False, index=True),
)

scripts = Table(
    "scripts",
    metadata,
    Column("sha", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

outputs = Table(
    "outputs",
    metadata,
    Column("run", Text, ForeignKey("runs.id"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("expires", Text, index=True),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("sequence", GROWING, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("tag", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index(None, "subject", "sequence"),
)

# One row: who holds its lock appends next, so the chain can't fork.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", GROWING, nullable=False),
    Column("hash", Text, nullable=False),
)

# What a running run keeps others from working on meanwhile.
locks = Table(
    "locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("run", Text, nullable=False, index=True),
)

# Who asked a running script to stop, for the process that runs it.
stops = Table(
    "stops",
    metadata,
    Column("run", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("oid", Text, nullable=False),
    Column("name", Text, nullable=False),
)

# A worker that lives counts on: others see by their own clocks how long its count has stood still.
workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("beats", GROWING, nullable=False),
)

# `due` is empty for a post that is due at once. `only_for` is `Post.only`.
outbox = Table(
    "outbox",
    metadata,
    Column("id", GROWING, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("only_for", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("due", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Index(None, "status", "id"),
    Index(None, "key", "status"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("created", Text, nullable=False),
)

# Where a chat platform shows a post. `message` is empty while nobody knows whether it arrived.
posts = Table(
    "posts",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("conversation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("shown_in", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("content", Text, nullable=False),
)

# `key` is the account in its one spelling, `account` its id as the platform spells it; `since` is when it
# was last linked.
links = Table(
    "links",
    metadata,
    Column("key", Text, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("oid", Text, nullable=False),
    Column("since", Text, nullable=False),
    Index("ix_links_tenant_oid", "tenant", "oid"),
)

# One for each account: a new one takes the place of the one before.
linkings = Table(
    "linkings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("ticket", Text, nullable=False, unique=True),
    Column("revision", Integer, nullable=False),
    Column("expires", Text, nullable=False, index=True),
    Column("document", Text, nullable=False),
)

# One for each person who is away: `holder` is their key, the others who they and who their deputy are.
absences = Table(
    "absences",
    metadata,
    Column("holder", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("oid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("deputy_tenant", Text, nullable=False),
    Column("deputy_oid", Text, nullable=False),
    Column("deputy_name", Text, nullable=False),
    Column("until", Text, nullable=False, index=True),
)

favourites = Table(
    "favourites",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("action", Text, primary_key=True),
)

messages = Table(
    "messages",
    metadata,
    Column("id", GROWING, primary_key=True),
    Column("conversation", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("only_for", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("card", Text),
    UniqueConstraint("conversation", "key"),
    Index(None, "conversation", "id"),
)
