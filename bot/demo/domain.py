"""The rules of the demo's directory: those of Active Directory ([MS-ADTS]) that Deputy's actions meet."""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ldaptor import delta, inmemory
from ldaptor.protocols.ldap import distinguishedname, ldaperrors

BASE = "DC=demo,DC=example"
SERVICE = f"CN=svc-deputy,OU=Services,{BASE}"
SHORTEST_PASSWORD = 12

Values = Sequence[bytes]


class Domain:
    """The entries of the .ldif, the passwords as salted hashes, and what may be changed."""

    def __init__(self, password: str) -> None:
        with Path(__file__).with_name("people.ldif").open("rb") as ldif:
            self.root: Any = inmemory.fromLDIFFile(ldif).result
        self._passwords = {_key(SERVICE): _sealed(password)}
        for entry in self._entries():
            for dn in entry.get(b"member", ()):
                self._join(entry, self.entry(dn))

    def entry(self, dn: bytes) -> Any:
        """Return an entry by its distinguished name. Raises LDAPNoSuchObject."""
        found: list[Any] = []
        self.root.lookup(distinguishedname.DistinguishedName(dn)).addCallbacks(found.append, lambda failure: None)
        if not found:
            raise ldaperrors.LDAPNoSuchObject(dn)
        return found[0]

    def bind(self, dn: bytes, password: bytes) -> None:
        """Check a password. Raises LDAPInvalidCredentials, with Active Directory's own code for why."""
        sealed = self._passwords.get(_key(dn))
        if not sealed or not secrets.compare_digest(sealed[1], _digest(password, sealed[0])):
            raise ldaperrors.LDAPInvalidCredentials("80090308: LdapErr: AcceptSecurityContext error, data 52e")
        if _key(dn) != _key(SERVICE):
            raise ldaperrors.LDAPInvalidCredentials("80090308: LdapErr: AcceptSecurityContext error, data 773")

    def modify(self, dn: bytes, changes: Sequence[delta.Modification]) -> None:
        """Change an entry, wholly or not at all. Raises an LDAPException for what a rule forbids."""
        entry = self.entry(dn)
        rules = [self._rule(entry, change) for change in changes]
        for rule, change in zip(rules, changes, strict=True):
            rule(self, entry, list(change), check=True)
        for rule, change in zip(rules, changes, strict=True):
            rule(self, entry, list(change), check=False)

    def _rule(self, entry: Any, change: delta.Modification) -> Callable[..., None]:
        rule = _RULES.get((type(change), change.key.lower()))
        if not rule or b"adminCount" in entry:
            raise ldaperrors.LDAPInsufficientAccessRights("00002098: SecErr: INSUFF_ACCESS_RIGHTS")
        return rule

    def _entries(self) -> list[Any]:
        found: list[Any] = []
        self.root.subtree(found.append)
        return found

    def _join(self, group: Any, member: Any) -> None:
        for entry, attribute, other in ((group, b"member", member), (member, b"memberOf", group)):
            entry[attribute] = {*entry.get(attribute, ()), other.dn.getText().encode()}

    def _unlock(self, entry: Any, values: Values, check: bool) -> None:
        if values != [b"0"]:
            raise ldaperrors.LDAPUnwillingToPerform("lockoutTime takes 0 only.")
        if not check:
            entry[b"lockoutTime"] = [b"0"]

    def _expire(self, entry: Any, values: Values, check: bool) -> None:
        if values not in ([b"0"], [b"-1"]):
            raise ldaperrors.LDAPUnwillingToPerform("pwdLastSet takes 0 or -1 only.")
        if not check:
            entry[b"pwdLastSet"] = [b"0"] if values == [b"0"] else [_now()]

    def _password(self, entry: Any, values: Values, check: bool) -> None:
        password = _unquoted(values)
        if not _complex(password):
            raise ldaperrors.LDAPUnwillingToPerform("0000052D: SvcErr: problem 5003 (WILL_NOT_PERFORM)")
        if not check:
            self._passwords[_key(entry.dn.getText().encode())] = _sealed(password)
            entry[b"pwdLastSet"] = [_now()]

    def _add_member(self, entry: Any, values: Values, check: bool) -> None:
        for dn in values:
            member = self.entry(dn)
            if not check:
                self._join(entry, member)
            elif member.dn.getText().encode() in entry.get(b"member", ()):
                raise ldaperrors.LDAPEntryAlreadyExists("00000562: UpdErr: ENTRY_EXISTS")


_RULES: Mapping[tuple[type, bytes], Callable[..., None]] = {
    (delta.Replace, b"lockouttime"): Domain._unlock,
    (delta.Replace, b"unicodepwd"): Domain._password,
    (delta.Replace, b"pwdlastset"): Domain._expire,
    (delta.Add, b"member"): Domain._add_member,
}


def _unquoted(values: Values) -> str:
    """Read `unicodePwd`: one value, UTF-16LE, in double quotes."""
    try:
        text = values[0].decode("utf-16-le")
    except (IndexError, UnicodeDecodeError):
        text = ""
    if len(values) != 1 or len(text) < 2 or text[0] + text[-1] != '""':
        raise ldaperrors.LDAPUnwillingToPerform("0000001F: SvcErr: unicodePwd takes a quoted UTF-16LE text.")
    return text[1:-1]


def _complex(password: str) -> bool:
    """Say whether a password is long enough and has three of the four classes a domain asks for."""
    classes = (str.islower, str.isupper, str.isdigit, lambda char: not char.isalnum())
    found = sum(any(is_one(char) for char in password) for is_one in classes)
    return len(password) >= SHORTEST_PASSWORD and found >= 3


def _key(dn: bytes | str) -> str:
    return str(distinguishedname.DistinguishedName(dn).getText()).lower()


def _sealed(password: str) -> tuple[bytes, bytes]:
    salt = secrets.token_bytes(16)
    return salt, _digest(password.encode(), salt)


def _digest(password: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(password, salt=salt, n=2**12, r=8, p=1)


def _now() -> bytes:
    """Return this moment as 100 ns since 1601."""
    return str(int((time.time() + 11_644_473_600) * 10**7)).encode()
