"""Gives an account a new password that must be changed at the next sign-in."""

import secrets

from directory import connect

# Without letters and digits that are mistaken for each other when read out on the telephone.
LETTERS = "abcdefghijkmnopqrstuvwxyz"
CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
DIGITS = "23456789"


def main(account: str, *, directory: dict[str, str]) -> dict[str, str]:
    """Set a generated password and make it expire at the first use.

    Args:
        account: The sign-in name, such as alice.
    """
    with connect(directory) as session:
        person = session.person(account)
        print(f"Found {person.dn}.")
        if person.protected:
            raise SystemExit(
                f"{account} is an administrator's account, so its password stays as it is. "
                "The directory's administrators reset it themselves."
            )
        password = new_password()
        session.replace(person, {"unicodePwd": quoted(password), "pwdLastSet": "0"})
    then = "Another must be chosen at the next sign-in."
    if person.locked:
        then += " The account is still locked: unlock-account unlocks it."
    if person.disabled:
        then += " The account is disabled, so nobody can sign in with it."
    return {"account": account, "new_password": password, "then": then}


def new_password() -> str:
    """Return four groups of four characters, about 90 bits, with every class a domain may ask for."""
    while True:
        characters = [secrets.choice(LETTERS + CAPITALS + DIGITS) for _ in range(16)]
        if all(set(characters) & set(kind) for kind in (LETTERS, CAPITALS, DIGITS)):
            return "-".join("".join(characters[at : at + 4]) for at in range(0, 16, 4))


def quoted(password: str) -> bytes:
    """Return a password as `unicodePwd` takes it: in quotes, UTF-16LE ([MS-ADTS] 3.1.1.3.1.5.1)."""
    return f'"{password}"'.encode("utf-16-le")
