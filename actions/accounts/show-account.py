"""Shows how an account stands."""

from datetime import datetime

from directory import connect


def main(account: str, *, directory: dict[str, str]) -> dict[str, str | bool]:
    """Return the facts helpdesk asks for first.

    Args:
        account: The sign-in name, such as alice.
    """
    with connect(directory) as session:
        person = session.person(account)
        groups = [group.name for group in session.groups(person)]
    return {
        "account": person.name,
        "name": person.text("displayName"),
        "mail": person.text("mail"),
        "department": person.text("department"),
        "enabled": not person.disabled,
        "locked": person.locked,
        **({"locked_since": _when(person.moment("lockoutTime"))} if person.locked else {}),
        "password_set": _when(person.moment("pwdLastSet")) or "must be changed at the next sign-in",
        "groups": ", ".join(groups) or "none",
    }


def _when(moment: datetime | None) -> str:
    return moment.strftime("%-d %b %Y, %H:%M UTC") if moment else ""
