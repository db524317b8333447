"""Linking a chat account to a person of Entra ID, step by step; and taking that back.

The steps in chat are `offer`, `confirm` and `unlink`; those in the browser `opened`, `sent`, `returned` and
`signed_in`. `core/linking.py` tells how they hang together.
"""

from collections.abc import Mapping

from bot.core import link_cards, linking, wording
from bot.core.audit import Draft, Tag
from bot.core.canonical import Json
from bot.core.errors import Invalid, NotFound, Refused
from bot.core.linking import Link, Linking, Stage
from bot.core.principal import Account, Who
from bot.ports import Change, Ports
from bot.service.reply import Reply

CODE = 6  # characters of a nonce: 30 bits, against five tries


async def offer(ports: Ports, account: Account, why: str = "") -> Reply:
    """Begin a linking, in the place of the account's last one. Raises Refused where none is needed."""
    await _check_needed(ports, account)
    ticket = ports.nonce()
    await ports.store.commit(Change((), linking=Linking(account, linking.digest(ticket), ports.clock.now())))
    return Reply(card=link_cards.offer(account, f"{ports.link_page}/{ticket}", why))


async def opened(ports: Ports, ticket: str) -> Linking:
    """Return what a browser has opened. Raises NotFound for a ticket that is wrong, replaced or too old."""
    found = await ports.store.linking_by(linking.digest(ticket))
    if found is None or ports.clock.now() >= found.expires:
        raise NotFound(
            f"This link is not valid: it serves once, for {link_cards.MINUTES} minutes, and only the newest one. "
            "Ask for a new one in chat with /deputy link."
        )
    return found


async def sent(ports: Ports, ticket: str, browser: str, flow: Mapping[str, Json]) -> None:
    """Note that a browser goes to sign in. Raises NotFound, or Conflict where one went before."""
    await _save(ports, linking.send(await opened(ports, ticket), browser, flow))


async def returned(ports: Ports, ticket: str, browser: str) -> Linking:
    """Take back a browser from signing in, once; what came with it is looked at after that.

    Raises NotFound, or Conflict for another browser or a second time.
    """
    back = linking.take_back(await opened(ports, ticket), browser)
    await _save(ports, back)
    return back


async def signed_in(ports: Ports, back: Linking, who: Who) -> Linking:
    """Note who signed in; the code in what is returned is for their browser to show.

    Raises Refused where they are nobody who may be linked, Unavailable.
    """
    principal = await ports.directory.live(who)
    done = linking.accept(back, principal.who, ports.nonce()[:CODE])
    await _save(ports, done)
    return done


async def failed(ports: Ports, back: Linking, reason: str) -> None:
    """End a linking whose sign-in came to nothing, and write why."""
    await _save(ports, linking.give_up(back), _refusal(ports, back, reason))


async def confirm(ports: Ports, account: Account, code: str) -> Reply:
    """Hear in chat the code that the browser shows, and link the account.

    Raises Invalid for a wrong code, Conflict where nobody has signed in yet or the link was used, NotFound.
    """
    await _check_needed(ports, account)
    found = await ports.store.linking(account)
    if found is None or ports.clock.now() >= found.expires:
        raise NotFound("There is no link to confirm, or its time is over. Ask for a new one with /deputy link.")
    heard = linking.hear(found, code)
    if heard.stage is not Stage.LINKED or heard.who is None:
        await _save(ports, heard, _refusal(ports, heard, "A wrong code was given in chat."))
        raise Invalid(_missed(heard))
    return await _link(ports, heard, heard.who)


async def unlink(ports: Ports, account: Account) -> Reply:
    """Take an account's link back. Raises NotFound where it has none."""
    await _check_needed(ports, account)
    link = await ports.store.link(account)
    if link is None:
        raise NotFound("Your account is linked to nobody, so there is nothing to take back.")
    draft = Draft(Tag.ACCOUNT_UNLINKED, link.who, account.key, ports.clock.now(), _facts(account))
    (entry,) = await ports.store.commit(Change((draft,), unlinked=account))
    return Reply(card=link_cards.unlinked(account, entry.reference))


async def _link(ports: Ports, heard: Linking, who: Who) -> Reply:
    now, account = ports.clock.now(), heard.account
    before = await ports.store.link(account)
    facts: dict[str, Json] = {**_facts(account), "before": before.who.key if before else None}
    tag = Tag.ACCOUNT_RELINKED if before else Tag.ACCOUNT_LINKED
    change = Change((Draft(tag, who, account.key, now, facts),), linking=heard, link=Link(account, who, now))
    (entry,) = await ports.store.commit(change)
    again = before is not None and before.who == who
    return Reply(card=link_cards.linked(heard, who, entry.reference, again=again))


async def _check_needed(ports: Ports, account: Account) -> None:
    """Raise Refused where an account needs no link, or none can be made here: who isn't known reads why."""
    if ports.link_page and not account.who:
        return
    await ports.directory.principal(account)
    raise Refused("Your account needs no link here: Deputy knows who you are without one.")


def _missed(heard: Linking) -> str:
    left = linking.MOST_MISSES - heard.misses
    if left <= 0:
        return "That was the wrong code once too often. Ask for a new link with /deputy link."
    tries = wording.count(left, "try", "tries")
    return f"That is not the code that the page shows. You have {tries} left."


def _refusal(ports: Ports, one: Linking, reason: str) -> Draft:
    """Write a refusal under the name of the account itself: whose it is has not been shown."""
    account = one.account
    actor = Who(account.platform, account.id, account.name)
    facts: dict[str, Json] = {**_facts(account), "reason": reason, "signed_in": one.who.key if one.who else None}
    return Draft(Tag.ACCOUNT_LINK_REFUSED, actor, account.key, ports.clock.now(), facts)


def _facts(account: Account) -> dict[str, Json]:
    return {"platform": account.platform, "account": account.id, "account_name": account.name}


async def _save(ports: Ports, changed: Linking, *entries: Draft) -> None:
    await ports.store.commit(Change(entries, linking=changed))
