"""What was found about a set-up: whether one thing of it works, and what to do where it doesn't."""

from dataclasses import dataclass

SIGNS = {True: "✔", False: "✖", None: "–"}


@dataclass(frozen=True)
class Finding:
    """What was looked at, and a sentence about it. `fine` is None where there was nothing to look at."""

    about: str
    sentence: str
    fine: bool | None = None

    def __str__(self) -> str:
        return f"{SIGNS[self.fine]} {self.about}: {self.sentence}"


def works(about: str, sentence: str) -> Finding:
    """Return the finding that something is as it has to be."""
    return Finding(about, sentence, True)


def fails(about: str, sentence: str) -> Finding:
    """Return the finding that something is wrong; the sentence says what to do."""
    return Finding(about, sentence, False)


def absent(about: str, sentence: str) -> Finding:
    """Return the finding that something isn't set up, or not there yet, which is no fault."""
    return Finding(about, sentence)
