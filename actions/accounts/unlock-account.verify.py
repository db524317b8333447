"""Reads the account again: is it really unlocked?"""

from directory import connect


def main(account: str, *, directory: dict[str, str]) -> dict[str, str | bool]:
    """Return whether the directory no longer counts the account as locked."""
    with connect(directory) as session:
        person = session.person(account)
    state = "locked" if person.locked else "unlocked"
    return {
        "ok": not person.locked,
        "message": f"{account} is {state}: lockoutTime is {person.number('lockoutTime')}.",
    }
