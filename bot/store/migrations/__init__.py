"""The migrations, oldest first: each is a file in `versions/` that names the one before it.

They are history: a change of `tables.py` is a new file here and a new `HEAD` in `schema.py`.
"""
