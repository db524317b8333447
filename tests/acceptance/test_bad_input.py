"""Bad surroundings and bad input: one sentence that names what is wrong, exit code 1, and nothing half done."""

import asyncio
import re
import resource
import shutil
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.conftest import Process, lay, own_content

ACTIONS = {
    "operations/quick.sh": "echo quick as ever\n",
    "operations/quick.toml": 'summary = "Is quick."\nrisk = "read"\n',
    "operations/other.sh": "echo the other\n",
    "operations/other.toml": 'summary = "Is another."\nrisk = "read"\n',
}
SERVE = ("serve",)
CHECK = ("check",)


async def complaint(process: Process, *words: str) -> str:
    """Return the one sentence with which a command ends, exit code 1."""
    code, out, err = await process.deputy(*words)
    assert (code, out) == (1, ""), out + err
    assert re.fullmatch(r"deputy: .+\.\n", err), err
    return err.removeprefix("deputy: ").rstrip("\n")


# ---- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEPUTY_COLOUR", "red", "DEPUTY_COLOUR: There is no such setting. The settings are DEPUTY_ACTIONS_DIR,"),
        ("DEPUTY_PORT", "http", "DEPUTY_PORT: “http” is not a positive whole number up to 65535."),
        ("DEPUTY_LOCAL_CHAT", "maybe", "DEPUTY_LOCAL_CHAT: “maybe” is not yes or no."),
        ("DEPUTY_LOCAL_CHAT", "no", "DEPUTY_LOCAL_CHAT: No chat is set up."),
        ("DEPUTY_HOST", "192.0.2.1", "DEPUTY_HOST: The local channel lets anybody be anybody"),
        ("DEPUTY_CONCURRENCY", "100000000", "DEPUTY_CONCURRENCY: “100000000” is too much: 1000 is the most."),
        ("DEPUTY_APPROVAL_TTL", "1e300", "DEPUTY_APPROVAL_TTL: “1e300” is too much: 31536000 is the most."),
        ("DEPUTY_ACTIONS_DIR", "/nowhere", "DEPUTY_ACTIONS_DIR: There is no folder /nowhere."),
        ("DEPUTY_POLICIES_DIR", "/nowhere", "DEPUTY_POLICIES_DIR: There is no folder /nowhere."),
        ("DEPUTY_DATA_DIR", "/proc/nowhere", "The data folder /proc/nowhere can't be made:"),
        ("DEPUTY_DATA_DIR", "pyproject.toml/data", "The data folder pyproject.toml/data can't be made:"),
    ],
)
async def test_a_wrong_setting_stops_the_start_by_its_name(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    process = Process(tmp_path, **{**own_content(tmp_path, ACTIONS), name: value})
    assert (await complaint(process, "serve")).startswith(sentence)
    assert not (tmp_path / "deputy").exists()


@pytest.mark.parametrize("command", ["serve", "demo"])
async def test_a_port_in_use_is_named_and_nothing_is_made(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = Process(tmp_path, **own_content(tmp_path, ACTIONS), DEPUTY_PORT=str(port))
        sentence = await complaint(process, command)
    assert not (tmp_path / "deputy").exists()
    assert sentence.startswith(f"Port {port} on 127.0.0.1 can't be taken: address already in use.")
    assert "DEPUTY_PORT" in sentence


# ---- the data folder ------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder in which something was run and a secret lies."""
    folder = tmp_path_factory.mktemp("used")
    process = Process(folder, **own_content(folder, ACTIONS))
    await process.start("serve")
    await process.until("oncall", await process.ask("oncall", "quick"), "succeeded")
    await process.deputy("vault", "set", "directory", "password", stdin="s3cret-value\n")
    await process.stop()
    return folder / "deputy"


def garbage(data: Path) -> None:
    (data / "deputy.db").write_bytes(b"no database " * 1000)


def half(data: Path) -> None:
    content = (data / "deputy.db").read_bytes()
    (data / "deputy.db").write_bytes(content[: len(content) // 2])


def overwritten(table: str) -> Callable[[Path], None]:
    """Return what overwrites the first page of a table."""

    def harm(data: Path) -> None:
        with sqlite3.connect(data / "deputy.db") as connection:
            (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.close()
        with (data / "deputy.db").open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)

    return harm


def newer(data: Path) -> None:
    with sqlite3.connect(data / "deputy.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def another_key(data: Path) -> None:
    lines = (data / "vault.key").read_text().splitlines()
    other = "5DYGp3B1bhWrSCPdWGVnqrVtzEIM7lrJpSZ0vS3gPlQ="
    lines[-1] = f"{_key_id(other)} {other}"
    (data / "vault.key").write_text("\n".join(lines) + "\n")


def _key_id(material: str) -> str:
    from bot.core.secret import Secret
    from bot.vault.keys import Key

    return Key(Secret(material)).id


def folder_named(name: str) -> Callable[[Path], None]:
    """Return what puts a folder in the place of a file."""

    def harm(data: Path) -> None:
        (data / name).unlink()
        (data / name).mkdir()

    return harm


def file_named(name: str) -> Callable[[Path], None]:
    """Return what puts a file in the place of a folder."""

    def harm(data: Path) -> None:
        (data / name).rmdir()
        (data / name).touch()

    return harm


HARMS: dict[str, tuple[Callable[[Path], None], str]] = {
    "garbage in the database": (garbage, r"deputy\.db is no database: .* restore a backup"),
    "half a database": (half, r"deputy\.db is damaged.* restore a backup"),
    "a page of the runs": (overwritten("runs"), r"deputy\.db is damaged.* restore a backup"),
    "a page of the log": (overwritten("audit_entries"), r"deputy\.db is damaged.* restore a backup"),
    "a page of the outputs": (overwritten("outputs"), r"deputy\.db is damaged.* restore a backup"),
    "a newer database": (newer, r"written by a newer Deputy \(its schema is 9999.* Start the newer Deputy"),
    "a folder for a database": (folder_named("deputy.db"), r"deputy\.db can't be opened: .* DEPUTY_DATA_DIR"),
    "a folder for a lock": (
        folder_named("deputy.lock"),
        r"deputy\.lock in it can't be written .* DEPUTY_DATA_DIR",
    ),
    "a file for a folder": (file_named("runs"), r"Scripts can't be run here: .*runs can't be made"),
    "no key": (
        lambda data: (data / "vault.key").unlink(),
        r"vault\.key: The vault's key file is missing.*put back",
    ),
    "another key": (another_key, r"“directory” \(version 1\) doesn't open with this vault key.* Put back"),
    "an open key": (lambda data: (data / "vault.key").chmod(0o644), r"Others can open .*chmod 600"),
    "half a key": (lambda data: (data / "vault.key").write_text("4f\n"), r"vault\.key:1: This is not a key's id"),
    "a folder for a key": (folder_named("vault.key"), r"vault\.key can't be read: Is a directory"),
}


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is kept in a data folder, by name: the lock holds the number of the last process."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".lock"}


@pytest.mark.parametrize(("harm", "sentence"), HARMS.values(), ids=HARMS)
async def test_a_harmed_data_folder_stops_the_start_and_is_left_as_it_is(
    used: Path, tmp_path: Path, harm: Callable[[Path], None], sentence: str
) -> None:
    process = Process(tmp_path, **own_content(tmp_path, ACTIONS))
    shutil.copytree(used, tmp_path / "deputy")
    harm(tmp_path / "deputy")
    before = contents(tmp_path / "deputy")
    assert re.search(sentence, await complaint(process, *SERVE))
    assert contents(tmp_path / "deputy") == before


@pytest.mark.parametrize("command", [("audit", "export"), ("audit", "verify"), ("vault", "list"), ("check",)])
async def test_what_can_not_be_printed_is_said_in_a_sentence(
    used: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    process = Process(tmp_path, **own_content(tmp_path, ACTIONS))
    shutil.copytree(used, tmp_path / "deputy")
    process.before = ("/bin/sh", "-c", 'exec "$@" > /dev/full', "sh")
    sentence = await complaint(process, *command)
    assert sentence == "What was to be printed can't be written: No space left on device."


# ---- actions and policies -------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, str], str]] = {
    "a risk that is none": (
        {"actions/operations/quick.toml": 'summary = "Is quick."\nrisk = "reads"\n'},
        "actions/operations/quick.toml:2: “risk” takes read, change, destructive or unclassified, not 'reads'.",
    ),
    "a field that is none": (
        {"actions/operations/quick.toml": 'summary = "Is quick."\nrisk = "read"\n\ntimout = 5\n'},
        "actions/operations/quick.toml:4: “timout” is no field of an action; did you mean “timeout”?",
    ),
    "no TOML": (
        {"actions/operations/quick.toml": 'summary = "Is quick."\nrisk = \n'},
        "actions/operations/quick.toml:2: This isn't valid TOML: invalid value.",
    ),
    "no script": (
        {"actions/operations/lonely.toml": 'summary = "Has none."\nrisk = "read"\n'},
        "actions/operations/lonely.toml:1: “script” is not given, and there is no lonely.py or lonely.sh",
    ),
    "a folder for a script": (
        {
            "actions/operations/lonely.toml": 'summary = "Has none."\nrisk = "read"\n',
            "actions/operations/lonely.sh/inside": "",
        },
        "actions/operations/lonely.toml:1: “script” names “lonely.sh”, which is a directory, not a file.",
    ),
    "no Python": (
        {
            "actions/operations/wrong.toml": 'summary = "Is wrong."\nrisk = "read"\n',
            "actions/operations/wrong.py": '"""Wrong."""\n\n\ndef main(path: str:\n',
        },
        "actions/operations/wrong.py:4: This isn't valid Python",
    ),
    "no Cedar": (
        {"policies/mine.cedar": '// Mine.\n\n@id("mine")\npermit (principal, action\n'},
        "policies/mine.cedar:3: Cedar can't read the policy that starts here",
    ),
    "an attribute the schema lacks": (
        {
            "policies/mine.cedar": '@id("mine")\npermit (principal, action == Deputy::Action::"run", resource)\n'
            'when { resource.colour == "red" };\n'
        },
        "policies/mine.cedar:1: “mine” doesn't fit the schema: attribute `colour`",
    ),
    "a role nobody knows": (
        {
            "policies/mine.cedar": '@id("mine")\n'
            'permit (principal in Deputy::Role::"boss", action == Deputy::Action::"run", resource);\n'
        },
        "policies/mine.cedar:1: “mine” speaks of the role “boss”, which roles.toml doesn't know.",
    ),
    "a case that fails": (
        {
            "policies/cases.toml": '[[case]]\nname = "Helpdesk looks"\nas = "helpdesk"\naction = "quick"\n'
            'expect = "permit"\n'
        },
        "policies/cases.toml:1: Helpdesk looks: Expected permit, but policy says deny",
    ),
}


@pytest.mark.parametrize(("files", "fault"), WRONG.values(), ids=WRONG)
async def test_check_names_file_line_and_field(tmp_path: Path, files: dict[str, str], fault: str) -> None:
    process = Process(tmp_path, **own_content(tmp_path, ACTIONS))
    lay(tmp_path, files)
    code, out, err = await process.deputy(*CHECK)
    assert (code, err) == (1, "")
    *faults, last = out.splitlines()
    other = ("speaks of the action", "speaks of the category")  # that the shipped policies know, and aren't here
    (found,) = [one for one in faults if not any(words in one for words in other)]
    assert found.startswith(f"{tmp_path}/{fault}")
    assert last == f"{len(faults)} fault{'s' if len(faults) > 1 else ''} to mend."


async def test_check_names_every_fault_at_once(tmp_path: Path) -> None:
    process = Process(tmp_path, **own_content(tmp_path, ACTIONS))
    roles = (tmp_path / "policies/roles.toml").read_text()
    files = {
        "actions/operations/quick.toml": 'summary = "Is quick."\nrisk = "reads"\n\ntimout = 5\n',
        "policies/a.cedar": "permit (principal, action\n",
        "policies/b.cedar": '@id("b")\npermit (principal, action, resource)\nwhen { resource.colour == "x" };\n\n'
        "permit (principal, action, resource);\n",
        "policies/roles.toml": roles.replace("\ncontact", "\ncontract", 2),
        "policies/calendar.toml": 'zone = "Berlin"\nholiday = 1\n[[freeze]]\nname = "a"\n[[freeze]]\nname = "b"\n',
        "policies/cases.toml": '[[case]]\nname = "One"\n\n[[case]]\nname = "Two"\n',
        "policies/oncall.toml": 'rota = 1\n[[incident]]\nname = "Mail is down"\n',
        "policies/slack.toml": 'approval = "C012"\n',
        "people.toml": '[[person]]\ntenant = "x"\nid = "y"\nname = "Hanna"\n',
    }
    lay(tmp_path, files)
    process.environment |= {"DEPUTY_PORT": "http", "DEPUTY_LINKS_FILE": str(tmp_path / "people.toml")}
    code, out, err = await process.deputy(*CHECK)
    assert (code, err) == (1, "")
    contacts = [number for number, line in enumerate(roles.splitlines(), 1) if line.startswith("contact")]
    assert [line.split(": ")[0].removeprefix(f"{tmp_path}/") for line in out.splitlines()] == [
        *("DEPUTY_PORT", "actions/operations/quick.toml:4", "actions/operations/quick.toml:2"),
        *("policies/oncall.toml:1", "policies/oncall.toml:2", "policies/slack.toml:1"),
        *(f"policies/roles.toml:{line}" for line in contacts[:2]),
        *("policies/a.cedar:1", "policies/b.cedar:1", "policies/b.cedar:5"),
        *("policies/calendar.toml:1", "policies/calendar.toml:2"),
        *(f"policies/calendar.toml:{line}" for line in (3, 3, 3, 5, 5, 5)),
        *(f"policies/cases.toml:{line}" for line in (1, 1, 1, 4, 4, 4)),
        *("people.toml:2", "people.toml:3"),
        "27 faults to mend.",
    ]


async def test_check_names_a_folder_that_is_missing_once(tmp_path: Path) -> None:
    process = Process(tmp_path, DEPUTY_ACTIONS_DIR="/nowhere", DEPUTY_POLICIES_DIR="/nowhere")
    code, out, err = await process.deputy(*CHECK)
    assert (code, err) == (1, "")
    assert [line.partition(":")[0] for line in out.splitlines()] == ["/nowhere", "/nowhere", "2 faults to mend."]


# ---- while it serves ------------------------------------------------------------------------------


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Process]:
    folder = tmp_path_factory.mktemp("served")
    process = Process(folder, **own_content(folder, ACTIONS))
    await process.start("serve")
    yield process
    await process.stop()


@pytest.mark.parametrize(
    ("who", "text", "sentence"),
    [
        ("oncall", "quick colour=red", "“colour” is not a parameter of this action."),
        ("mallory", "quick", "There is nobody of that name here. Choose one of helpdesk,"),
        ("oncall", "qick", "There is no action “qick”. Did you mean quick?"),
        ("oncall", "\u202equick", "There is no action “⟨U+202E⟩quick”."),
        ("oncall", 'quick "now', "A quote is opened but not closed"),
        ("oncall", "status R-NOWHERE", "There is no run R-NOWHERE that you may see."),
        ("nobody", "quick", "You hold no role here"),
    ],
)
async def test_say_tells_what_it_did_not_do_and_why(served: Process, who: str, text: str, sentence: str) -> None:
    code, out, err = await served.deputy("say", "--as", who, text)
    assert (code, err) == (2, "")
    assert sentence in out


@contextmanager
def changed(process: Process, name: str, text: str) -> Iterator[None]:
    """Change a file of the content that is served, or add one, for as long as the context lasts."""
    path = process.data / name
    before = path.read_text() if path.exists() else None
    path.write_text(text)
    try:
        yield
    finally:
        path.unlink() if before is None else path.write_text(before)


async def test_a_broken_action_says_what_is_wrong_and_the_others_go_on(served: Process) -> None:
    with changed(served, "actions/operations/quick.toml", 'summary = "Is quick."\nrisk = "reads"\n'):
        status, answer = await served.send("/api/say", "oncall", text="/deputy quick")
        assert status == 400
        assert "“quick” can't run until its author mends it. operations/quick.toml:2: “risk”" in answer["error"]
        await served.until("oncall", await served.ask("oncall", "other"), "succeeded")
    await served.until("oncall", await served.ask("oncall", "quick"), "succeeded")


async def test_a_broken_policy_refuses_everything_for_that_reason_until_it_is_mended(served: Process) -> None:
    reason = "The policies are broken, so nothing is allowed until whoever keeps them mends this: mine.cedar:1: "
    with changed(served, "policies/mine.cedar", "permit ("):
        for action in ("quick", "other"):
            card = await served.until("oncall", await served.ask("oncall", action), "refused")
            assert card["lead"].startswith(reason)
            assert card["audit"].startswith("AUD-")
        _, answer = await served.send("/api/say", "oncall", text="/deputy")
        assert answer["reply"]["card"]["lead"].startswith(reason)
    await served.until("oncall", await served.ask("oncall", "quick"), "succeeded")


@contextmanager
def full_disk(process: Process) -> Iterator[None]:
    """Let a process write no more files, as a full disk would, for as long as the context lasts."""
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))


async def test_X16_with_a_full_disk_nothing_starts_and_everybody_is_told(served: Process) -> None:
    before = await served.messages("oncall")
    with full_disk(served):
        for who in ("oncall", "nobody"):
            status, answer = await served.send("/api/say", who, text="/deputy quick")
            assert status == 503, answer
            assert re.search(r"The database .* Nothing was done", answer["error"])
        await asyncio.sleep(1.5)  # its loops meet the full disk too
        assert await served.messages("oncall") == before
    await served.until("oncall", await served.ask("oncall", "quick"), "succeeded")
    code, _, err = await served.deputy("audit", "verify")
    assert (code, err) == (0, "")


@pytest.mark.parametrize("command", [("serve",), ("demo",), ("vault", "set", "directory", "username=svc")])
@pytest.mark.parametrize("used_before", [False, True])
async def test_X16_a_disk_that_is_full_from_the_start_is_named(
    used: Path, tmp_path: Path, command: tuple[str, ...], used_before: bool
) -> None:
    process = Process(tmp_path, **own_content(tmp_path, ACTIONS))
    if used_before:
        shutil.copytree(used, tmp_path / "deputy")
    process.before = ("/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh")
    assert str(tmp_path / "deputy") in await complaint(process, *command)
    process.before = ()
    code, _, err = await process.deputy("vault", "list")
    assert (code, err) == (0, "")
