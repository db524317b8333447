"""Several directories as one: each knows the accounts of its platforms, and its own people."""

from collections.abc import Mapping

from bot.core.errors import Refused
from bot.core.principal import Account, Principal, Who
from bot.ports import Directory


class Several:
    """Satisfies `Directory`. `by_platform` says whose accounts are whose; nobody is known on any other."""

    def __init__(self, by_platform: Mapping[str, Directory]) -> None:
        self._by_platform = by_platform

    async def principal(self, account: Account) -> Principal:
        """Return who an account is, as the directory of its platform says. Raises Refused; Unavailable."""
        directory = self._by_platform.get(account.platform)
        if directory is None:
            raise Refused(f"Nobody is known on {account.platform} here, so there is nothing you may do.")
        return await directory.principal(account)

    async def recent(self, who: Who) -> Principal:
        """Return a known principal as the first directory that knows them says. Raises Refused; Unavailable."""
        return await self.live(who)

    async def live(self, who: Who) -> Principal:
        """Return a known principal as the first directory that knows them says. Raises Refused; Unavailable."""
        refusal = Refused(f"{who.name or who.oid} is in no directory, so nothing is done for them.")
        for directory in dict.fromkeys(self._by_platform.values()):
            try:
                return await directory.live(who)
            except Refused as error:
                refusal = error
        raise refusal
