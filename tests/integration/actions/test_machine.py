"""The actions that look at this machine and at servers."""

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from bot.demo.world import World
from tests.fakes.tls_front import tls_front, write_certificate
from tests.integration.actions.scripts import ACTIONS, script


def tail(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/bash", str(ACTIONS / "operations/tail-log.sh"), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"}
    )


def test_the_last_lines_of_the_demo_log_are_shown(world: World) -> None:
    shown = tail(f"--path={world.log}", "--lines=3")
    assert shown.returncode == 0
    assert shown.stdout.splitlines() == world.log.read_text().splitlines()[-3:]


def test_only_logs_are_shown_whatever_a_link_to_them_is_called(tmp_path: Path) -> None:
    key = tmp_path / "vault.key"
    key.write_text("secret")
    link = tmp_path / "app.log"
    link.symlink_to(key)
    for path in (key, link):
        refused = tail(f"--path={path}")
        assert refused.returncode == 1
        assert "is not a log file" in refused.stderr
        assert "secret" not in refused.stdout


def test_a_pipe_and_a_directory_have_no_last_lines(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "folder.log").mkdir()
    for name in ("pipe.log", "folder.log"):
        assert "is not a regular file" in tail(f"--path={tmp_path / name}").stderr


@pytest.mark.parametrize("path", ["$(id)", "-n", "app.log", "/x`id`.log", "/tmp/;id.log", ""])
def test_X1_X2_a_path_is_only_a_path(path: str) -> None:
    refused = tail(f"--path={path}")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "is not a full path" in refused.stderr or "There is no file" in refused.stderr


def test_a_path_with_blanks_quotes_and_dollars_is_read(tmp_path: Path) -> None:
    odd = tmp_path / "a 'b' \"c\" $(d) *.log"
    odd.write_text("one\ntwo\n")
    assert tail(f"--path={odd}", "--lines=1").stdout == "two\n"


@pytest.mark.parametrize("lines", ["0", "-5", "+3", "1000", "3x", "a[$(id)]", ""])
def test_a_number_of_lines_is_a_number(world: World, lines: str) -> None:
    assert "is not a number of lines" in tail(f"--path={world.log}", f"--lines={lines}").stderr


def test_X6_an_undeclared_argument_is_refused(world: World) -> None:
    assert "is not an argument" in tail(f"--path={world.log}", "--follow=true").stderr


def test_disk_usage_shows_each_file_system_once() -> None:
    rows = script("disk-usage").main()
    assert len({row["file_system"] for row in rows}) == len(rows)
    assert "/" in {row["file_system"] for row in rows}
    full = [int(row["full"].split()[0]) for row in rows]
    assert full == sorted(full, reverse=True)


def test_disk_usage_of_a_directory_shows_what_holds_it(tmp_path: Path) -> None:
    rows = script("disk-usage").main(str(tmp_path))
    assert len(rows) == 1
    assert tmp_path.is_relative_to(rows[0]["file_system"])


@pytest.mark.parametrize("path", ["/no/such/place", "relative"])
def test_disk_usage_of_nothing_is_a_plain_sentence(path: str) -> None:
    with pytest.raises(SystemExit, match="Give a full path"):
        script("disk-usage").main(path)


def test_top_processes_shows_the_largest_without_their_arguments() -> None:
    with subprocess.Popen(["/bin/sleep", "30.0625"]) as other:
        try:
            every = script("top-processes").main(count=50_000, by="memory")
        finally:
            other.kill()
    row = next(row for row in every if row["process"] == other.pid)
    assert row["name"] == "sleep"
    assert "30.0625" not in str(every)


def test_top_processes_finds_the_busy_one() -> None:
    with subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) as busy:
        try:
            shown = script("top-processes").main(count=20)
        finally:
            busy.kill()
    assert busy.pid in {row["process"] for row in shown}


def test_a_url_is_asked_once_and_described(world: World) -> None:
    facts = script("check-url").main(world.web)
    assert facts["status"] == "200 OK"
    assert "certificate_days_left" not in facts


def test_an_https_url_tells_how_long_its_certificate_lasts(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "web.pem", "localhost", days=12)
    behind = urlsplit(world.web).port or 0
    with tls_front(certificate, behind) as port:
        url = f"https://localhost:{port}/"
        with pytest.raises(SystemExit, match="certificate of localhost isn't valid"):
            script("check-url").main(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert script("check-url").main(url)["certificate_days_left"] == 12


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://h/",
        "http://",
        "http://a:b@h/",
        "http://h:99999/",
        "http://h:0/",
        "http://[::1",
        "x",
    ],
)
def test_W4_only_web_addresses_are_asked(url: str) -> None:
    with pytest.raises(SystemExit, match="is not an address to check"):
        script("check-url").main(url)


@pytest.mark.parametrize("peer", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1%eth0", "fd00:ec2::254"])
def test_W4_where_clouds_hand_out_credentials_nothing_is_asked(peer: str) -> None:
    connection = SimpleNamespace(host="metadata.test", sock=SimpleNamespace(getpeername=lambda: (peer, 80)))
    with pytest.raises(SystemExit, match=r"^At metadata\.test \(.+\) clouds hand out credentials"):
        script("check-url")._refuse_metadata(connection)


def test_W4_an_address_that_was_given_by_number_is_named_once() -> None:
    peer = ("169.254.169.254", 80)
    connection = SimpleNamespace(host=peer[0], sock=SimpleNamespace(getpeername=lambda: peer))
    with pytest.raises(
        SystemExit, match=r"^At 169\.254\.169\.254 clouds hand out credentials, so it was not asked"
    ):
        script("check-url")._refuse_metadata(connection)


@pytest.mark.parametrize("path", ["a b", "ü", "x?q=a b", "%20", "\x7f"])
def test_odd_characters_of_an_address_are_encoded(world: World, path: str) -> None:
    assert script("check-url").main(f"{world.web}{path}")["status"] == "200 OK"


def test_an_address_nobody_answers_at_is_a_plain_sentence(closed_port: int) -> None:
    with pytest.raises(SystemExit, match=r"127\.0\.0\.1 can't be asked"):
        script("check-url").main(f"http://127.0.0.1:{closed_port}/")


@pytest.mark.parametrize("days", [25, -3])
def test_a_certificate_is_read_even_where_it_is_not_trusted(world: World, tmp_path: Path, days: int) -> None:
    certificate = write_certificate(tmp_path / "web.pem", "localhost", days)
    with tls_front(certificate, urlsplit(world.web).port or 0) as port:
        facts = script("certificate-expiry").main("localhost", port)
    assert facts["days_left"] == days
    assert facts["subject"] == "CN=localhost"
    assert facts["trusted_here"].startswith("no: ")


def test_a_certificate_this_machine_trusts_is_said_to_be(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path / "web.pem", "localhost", days=9)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with tls_front(certificate, urlsplit(world.web).port or 0) as port:
        assert script("certificate-expiry").main("localhost", port)["trusted_here"] == "yes"


def test_a_server_without_tls_is_a_plain_sentence(world: World, closed_port: int) -> None:
    with pytest.raises(SystemExit, match="doesn't speak TLS"):
        script("certificate-expiry").main("127.0.0.1", urlsplit(world.web).port)
    with pytest.raises(SystemExit, match="can't be reached"):
        script("certificate-expiry").main("127.0.0.1", closed_port)
