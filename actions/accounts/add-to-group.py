"""Puts an account into a group."""

from directory import connect


def main(account: str, group: str, *, directory: dict[str, str]) -> str:
    """Add the account to `member` of the group.

    Args:
        account: The sign-in name, such as alice.
        group: The group to put the account into.
    """
    with connect(directory) as session:
        person, target = session.person(account), session.group(group)
        print(f"Found {person.dn} and {target.dn}.")
        if target.protected:
            raise SystemExit(
                f"{group} gives an administrator's rights, so {account} was not added. "
                "The directory's administrators decide about its members themselves."
            )
        if session.is_member(target, person):
            return f"{account} was in {group} already; nothing was changed."
        session.add_member(target, person)
    return f"{account} is in {group} now, from the next sign-in on."
