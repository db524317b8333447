"""Directories: who people are and what groups they are in."""
