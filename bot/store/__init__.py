"""The truth in a SQL database: runs, audit chain, outbox, inbox, scripts, outputs, the vault's rows.

`database.py` is the door. Behind it every step is a plain function on one connection: reads take
any connection, writes are gathered by `writer.py` into one transaction. What only SQLite or
only PostgreSQL understands stands in `sqlite.py` and `postgres.py`; `backend.py` says which one it is.
"""
