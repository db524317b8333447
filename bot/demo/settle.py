"""The demo's credentials outlive a restart: a request is sealed with a credential's version, so none is written
without need. What waited for approval, or for its turn, can still run afterwards.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.core.audit import Tag
from bot.core.lifecycle import DEPUTY
from bot.core.secret import Secret
from bot.demo.world import SERVERS, World
from bot.ports import Vault
from bot.service.secrets import SecretStore, set_secret

log = logging.getLogger(__name__)


async def settle(world: World, store: SecretStore, vault: Vault) -> None:
    """Let a started world take up its credentials in the vault, and put in what is new or has changed.

    One that somebody else has set since stays as it is. Raises Unavailable where a server doesn't start,
    Damaged where a credential doesn't open.
    """
    before = {name: await _before(store, vault, name) for name in SERVERS}
    await world.ready({name: fields for name, fields in before.items() if fields is not None})
    for name, fields in world.credentials.items():
        if before[name] is None:
            log.warning(
                "The secret “%s” was not set by the demo, so it stays, and the actions use it. "
                "For the demo's own say `deputy vault remove %s` and start it again.",
                name,
                name,
            )
        elif fields != before[name]:
            wrapped = {field: Secret(value) for field, value in fields.items()}
            await set_secret(store, vault, name, wrapped, DEPUTY, datetime.now(UTC))


async def _before(store: SecretStore, vault: Vault, name: str) -> Mapping[str, str] | None:
    """Return a credential's fields, none where there is no such credential; None where it isn't the demo's."""
    newest = await store.secret(name)
    if newest is None:
        return {}
    if not await _ours(store, name, newest.version):
        return None
    leased = await vault.lease(f"vault:{name}", newest.version, "")
    return {field: value.reveal() for field, value in leased.items()}


async def _ours(store: SecretStore, name: str, version: int) -> bool:
    """Say whether the demo itself set this version, as the audit log has it."""
    after = 0
    while page := await store.entries(after=after, subject=name):
        for entry in page:
            if entry.tag == Tag.SECRET_SET and entry.facts.get("version") == version:
                return (entry.tenant, entry.actor) == (DEPUTY.tenant, DEPUTY.oid)
        after = page[-1].sequence
    return False
