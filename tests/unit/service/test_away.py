"""Being away: until when, who is named, and what those concerned are told."""

import pytest

from bot.core.errors import Invalid, Refused, Unlinked
from bot.core.principal import Account, Principal
from tests.fakes.company import Company


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("until 2026-11-25 approvals to mia", "25 Nov 2026, 23:59 UTC"),
        ("2026-11-25 mia", "25 Nov 2026, 23:59 UTC"),
        ("until 2026-11-25T17:00 approvals to @mia", "25 Nov 2026, 17:00 UTC"),
        ("until 2026-11-25 17:00 approvals to @mia", "25 Nov 2026, 17:00 UTC"),
        ("until 2026-11-25 17:00 UTC approvals to @mia", "25 Nov 2026, 17:00 UTC"),
        ("until 2026-11-25 17:00+02:00 approvals to @mia", "25 Nov 2026, 15:00 UTC"),
        ('until="2026-11-25 17:00" to=mia', "25 Nov 2026, 17:00 UTC"),
    ],
)
async def test_until_when_and_who_is_read_with_or_without_a_time(typed: str, until: str) -> None:
    until_when, to = (await Company().card("max", f"away {typed}")).facts
    assert (until_when.value, to.value) == (until, "Mia")


async def test_a_time_that_is_none_is_named_and_not_taken_for_a_person() -> None:
    with pytest.raises(Invalid, match="“2026-11-25 25:00” is no date"):
        await Company().card("max", "away until 2026-11-25 25:00 approvals to @mia")


async def test_who_is_named_and_not_known_is_not_taken_for_who_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company()
    known = company.people.principal

    async def principal(account: Account) -> Principal:
        if account.id not in company.people.roles:
            raise Unlinked("Your account is linked to nobody.")
        return await known(account)

    monkeypatch.setattr(company.people, "principal", principal)
    with pytest.raises(Refused, match=r"^“may⟨U\+202E⟩a” is nobody whom Deputy knows, so nothing was changed"):
        await company.card("max", "away until 2026-11-25 approvals to @may\u202ea")


async def told(company: Company, who: str) -> list[str]:
    """Return what waits to be told to somebody, by its titles and the first words of what it says."""
    waiting = [one.post for one in await company.store.outbox(company.clock.now())]
    return [f"{post.card.title}. {post.card.lead[:20]}" for post in waiting if post.only == f"acme/{who}"]


async def test_who_stood_in_is_told_when_it_ends_each_time() -> None:
    company = Company()
    for _ in range(2):
        await company.card("max", "away until 2026-11-25 approvals to @mia")
        company.clock.pass_(60)
        await company.card("max", "back")
        company.clock.pass_(60)
    assert (
        await told(company, "mia")
        == [
            "Max is away. Until 25 Nov 2026, 2",
            "Max is back. You no longer approv",
        ]
        * 2
    )


async def test_who_stood_in_is_told_when_somebody_else_is_named() -> None:
    company = Company()
    await company.card("max", "away until 2026-11-25 approvals to @mia")
    company.clock.pass_(60)
    await company.card("max", "away until 2026-11-25 approvals to @abe")
    assert (await told(company, "mia"))[1:] == ["Max has named somebody else. You no longer approv"]
    assert await told(company, "abe") == ["Max is away. Until 25 Nov 2026, 2"]


async def test_who_stands_in_until_another_time_is_told_that_and_the_same_is_not_told_twice() -> None:
    company = Company()
    for day in ("27", "25", "25"):
        await company.card("max", f"away until 2026-11-{day} approvals to @mia")
        company.clock.pass_(60)
    assert await told(company, "mia") == ["Max is away. Until 27 Nov 2026, 2", "Max is away. Until 25 Nov 2026, 2"]


@pytest.mark.parametrize(
    ("away", "stands_in", "nothing"),
    [("boss", "boss", False), ("boss", "deputy", False), ("boss", "desk", True), ("desk", "boss", True)],
)
async def test_who_names_somebody_that_may_approve_nothing_for_them_reads_so(
    away: str, stands_in: str, nothing: bool
) -> None:
    company = Company()
    company.people.roles |= {"max": {away}, "mia": {stands_in}}
    card = await company.card("max", "away until 2026-11-25 approvals to @mia")
    assert ("that is nothing: name somebody else" in card.lead) == nothing
