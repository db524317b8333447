"""Active Directory over LDAP: bind, find exactly one entry, change it, and say plainly what went wrong.

Attribute names and values are those of [MS-ADTS]. Every failure ends the script with a sentence.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import ldap3
from ldap3.core import exceptions as ldap
from ldap3.utils.conv import escape_filter_chars

FIELDS = ("url", "username", "password", "base_dn")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SECONDS = 10
PAGE = 500  # Active Directory gives at most 1,000 entries at once (MaxPageSize)
DISABLED = 0x2  # ACCOUNTDISABLE in userAccountControl
LOCKED_OUT = 0x10  # UF_LOCKOUT in msDS-User-Account-Control-Computed
NEVER = 0x7FFF_FFFF_FFFF_FFFF
COMPUTED = "msDS-User-Account-Control-Computed"
ATTRIBUTES = [
    *("sAMAccountName", "displayName", "mail", "department", "description", "adminCount"),
    *("lockoutTime", "pwdLastSet", "userAccountControl", COMPUTED),
]


@dataclass(frozen=True)
class Entry:
    """One entry: its distinguished name, and its attributes under names in lower case."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def text(self, attribute: str) -> str:
        """Return the first value of an attribute, '' where it has none."""
        values = self.attributes.get(attribute.lower(), ())
        return values[0].decode(errors="replace") if values else ""

    def number(self, attribute: str) -> int:
        """Return an attribute that is a number, 0 where it has none."""
        return int(self.text(attribute) or 0)

    def moment(self, attribute: str) -> datetime | None:
        """Return an attribute that is a time (100 ns since 1601), None where it says never."""
        ticks = self.number(attribute)
        if not 0 < ticks < NEVER:
            return None
        return datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)

    @property
    def name(self) -> str:
        """The name people know: `sAMAccountName`."""
        return self.text("sAMAccountName")

    @property
    def locked(self) -> bool:
        # lockoutTime stays when a lockout has run out; where the directory computes the flag, it knows.
        if COMPUTED.lower() in self.attributes:
            return bool(self.number(COMPUTED) & LOCKED_OUT)
        return self.number("lockoutTime") != 0

    @property
    def disabled(self) -> bool:
        return bool(self.number("userAccountControl") & DISABLED)

    @property
    def protected(self) -> bool:
        """Whether the directory guards it as an administrator's (`adminCount`)."""
        return self.number("adminCount") != 0


class Directory:
    """A bound connection. Names are compared exactly, letter case too: locks and audit use them as given."""

    def __init__(self, connection: ldap3.Connection, base: str) -> None:
        self._connection = connection
        self._base = base

    def person(self, account: str) -> Entry:
        """Return the person whose `sAMAccountName` is `account`."""
        return self._one("person", "account", account)

    def group(self, name: str) -> Entry:
        """Return the group whose `sAMAccountName` is `name`."""
        return self._one("group", "group", name)

    def groups(self, of: Entry | None = None) -> list[Entry]:
        """Return all groups, or those that one entry is a direct member of, by name."""
        member = f"(member={escape_filter_chars(of.dn)})" if of else ""
        return sorted(self._search(f"(&(objectCategory=group){member})"), key=lambda entry: entry.name.lower())

    def replace(self, entry: Entry, values: Mapping[str, str | bytes]) -> None:
        """Replace attributes of an entry, all of them or none."""
        changes = {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in values.items()}
        self._connection.modify(entry.dn, changes)

    def add_member(self, group: Entry, member: Entry) -> None:
        """Put an entry into a group."""
        self._connection.modify(group.dn, {"member": [(ldap3.MODIFY_ADD, [member.dn])]})

    def is_member(self, group: Entry, member: Entry) -> bool:
        """Say whether an entry is a direct member; asked of the server, for `member` comes in ranges."""
        return any(one.dn == group.dn for one in self.groups(member))

    def _one(self, category: str, what: str, name: str) -> Entry:
        found = self._search(f"(&(objectCategory={category})(sAMAccountName={escape_filter_chars(name)}))")
        if not found:
            raise SystemExit(f"There is no {what} “{name}” in the directory. Check the spelling and ask again.")
        if len(found) > 1:
            raise SystemExit(
                f"The directory has {len(found)} entries for the {what} “{name}”, so none was touched."
            )
        if found[0].name != name:
            raise SystemExit(f"The directory writes this {what} “{found[0].name}”. Ask again with that spelling.")
        return found[0]

    def _search(self, query: str) -> list[Entry]:
        rows = self._connection.extend.standard.paged_search(
            self._base, query, attributes=ATTRIBUTES, paged_size=PAGE, generator=False
        )
        return [_entry(row) for row in rows if row["type"] == "searchResEntry"]


