"""The account actions against the demo's directory, over the wire."""

import socket
from pathlib import Path

import ldap3
import pytest

from tests.fakes.tls_front import tls_front, write_certificate
from tests.integration.actions.scripts import library, script

Credential = dict[str, str]


def refused_bind(directory: Credential, dn: str, password: str) -> str:
    connection = ldap3.Connection(ldap3.Server(directory["url"], get_info=ldap3.NONE), dn, password)
    assert not connection.bind()
    return str(connection.result["message"])


def test_an_account_is_shown_with_what_helpdesk_asks_for(directory: Credential) -> None:
    facts = script("show-account").main("carol", directory=directory)
    assert facts["name"] == "Carol Novak"
    assert facts["enabled"] is False
    assert facts["locked"] is False
    assert facts["password_set"] == "8 Apr 2026, 00:00 UTC"
    assert facts["groups"] == "none"


def test_a_locked_account_says_since_when_and_groups_are_named(directory: Credential) -> None:
    facts = script("show-account").main("d.o'brien", directory=directory)
    assert facts["locked"] is True
    assert facts["locked_since"] == "23 Nov 2026, 08:05 UTC"
    assert script("show-account").main("fabio", directory=directory)["groups"] == "Finance reports"


def test_names_with_umlauts_and_commas_are_found(directory: Credential) -> None:
    assert script("show-account").main("j.mueller", directory=directory)["name"] == "Jürgen Müller"
    assert script("show-account").main("fabio", directory=directory)["name"] == "Rossi, Fabio"


def test_unlocking_sets_lockout_time_to_zero_and_the_check_sees_it(directory: Credential) -> None:
    before = script("unlock-account.verify").main("alice", directory=directory)
    assert before["ok"] is False
    assert script("unlock-account").main("alice", directory=directory) == "alice is unlocked."
    after = script("unlock-account.verify").main("alice", directory=directory)
    assert after == {"ok": True, "message": "alice is unlocked: lockoutTime is 0."}


def test_unlocking_what_is_not_locked_changes_nothing(directory: Credential) -> None:
    assert "was not locked" in script("unlock-account").main("bob", directory=directory)


def test_a_lockout_that_has_run_out_is_none_where_the_directory_computes_it() -> None:
    entry = library("directory").Entry
    stale = {"lockouttime": (b"134398933200000000",), "msds-user-account-control-computed": (b"0",)}
    assert entry("CN=x", stale).locked is False
    assert entry("CN=x", {**stale, "msds-user-account-control-computed": (b"16",)}).locked is True


def test_V3_a_new_password_is_set_and_only_returned(
    directory: Credential, capsys: pytest.CaptureFixture[str]
) -> None:
    done = script("reset-password").main("bob", directory=directory)
    assert done["new_password"] not in capsys.readouterr().out
    bob = "CN=Bob Weber,OU=People,DC=demo,DC=example"
    # Active Directory's codes: 52e is a wrong password, 773 the right one that must be changed.
    assert "data 52e" in refused_bind(directory, bob, "not-the-Password-1")
    assert "data 773" in refused_bind(directory, bob, done["new_password"])
    check = script("reset-password.verify").main("bob", directory=directory)
    assert check["ok"] is True
    assert done["new_password"] not in check["message"]


def test_new_passwords_differ_and_fit_what_domains_ask_for() -> None:
    passwords = {script("reset-password").new_password() for _ in range(50)}
    assert len(passwords) == 50
    for password in passwords:
        assert len(password) == 19
        assert any(map(str.isdigit, password))
        assert any(map(str.isupper, password))
        assert any(map(str.islower, password))


