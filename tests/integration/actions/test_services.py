"""The service actions against the demo's service supervisor, over the wire."""

import os
import signal
from urllib.request import urlopen

import pytest

from bot.demo.world import World
from tests.integration.actions.scripts import script

Credential = dict[str, str]


def state_of(service: str, supervisor: Credential) -> dict[str, str]:
    return next(row for row in script("list-services").main(supervisor=supervisor) if row["service"] == service)


def test_services_are_listed_with_their_state(supervisor: Credential) -> None:
    rows = script("list-services").main(supervisor=supervisor)
    assert [row["service"] for row in rows] == ["web", "mailer"]
    assert {row["state"] for row in rows} == {"running"}


def test_a_restart_really_starts_another_process_at_the_same_address(world: World, supervisor: Credential) -> None:
    with urlopen(world.web) as page:
        before = page.read()
    done = script("restart-service").main("web", supervisor=supervisor)
    with urlopen(world.web) as page:
        after = page.read()
    assert f"process {done['process_before']}.".encode() in before
    assert f"process {done['process_now']}.".encode() in after
    assert done["process_before"] != done["process_now"]
    check = script("restart-service.verify").main("web", supervisor=supervisor)
    assert check["ok"] is True
    assert f"process {done['process_now']}" in check["message"]


def test_a_service_that_died_is_started(supervisor: Credential) -> None:
    first = script("restart-service").main("mailer", supervisor=supervisor)
    os.kill(int(first["process_now"]), signal.SIGKILL)
    while state_of("mailer", supervisor)["state"] == "running":
        pass
    check = script("restart-service.verify").main("mailer", supervisor=supervisor)
    assert check == {"ok": False, "message": "mailer is exited, not running."}
    again = script("restart-service").main("mailer", supervisor=supervisor)
    assert again["process_before"] == "not running"
    assert again["state"] == "running"


def test_the_check_fails_for_a_service_that_was_not_restarted(
    supervisor: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = script("restart-service.verify")
    monkeypatch.setattr(check, "RECENT", -1)
    assert check.main("web", supervisor=supervisor)["ok"] is False


def test_an_unknown_service_is_a_plain_sentence(supervisor: Credential) -> None:
    with pytest.raises(SystemExit, match="There is no service of that name"):
        script("restart-service").main("web; reboot", supervisor=supervisor)


def test_a_wrong_credential_is_a_plain_sentence(supervisor: Credential) -> None:
    with pytest.raises(SystemExit, match="doesn't accept Deputy's credential"):
        script("list-services").main(supervisor={**supervisor, "password": "wrong"})


def test_an_unreachable_supervisor_is_a_plain_sentence(supervisor: Credential, closed_port: int) -> None:
    with pytest.raises(SystemExit, match="can't be reached"):
        script("list-services").main(supervisor={**supervisor, "url": f"http://127.0.0.1:{closed_port}"})


@pytest.mark.parametrize("url", ["http://web01.acme.test:9001", "ftp://127.0.0.1", "web01:9001"])
def test_the_password_never_travels_unprotected(supervisor: Credential, url: str) -> None:
    with pytest.raises(SystemExit, match="unprotected"):
        script("list-services").main(supervisor={**supervisor, "url": url})


def test_a_process_of_a_group_is_named_with_its_group() -> None:
    name = script("list-services").service_name
    assert name({"name": "web", "group": "web"}) == "web"
    assert name({"name": "web", "group": "shop"}) == "shop:web"
