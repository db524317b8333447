"""Reads the account again: must its password be changed at the next sign-in?"""

from directory import connect


def main(account: str, *, directory: dict[str, str]) -> dict[str, str | bool]:
    """Return whether `pwdLastSet` is 0; the new password itself is known to the requester alone."""
    with connect(directory) as session:
        changed = session.person(account).number("pwdLastSet")
    must = "must" if changed == 0 else "need not"
    return {
        "ok": changed == 0,
        "message": f"{account} {must} choose a password at the next sign-in: pwdLastSet is {changed}.",
    }
