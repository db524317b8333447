"""Unlocks an account that too many wrong passwords locked."""

from directory import connect


def main(account: str, *, directory: dict[str, str]) -> str:
    """Set `lockoutTime` to 0, which is how Active Directory unlocks.

    Args:
        account: The sign-in name, such as alice.
    """
    with connect(directory) as session:
        person = session.person(account)
        print(f"Found {person.dn}.")
        if not person.locked:
            return f"{account} was not locked; nothing was changed."
        session.replace(person, {"lockoutTime": "0"})
    if person.disabled:
        return f"{account} is unlocked, but it is disabled, so nobody can sign in with it."
    return f"{account} is unlocked."
