"""One action of the catalogue: its .toml, its scripts, and every fault in them."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.catalog import values
from bot.catalog.files import Seen, Sight, Snapshot
from bot.catalog.inputs import Inputs, check_locks, check_verify, declared, signed
from bot.catalog.scripts import Scripts, read_scripts
from bot.catalog.toml_file import Document, Table, parse
from bot.core import toml
from bot.core.action import Action, Risk, Script
from bot.core.canonical import sha256_bytes
from bot.core.command import VERBS
from bot.core.errors import Invalid
from bot.core.wording import label, listed

KNOWN = (
    *("summary", "risk", "title", "script", "runner", "target", "environment", "timeout", "idempotent", "private"),
    *("minutes_saved", "locks", "at_once", "verify", "libraries", "credentials", "parameters"),
)

_ID = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, eq=False)
class Entry:
    """What one .toml came to: an action, or faults. `seen` are all files that were looked at, by path."""

    path: str
    action: Action | None
    faults: tuple[Invalid, ...]
    seen: dict[str, Seen]

    @property
    def id(self) -> str:
        return PurePosixPath(self.path).stem

    def untouched(self, snapshot: Snapshot) -> bool:
        """Whether no file was touched since: a cheap look at each one's stamp."""
        return all(snapshot.stamp(path) == seen.stamp for path, seen in self.seen.items())

    def same(self, snapshot: Snapshot) -> bool:
        """Whether every file still has the very same bytes; keeps how they look now, which may be settled."""
        for path, seen in self.seen.items():
            now = snapshot.same(path, seen)
            if now is None:
                return False
            self.seen[path] = now
        return True

    def where(self, *keys: str) -> str:
        """Return file and line of a field: `accounts/unlock-account.toml:7`."""
        return f"{self.path}:{toml.line_of(self.seen[self.path].content.decode(), keys)}"


def load(snapshot: Snapshot, path: str) -> Entry:
    """Read the action whose .toml is at `path` (`accounts/unlock-account.toml`), with all that it names."""
    category, _, name = path.rpartition("/")
    sight = Sight(snapshot, category)
    seen = sight.see(name)
    if seen.fault:
        return Entry(path, None, (Invalid(f"This file {seen.fault}.", f"{path}:1"),), sight.seen)
    try:
        document = parse(path, seen.content)
    except Invalid as fault:
        return Entry(path, None, (fault,), sight.seen)
    action = _action(document, sight)
    return Entry(path, None if document.faults else action, tuple(document.faults), sight.seen)


def _action(document: Document, sight: Sight) -> Action:
    """Read everything, whatever is wrong with a part of it, so that every fault is found at once."""
    top = document.top
    top.only(KNOWN, "an action")
    path = PurePosixPath(document.path)
    _check_id(document, path.stem)
    _check_place(top)
    scripts = read_scripts(top, sight, path)
    inputs = _inputs(top, scripts)
    locks = top.get("locks", values.texts, ())
    if inputs and scripts.check:
        check_verify(top, inputs, scripts.check)
    if inputs:
        check_locks(top, locks, inputs)
    return Action(
        id=path.stem,
        category=path.parent.name,
        path=document.path,
        title=top.get("title", values.text, label(path.stem)),
        summary=top.need("summary", values.text, "", "one sentence for people"),
        risk=Risk(top.need("risk", values.one_of(*Risk), Risk.UNCLASSIFIED, listed([*Risk], "or"))),
        script=scripts.script or Script("", b""),
        environment=top.get("environment", values.text, "production"),
        definition=sha256_bytes(document.text.encode()),
        parameters=inputs.parameters if inputs else (),
        libraries=scripts.libraries,
        verify=scripts.verify,
        credentials=inputs.credentials if inputs else {},
        timeout=float(top.get("timeout", values.whole(1, 86_400), 60)),
        locks=locks,
        at_once=top.get("at_once", values.whole(1, 1_000), 0),
        idempotent=top.get("idempotent", values.flag, False),
        private=top.get("private", values.flag, False),
        minutes_saved=top.get("minutes_saved", values.whole(0, 10_000), 0),
    )


def _check_id(document: Document, name: str) -> None:
    if not _ID.fullmatch(name):
        document.fault(f"“{name}” can't be an action's id; name the file with a-z, 0-9 and - only.")
    if name in VERBS:
        document.fault(f"“{name}” is a command already, so no action can be called that; rename the file.")


def _check_place(top: Table) -> None:
    """One runner is known, and it runs here: naming another place would mislead whoever approves."""
    top.get("runner", values.one_of("local"), "local")
    top.get("target", values.one_of("this machine"), "this machine")


def _inputs(top: Table, scripts: Scripts) -> Inputs | None:
    """Read the inputs; None where the script that should tell them is missing or broken."""
    if scripts.script is None:
        return None
    if not scripts.script.name.endswith(".py"):
        return declared(top)
    return signed(top, scripts.signature) if scripts.signature else None
