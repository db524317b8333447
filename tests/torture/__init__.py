"""The torture test: real processes on a real PostgreSQL, killed at random, and a judge who believes only a ledger.

`make torture` prints one table. The words: a *command* is what somebody asks, by its name (`c00042`); the *ledger*
is a file that the scripts themselves write; *people* are processes that ask, *workers* those that work.
"""
