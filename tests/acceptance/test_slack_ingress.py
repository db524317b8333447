"""What comes to Slack's address is signed by Slack, of a bearable size and legible; or refused, without a 5xx."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.at_slack import at_slack, sees, settings
from tests.acceptance.conftest import Process, own_content
from tests.acceptance.wiping import WIPING, effects, wiping
from tests.fakes.slack_delivery import Answer, Delivery, delivery, sign
from tests.fakes.slack_server import SlackServer

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture
async def deputy(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Process]:
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, WIPING)) as process:
        yield process


async def raw(slack: SlackServer, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post bytes as they are."""
    return await slack.http.post(Delivery("", {}, body, headers))


async def test_I1_without_a_signing_secret_it_does_not_start(slack: SlackServer, tmp_path: Path) -> None:
    given = {**own_content(tmp_path, WIPING), **settings(slack, tmp_path)}
    del given["DEPUTY_SLACK_SIGNING_SECRET"]
    process = Process(tmp_path, **given)
    code, _, err = await process.deputy("serve")
    assert (code, err.startswith("deputy: DEPUTY_SLACK_SIGNING_SECRET: ")) == (1, True)
    assert not process.database.exists()


async def test_I1_an_unsigned_click_is_not_taken(slack: SlackServer, deputy: Process, ledger: Path) -> None:
    message = await wiping(slack, ledger)
    before = effects(deputy)
    sent = delivery("interactive", slack.maya.press_payload(message, "Approve"))
    assert (await slack.http.post(replace(sent, headers=FORM))).status == 401
    forged = {**FORM, **sign(sent.body, secret="0" * 32)}
    assert (await slack.http.post(replace(sent, headers=forged))).status == 401
    old = {**FORM, **sign(sent.body, at=1_700_000_000)}
    assert (await slack.http.post(replace(sent, headers=old))).status == 401
    assert effects(deputy) == before


@pytest.mark.parametrize("stamp", ["abc", "", "1e9", "²", "-1", "9" * 400, "1795478772.5"])
async def test_I3_a_strange_timestamp_is_401(slack: SlackServer, deputy: Process, stamp: str) -> None:
    signed = {**sign(b"x"), "X-Slack-Request-Timestamp": stamp}
    assert (await raw(slack, b"x", {**FORM, **signed})).status == 401


@pytest.mark.parametrize("signature", ["v0=ä", "v0=" + "ü" * 64, "", "v0=", "v1=" + "0" * 64, "0" * 64])
async def test_I3_a_strange_signature_is_401(slack: SlackServer, deputy: Process, signature: str) -> None:
    signed = {**sign(b"x"), "X-Slack-Signature": signature}
    assert (await raw(slack, b"x", {**FORM, **signed})).status == 401


async def test_I4_no_body_is_ever_logged(slack: SlackServer, tmp_path: Path) -> None:
    process = Process(tmp_path, **settings(slack, tmp_path), **own_content(tmp_path, WIPING))
    with (tmp_path / "log").open("w+") as log:
        process.stderr = log.fileno()
        await process.start("serve")
        slack.app_url = f"{process.address}/slack/events"
        payload = slack.olivia.command_payload("/deputy", "wipe ledger=hunter2-and-more")
        sent = delivery("slash_commands", payload)
        bad = {**sent.headers, "X-Slack-Signature": "v0=" + "0" * 64}
        statuses = [
            (await slack.http.post(replace(sent, headers=bad))).status,
            (await raw(slack, b'{"a": hunter2-and-more', {**JSON, **sign(b'{"a": hunter2-and-more')})).status,
            (await slack.http.post(delivery("interactive", {"type": "hunter2-and-more"}))).status,
        ]
        await process.stop()
        log.seek(0)
        logged = log.read()
    assert (statuses[0], [one for one in statuses if one >= 500]) == (401, [])
    assert "not taken" in logged
    assert "hunter2" not in logged


async def test_I10_what_an_old_signing_secret_signs_is_not_taken_after_the_rotation(
    slack: SlackServer, tmp_path: Path, ledger: Path
) -> None:
    slack.signing_secret = "f00dfeed" * 4  # Deputy's by now; what is delivered is signed with the one before
    async with at_slack(slack, tmp_path, more=own_content(tmp_path, WIPING)) as process:
        sent = delivery("slash_commands", slack.olivia.command_payload("/deputy", f"wipe ledger={ledger}"))
        assert (await slack.http.post(sent)).status == 401
        assert effects(process) == []
        signed = {**FORM, **sign(sent.body, secret=slack.signing_secret)}
        assert (await slack.http.post(replace(sent, headers=signed))).status == 200
        await sees(slack, "needs 2 approvals")
        assert len(effects(process)) == 1


HOSTILE = {
    "50 MB": (b"x" * 50_000_000, FORM, {413}),
    "not JSON": (b"payload=%7B", FORM, {400}),
    "10,000 deep": (b"[" * 10_000 + b"]" * 10_000, JSON, {400}),
    "a key twice": (b'{"team_id": "T0OTHER", "team_id": "T0DEPUTY"}', JSON, {400, 401}),
    "not UTF-8": (b"\xff\xfe", JSON, {400}),
    "nothing": (b"", FORM, {400, 401}),
    "another type": (b"<a/>", {"Content-Type": "text/xml"}, {400}),
    "a number": (b"1", JSON, {400}),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_I5_what_is_too_large_or_malformed_is_refused_signed_or_not(
    slack: SlackServer, deputy: Process, what: str
) -> None:
    body, kind, expected = HOSTILE[what]
    assert (await raw(slack, body, kind)).status in {401, 413, 400, 0}  # 0: cut off while it was still sending
    assert (await raw(slack, body, {**kind, **sign(body)})).status in {*expected, 0}
    assert (await slack.verify_url()).body == {"challenge": "3eZbrw1a"}
