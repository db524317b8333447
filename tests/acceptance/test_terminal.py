"""The channel in a terminal."""

import asyncio
import re
from pathlib import Path

from aiohttp import web

from tests.acceptance.conftest import Process, own_content


async def test_say_speaks_to_the_running_demo_and_tells_how_it_ended(demo: Process) -> None:
    code, out, _ = await demo.deputy("say", "--as", "oncall", "disk-usage path=/")
    assert code == 0
    assert "✔ Disk usage" in out
    assert re.search(r"AUD-\d{6}-[0-9a-f]{6}", out)


async def test_say_waits_is_refused_and_fails_with_exit_codes_of_their_own(demo: Process) -> None:
    code, out, _ = await demo.deputy("say", "--as", "helpdesk", "reset-password bob")
    assert code == 3
    run = re.search(r"R-[0-9A-Z]{8}", out)[0]  # type: ignore[index]
    code, out, _ = await demo.deputy("say", "--as", "helpdesk", f"approve {run}")
    assert code == 2
    assert "You can't approve your own request" in out
    code, out, _ = await demo.deputy("say", "--as", "manager", f"approve {run}")
    assert code == 0
    assert "is for Hanna Weber alone" in out
    code, out, _ = await demo.deputy("say", "--as", "nobody", "unlock-account alice")
    assert code == 2
    assert "Helpdesk" in out
    code, out, _ = await demo.deputy("say", "--as", "oncall", "tail-log path=/nowhere/at-all.log")
    assert code == 1


async def test_the_new_password_is_printed_to_its_requester_alone(demo: Process) -> None:
    _, out, _ = await demo.deputy("say", "--as", "helpdesk", "reset-password bob")
    run = re.search(r"R-[0-9A-Z]{8}", out)[0]  # type: ignore[index]
    _, approved, _ = await demo.deputy("say", "--as", "manager", f"approve {run}")
    seen = {who: str(await demo.messages(who)) for who in ("helpdesk", "manager")}
    assert f"{run}:result" in seen["helpdesk"]
    assert f"{run}:result" not in seen["manager"]
    assert "assword:" not in approved


async def test_say_works_on_the_same_data_where_no_demo_runs(process: Process) -> None:
    code, out, err = await process.deputy("say", "--as", "helpdesk", "unlock-account alice")
    assert (code, err) == (0, "")
    assert "Checked:" in out
    code, out, _ = await process.deputy("say", "--as", "helpdesk", "mine")
    assert "Unlock an account" in out


async def test_what_was_asked_for_is_approved_and_runs_where_no_demo_runs(process: Process) -> None:
    code, out, _ = await process.deputy("say", "--as", "helpdesk", "reset-password bob")
    assert code == 3
    run = re.search(r"R-[0-9A-Z]{8}", out)[0]  # type: ignore[index]
    code, out, err = await process.deputy("say", "--as", "manager", f"approve {run}")
    assert (code, err) == (0, ""), out
    assert "is for Hanna Weber alone" in out


async def test_X13_what_waits_for_approval_survives_a_power_cut_of_the_demo(demo: Process) -> None:
    _, out, _ = await demo.deputy("say", "--as", "helpdesk", "reset-password bob")
    run = re.search(r"R-[0-9A-Z]{8}", out)[0]  # type: ignore[index]
    await demo.kill()
    await demo.start()
    code, out, _ = await demo.deputy("say", "--as", "manager", f"approve {run}")
    assert code == 0, out


async def test_say_is_told_in_words_that_the_deputy_it_spoke_to_is_gone(tmp_path: Path) -> None:
    actions = {"operations/slow.sh": "sleep 30", "operations/slow.toml": 'summary = "Is slow."\nrisk = "read"\n'}
    served = Process(tmp_path, **own_content(tmp_path, actions))
    await served.start("serve")
    saying = asyncio.create_task(served.deputy("say", "--as", "oncall", "slow"))
    while not any(one["card"] and one["card"]["state"] == "running" for one in await served.messages("oncall")):
        await asyncio.sleep(0.05)
    await served.kill()
    code, _, err = await saying
    assert code == 1
    assert re.fullmatch(rf"deputy: The Deputy at {served.address} went away .+\.\n", err)


async def test_say_names_the_port_where_somebody_else_answers(process: Process) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", process.port).start()
    code, out, err = await process.deputy("say", "--as", "oncall", "disk-usage")
    await runner.cleanup()
    assert (code, out) == (1, "")
    assert re.fullmatch(rf"deputy: What answers at {process.address} is not .+DEPUTY_PORT\.\n", err)


async def test_say_names_what_it_does_not_know(process: Process) -> None:
    code, out, _ = await process.deputy("say", "--as", "helpdesk", "unlok-account alice")
    assert code == 2
    assert "Did you mean unlock-account" in out


async def test_a_terminal_without_its_letters_is_told_all_the_same(process: Process) -> None:
    process.environment["PYTHONIOENCODING"] = "ascii"
    code, out, err = await process.deputy("say", "--as", "helpdesk", "unlok-account alice")
    assert (code, err) == (2, "")
    assert "Did you mean unlock-account" in out


async def test_explain_says_who_may_and_why(process: Process) -> None:
    code, out, _ = await process.deputy("policy", "explain", "--as", "helpdesk", "reset-password", "account=bob")
    assert code == 0
    assert "1 approval" in out
    assert "Identity managers" in out


async def test_the_shipped_policies_pass_their_cases_and_everything_is_consistent(process: Process) -> None:
    code, out, err = await process.deputy("policy", "test")
    assert code == 0, out + err
    code, out, err = await process.deputy("check")
    assert code == 0, out + err


async def test_credentials_go_in_and_never_come_out(process: Process) -> None:
    code, out, _ = await process.deputy(
        "vault", "set", "ad/operator", "username=svc", "password", stdin="s3cret-value\n"
    )
    assert (code, "version 1" in out) == (0, True)
    code, out, _ = await process.deputy("vault", "list")
    assert "ad/operator" in out
    code, out, _ = await process.deputy("vault", "rotate-key")
    assert (code, "wrapped with it: 1 secret and 0 private results" in out) == (0, True)
    code, out, _ = await process.deputy("vault", "remove", "ad/operator")
    assert code == 0
    assert b"s3cret-value" not in process.database.read_bytes()


async def test_V3_a_secret_on_the_command_line_is_refused(process: Process) -> None:
    code, _, err = await process.deputy("vault", "set", "ad/operator", "password=s3cret-value")
    assert code == 1
    assert "stays out of the shell" in err
