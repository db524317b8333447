"""Who people are: those of the demo, those of a file, or those of Entra ID, as the settings say."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from bot.core.principal import Who
from bot.identity import pages
from bot.identity.linkfile import PLATFORMS, LinkFile
from bot.identity.local import LocalDirectory
from bot.identity.several import Several
from bot.policy.cedar import CedarPolicy
from bot.ports import Clock, Directory, Ports
from bot.settings import Settings
from bot.store.database import SqlStore

if TYPE_CHECKING:  # MSAL takes long to import
    from bot.identity.registration import Registration
    from bot.identity.signin import SignIn


@dataclass(frozen=True)
class People:
    """The directory, and how a person is found in a chat."""

    directory: Directory
    store: SqlStore
    file: LinkFile | None = None
    sign_in: "SignIn | None" = None

    def pages(self, ports: Ports) -> web.Application | None:
        """Return the pages on which accounts are linked, where they are."""
        return pages.application(ports, self.sign_in) if self.sign_in else None

    async def on_slack(self, key: str) -> str:
        """Return Slack's id (U…, W…) of a principal (`tenant/oid`), empty for one who has none."""
        if self.file:
            account = self.file.account("slack", key)
        else:
            tenant, _, oid = key.partition("/")
            theirs = await self.store.links(Who(tenant, oid))
            account = next((one.account.id for one in reversed(theirs) if one.account.platform == "slack"), "")
        return account.rpartition(":")[2]


def registration_of(settings: Settings) -> "Registration":
    """Return Deputy's registration at Entra ID, which the settings name."""
    from bot.identity.registration import Registration  # MSAL takes long to import

    return Registration(
        tenant=settings.entra_tenant.lower(),
        client=settings.entra_client_id.lower(),
        secret=settings.entra_client_secret,
        certificate=Path(settings.entra_certificate) if settings.entra_certificate else None,
        authority=settings.entra_authority,
        graph=settings.graph_url,
    )


@asynccontextmanager
async def people_of(
    settings: Settings, store: SqlStore, policy: CedarPolicy, clock: Clock
) -> AsyncIterator[People]:
    """Find out who people are for as long as the context lasts. Raises Invalid naming the setting."""
    if not settings.entra_tenant:
        file = LinkFile(Path(settings.links_file), policy.roles) if settings.links_file else None
        elsewhere = dict.fromkeys(PLATFORMS, file) if file else {}
        yield People(Several({"local": LocalDirectory(policy.roles), **elsewhere}), store, file)
        return
    from bot.identity.opening import open_entra

    async with open_entra(
        registration_of(settings),
        f"{settings.public_url}{pages.BACK}",
        link=store.link,
        roles=policy.roles,
        groups=policy.groups,
        relink=timedelta(days=settings.link_days),
        now=clock.now,
    ) as entra:
        yield People(entra.directory, store, sign_in=entra.sign_in)
