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
        ("until=2026-11-25 17:00 to=mia", "25 Nov 2026, 17:00 UTC"),
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
