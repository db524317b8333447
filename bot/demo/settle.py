"""The demo's credentials outlive a restart: a request is sealed with a credential's version, so none is written
without need. What waited for approval, or for its turn, can still run afterwards.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.core.errors import NotFound
from bot.core.lifecycle import DEPUTY
from bot.core.secret import Secret
from bot.demo.world import SERVERS, World
from bot.ports import Vault
from bot.service.secrets import SecretStore, set_secret


async def settle(world: World, store: SecretStore, vault: Vault) -> None:
    """Let a started world take up the credentials in the vault, and put in what is new or has changed.

    Raises Unavailable where a server doesn't start, Damaged where a credential doesn't open.
    """
    before = {name: await _newest(vault, name) for name in SERVERS}
    await world.ready(before)
    for name, fields in world.credentials.items():
        if fields != before[name]:
            wrapped = {field: Secret(value) for field, value in fields.items()}
            await set_secret(store, vault, name, wrapped, DEPUTY, datetime.now(UTC))


async def _newest(vault: Vault, name: str) -> Mapping[str, str]:
    """Return a credential's fields, none where there is no such credential."""
    reference = f"vault:{name}"
    try:
        version = await vault.version(reference)
    except NotFound:
        return {}
    leased = await vault.lease(reference, version, "")
    return {field: value.reveal() for field, value in leased.items()}
