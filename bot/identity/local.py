"""The people of the demo: the same shape as Entra ID's, so that roles come from groups here too."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.core.errors import Refused
from bot.core.principal import Account, Principal, Who

TENANT = "00000000-0000-4000-8000-00000000d0d0"


@dataclass(frozen=True)
class LocalPerson:
    """Somebody to be: `account` is what one chooses, `groups` are Entra group ids as in `roles.toml`."""

    account: str
    name: str
    title: str
    oid: str
    groups: tuple[str, ...] = ()


def _group(number: int) -> str:
    return f"11111111-0000-4000-8000-{number:012d}"


PEOPLE = (
    LocalPerson("helpdesk", "Hanna Weber", "Helpdesk", "22222222-0000-4000-8000-000000000001", (_group(1),)),
    LocalPerson(
        "manager", "Marco Rossi", "Identity manager", "22222222-0000-4000-8000-000000000002", (_group(2),)
    ),
    LocalPerson("oncall", "Olu Adeyemi", "On-call engineer", "22222222-0000-4000-8000-000000000003", (_group(3),)),
    LocalPerson("engineer", "Eva Novak", "Senior engineer", "22222222-0000-4000-8000-000000000004", (_group(4),)),
    LocalPerson("nobody", "Nils Berg", "No rights here", "22222222-0000-4000-8000-000000000005"),
)


class LocalDirectory:
    """Satisfies `Directory` for the people of the demo. `roles` turns group ids into roles."""

    def __init__(
        self, roles: Callable[[Iterable[str]], frozenset[str]], people: Iterable[LocalPerson] = PEOPLE
    ) -> None:
        self._roles = roles
        self._people = {person.account: person for person in people}

    async def principal(self, account: Account) -> Principal:
        """Return who a local account is."""
        person = self._people.get(account.id.strip().lower())
        if account.platform != "local" or person is None:
            names = ", ".join(self._people)
            raise Refused(f"Nobody here is called “{account.id[:40]}”. The people of the demo are {names}.")
        return self._as_principal(person)

    async def recent(self, who: Who) -> Principal:
        """Return a known principal; here groups are never old."""
        return await self.live(who)

    async def live(self, who: Who) -> Principal:
        """Return a known principal with the groups of this moment."""
        for person in self._people.values():
            if (TENANT, person.oid) == (who.tenant, who.oid):
                return self._as_principal(person)
        raise Refused(f"{who.name or who.oid} is no longer in the directory, so nothing is done for them.")

    def _as_principal(self, person: LocalPerson) -> Principal:
        groups = frozenset(person.groups)
        return Principal(Who(TENANT, person.oid, person.name), self._roles(groups), groups)
