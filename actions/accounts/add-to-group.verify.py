"""Asks the directory again: is the account in the group?"""

from directory import connect


def main(account: str, group: str, *, directory: dict[str, str]) -> dict[str, str | bool]:
    """Return whether the account is a direct member."""
    with connect(directory) as session:
        person, target = session.person(account), session.group(group)
        member = session.is_member(target, person)
    return {"ok": member, "message": f"{account} is {'' if member else 'not '}a member of {group}."}