@contextmanager
def connect(credential: Mapping[str, str]) -> Iterator[Directory]:
    """Bind with a credential of `url`, `username`, `password` and `base_dn` for the length of a block."""
    missing = [name for name in FIELDS if not credential.get(name)]
    if missing:
        raise SystemExit(f"The directory's credential lacks {' and '.join(missing)}. Store it again, complete.")
    server = _server(credential["url"])
    try:
        with ldap3.Connection(
            server,
            credential["username"],
            credential["password"],
            auto_bind=True,
            auto_referrals=False,
            check_names=False,
            raise_exceptions=True,
            receive_timeout=SECONDS,
        ) as connection:
            yield Directory(connection, credential["base_dn"])
    except ldap.LDAPException as error:
        raise SystemExit(_sentence(error, server.host)) from None


def _server(url: str) -> ldap3.Server:
    parts = urlsplit(url)
    if parts.scheme != "ldaps" and not (parts.scheme == "ldap" and parts.hostname in LOOPBACK):
        raise SystemExit(
            f"The directory's url is “{url}”, which would send passwords unprotected, so nothing was done. "
            "Store the credential with an ldaps:// url."
        )
    # ldap3 accepts any certificate unless it is told to validate.
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, sni=parts.hostname) if parts.scheme == "ldaps" else None
    return ldap3.Server(url, tls=tls, get_info=ldap3.NONE, connect_timeout=SECONDS)


def _entry(row: Mapping[str, Mapping[str, list[bytes]]]) -> Entry:
    # ldap3 gives an empty list for what was asked for and isn't there.
    found = {name.lower(): tuple(values) for name, values in row["raw_attributes"].items() if values}
    return Entry(str(row["dn"]), found)


def _sentence(error: ldap.LDAPException, host: str) -> str:
    if "certificate" in str(error).lower():
        return (
            f"The certificate of {host} can't be trusted, so nothing was done. "
            "The directory needs one that this machine's trusted authorities signed for that name."
        )
    # ERROR_PASSWORD_RESTRICTION, with either of two result codes.
    if "0000052D" in str(error):
        return "The domain's password policy refused the new password, so the old one is still valid. Ask again."
    for kind, sentence in _SENTENCES.items():
        if isinstance(error, kind):
            return sentence.format(host=host)
    return f"The directory refused: {error}. Show this to whoever looks after it."


_SILENT = (
    "The directory at {host} stopped answering; what was asked may or may not be done. "
    "Look with show-account before you ask again."
)
_SENTENCES = {
    ldap.LDAPInvalidCredentialsResult: (
        "The directory doesn't accept Deputy's credential, so nothing was done. "
        "Store its current password in the vault and ask again."
    ),
    ldap.LDAPInsufficientAccessRightsResult: (
        "Deputy's account may not do this in the directory, so nothing was changed. "
        "The directory's administrators can delegate that right to it."
    ),
    ldap.LDAPNoSuchObjectResult: (
        "The directory doesn't know where to look, so nothing was done. Check the credential's base_dn."
    ),
    ldap.LDAPSocketOpenError: (
        "The directory at {host} can't be reached, so nothing was done. Ask again when it is back."
    ),
    ldap.LDAPCommunicationError: _SILENT,
    ldap.LDAPResponseTimeoutError: _SILENT,
}
