"""A value that never prints."""

from typing import NoReturn


class Secret:
    """Wraps a secret text. Only `reveal()` gives it out; printing, formatting and pickling don't."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself: for the one place that hands it to a script."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


# Fields of a credential that are no secrets; what is not named here is one (style.md, rule 11).
PLAIN_FIELDS = frozenset({"username", "url", "host", "port", "domain", "base_dn"})

# Shorter texts occur in ordinary output, so they can't be redacted and are not taken into the vault.
SHORTEST = 6
