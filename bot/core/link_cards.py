"""What people read about linking their chat account, in chat and on its page."""

from bot.core import wording
from bot.core.card import Button, Card, Fact, Page, Tone, Verb
from bot.core.linking import LIFE, Linking
from bot.core.principal import Account, Who
from bot.core.text import shorten, visible

MINUTES = int(LIFE.total_seconds() // 60)
_HOW = "Open the page and sign in with your work account. It then shows a code: give it here."
CONFIRM = "Enter the code"
PLATFORMS = {"slack": "Slack", "teams": "Teams", "local": "local channel"}


def account_name(account: Account) -> str:
    """Return what people call an account; its id is always there, for a name can be anybody's."""
    platform = PLATFORMS.get(account.platform, account.platform)
    shown = shorten(visible(account.id.strip()), 80)
    name = shorten(visible(account.name.strip()), 60)
    return f"{platform} account “{name}” ({shown})" if name else f"{platform} account {shown}"


def offer(account: Account, address: str, why: str) -> Card:
    """The message, for nobody else to see, that a linking starts from."""
    return Card(
        "Link your account",
        tone=Tone.WAITING,
        lead=f"{why} {_HOW}".strip(),
        blocks=(Page("Open the page and sign in", address),),
        buttons=(Button(CONFIRM, Verb.LINK, account.key, style="primary", asks="The code that the page shows"),),
        footnote=f"The link is for you alone, serves once, and for {MINUTES} minutes.",
    )


def linked(linking: Linking, who: Who, audit: str, *, again: bool) -> Card:
    """The confirmation in chat."""
    return Card(
        "Your account is linked",
        tone=Tone.GOOD,
        lead=f"This {account_name(linking.account)} belongs to {wording.name(who)}{' still' if again else ''}. "
        "What you may do comes from your groups: type /deputy to see it.",
        facts=(Fact("Tenant", who.tenant, code=True), Fact("Object id", who.oid, code=True)),
        audit=audit,
        footnote="/deputy unlink takes it back.",
    )


def unlinked(account: Account, audit: str) -> Card:
    """What somebody reads who took a link back."""
    return Card(
        "Your account is not linked any more",
        lead=f"This {account_name(account)} has no rights until it is linked again: /deputy link.",
        audit=audit,
    )