def test_a_password_the_domain_refuses_is_a_plain_sentence(
    directory: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("reset-password")
    monkeypatch.setattr(module, "new_password", lambda: "short")
    with pytest.raises(SystemExit, match="password policy refused"):
        module.main("erin", directory=directory)


def test_a_password_that_is_not_quoted_utf16_is_refused(
    directory: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("reset-password")
    monkeypatch.setattr(module, "quoted", str.encode)
    with pytest.raises(SystemExit, match="quoted UTF-16LE"):
        module.main("erin", directory=directory)


def test_an_administrators_password_is_never_reset(directory: Credential) -> None:
    with pytest.raises(SystemExit, match="administrator's account"):
        script("reset-password").main("ada-admin", directory=directory)


def test_a_right_that_deputy_lacks_is_a_plain_sentence(directory: Credential) -> None:
    with pytest.raises(SystemExit, match="may not do this in the directory"):
        script("unlock-account").main("ada-admin", directory=directory)


def test_an_account_is_added_to_a_group_once(directory: Credential) -> None:
    add, check = script("add-to-group"), script("add-to-group.verify")
    assert check.main("fabio", "VPN", directory=directory)["ok"] is False
    assert "is in VPN now" in add.main("fabio", "VPN", directory=directory)
    assert check.main("fabio", "VPN", directory=directory)["ok"] is True
    assert "was in VPN already" in add.main("fabio", "VPN", directory=directory)


def test_a_group_of_administrators_takes_nobody(directory: Credential) -> None:
    with pytest.raises(SystemExit, match="administrator's rights"):
        script("add-to-group").main("bob", "Domain Admins", directory=directory)


def test_groups_are_listed_for_a_choice_without_the_administrators(directory: Credential) -> None:
    groups = [row["group"] for row in script("list-groups").main(directory=directory)]
    assert groups == ["Finance reports", "Printing", "VPN"]


@pytest.mark.parametrize("account", ["*", "*)(objectClass=*", "alice)(|(a=*", "alice\0", r"\61lice", "alicia"])
def test_X1_what_looks_like_a_filter_is_only_a_name(directory: Credential, account: str) -> None:
    with pytest.raises(SystemExit, match="There is no account"):
        script("show-account").main(account, directory=directory)


@pytest.mark.parametrize("account", ["BOB", "bOb", " bob"])
def test_D6_another_spelling_is_refused_and_the_right_one_named(directory: Credential, account: str) -> None:
    with pytest.raises(SystemExit, match="writes this account “bob”"):
        script("show-account").main(account, directory=directory)


def test_a_name_that_two_entries_have_is_touched_by_nobody(
    directory: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("show-account")
    session = library("directory").Directory
    search = session._search
    monkeypatch.setattr(session, "_search", lambda self, query: search(self, query) * 2)
    with pytest.raises(SystemExit, match="2 entries for the account “bob”"):
        module.main("bob", directory=directory)


def test_a_wrong_credential_is_a_plain_sentence(directory: Credential) -> None:
    with pytest.raises(SystemExit, match="doesn't accept Deputy's credential"):
        script("show-account").main("bob", directory={**directory, "password": "wrong-password"})


def test_nobody_searches_without_a_bind(directory: Credential) -> None:
    with ldap3.Connection(ldap3.Server(directory["url"], get_info=ldap3.NONE)) as connection:
        assert not connection.search(directory["base_dn"], "(objectClass=*)")
        assert connection.result["description"] == "operationsError"


def test_an_unreachable_directory_is_a_plain_sentence(directory: Credential, closed_port: int) -> None:
    with pytest.raises(SystemExit, match=r"127\.0\.0\.1 can't be reached"):
        script("show-account").main("bob", directory={**directory, "url": f"ldap://127.0.0.1:{closed_port}"})


def test_a_directory_that_stops_answering_leaves_the_outcome_open(
    directory: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("show-account")
    monkeypatch.setattr(library("directory"), "SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ldap://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SystemExit, match="may or may not be done"):
            module.main("bob", directory={**directory, "url": url})


@pytest.mark.parametrize("url", ["ldap://dc01.acme.test", "http://127.0.0.1", "ldapi:///x", "dc01"])
def test_passwords_never_travel_unprotected(directory: Credential, url: str) -> None:
    with pytest.raises(SystemExit, match="unprotected"):
        script("show-account").main("bob", directory={**directory, "url": url})


def test_a_credential_with_a_field_missing_is_named(directory: Credential) -> None:
    del directory["base_dn"]
    with pytest.raises(SystemExit, match="lacks base_dn"):
        script("show-account").main("bob", directory=directory)


def test_a_base_that_is_not_there_is_named(directory: Credential) -> None:
    with pytest.raises(SystemExit, match="base_dn"):
        script("show-account").main("bob", directory={**directory, "base_dn": "DC=acme,DC=test"})


def port_of(directory: Credential) -> int:
    return int(directory["url"].rpartition(":")[2])


def assert_untrusted(credential: Credential, host: str) -> None:
    with pytest.raises(SystemExit) as refused:
        script("show-account").main("carol", directory=credential)
    assert f"certificate of {host} can't be trusted" in str(refused.value)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return write_certificate(tmp_path / "directory.pem", "localhost", days=30)


def test_over_tls_a_trusted_directory_is_used(
    directory: Credential, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with tls_front(certificate, port_of(directory)) as port:
        credential = {**directory, "url": f"ldaps://localhost:{port}"}
        assert script("show-account").main("carol", directory=credential)["name"] == "Carol Novak"


def test_X19_a_directory_with_a_certificate_nobody_vouches_for_is_refused(
    directory: Credential, certificate: Path
) -> None:
    with tls_front(certificate, port_of(directory)) as port:
        assert_untrusted({**directory, "url": f"ldaps://localhost:{port}"}, "localhost")


def test_X19_a_directory_with_a_certificate_for_another_name_is_refused(
    directory: Credential, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with tls_front(certificate, port_of(directory)) as port:
        assert_untrusted({**directory, "url": f"ldaps://127.0.0.1:{port}"}, "127.0.0.1")
