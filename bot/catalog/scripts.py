"""The files of an action that run: its script, its libraries and its check."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from bot.catalog import signature as signatures
from bot.catalog import values
from bot.catalog.files import Sight
from bot.catalog.signature import Signature
from bot.catalog.toml_file import Table
from bot.core.action import Script
from bot.core.errors import Invalid
from bot.core.wording import listed

ENDINGS = (".py", ".sh")


@dataclass(frozen=True)
class Scripts:
    """What was found; None where there is nothing or it is at fault.

    `signature` is the Python script's own, `check` that of its verify script.
    """

    script: Script | None
    libraries: tuple[Script, ...]
    verify: Script | None
    signature: Signature | None
    check: Signature | None


def read_scripts(top: Table, sight: Sight, path: PurePosixPath) -> Scripts:
    """Read all scripts of the action whose .toml is at `path`; what is wrong is added to the table's faults."""
    named = top.get("script", values.text, "") or _beside(top, sight, path.stem)
    script = _file(top, sight, "script", named, ENDINGS)
    checked = top.get("verify", values.text, "")
    verify = _file(top, sight, "verify", checked, (".py",))
    paths = top.get("libraries", values.texts, ())
    libraries = tuple(filter(None, [_file(top, sight, "libraries", one, ()) for one in paths]))
    _check_names(top, [*filter(None, (script, verify)), *libraries])
    return Scripts(
        script,
        libraries,
        verify,
        _signature(top, f"{path.parent}/{named}", script),
        _signature(top, f"{path.parent}/{checked}", verify),
    )


def _beside(top: Table, sight: Sight, stem: str) -> str:
    """Return the name of the one script beside the .toml."""
    names = [f"{stem}{ending}" for ending in ENDINGS]
    found = [name for name in names if sight.see(name).stamp is not None]
    if not found:
        top.fault("script", f"is not given, and there is no {listed(names, 'or')} beside this file; add one")
    if len(found) > 1:
        top.fault("script", f"is not given, and {listed(found)} lie beside this file; say which it is")
    return found[0] if len(found) == 1 else ""


def _file(top: Table, sight: Sight, key: str, name: str, endings: tuple[str, ...]) -> Script | None:
    if not name:
        return None
    if endings and not name.endswith(endings):
        top.fault(key, f"takes a file ending in {listed(endings, 'or')}, not “{name}”")
        return None
    seen = sight.see(name)
    if seen.fault:
        top.fault(key, f"names “{name}”, which {seen.fault}")
        return None
    return Script(PurePosixPath(name).name, seen.content)


def _check_names(top: Table, files: list[Script]) -> None:
    names = [file.name for file in files]
    for name in {name for name in names if names.count(name) > 1}:
        words = f"“{name}” is the name of two of this action's files, but they run in one folder; rename one."
        top.document.fault(words, "libraries")


def _signature(top: Table, path: str, script: Script | None) -> Signature | None:
    if script is None or not script.name.endswith(".py"):
        return None
    try:
        signature = signatures.read(path, script.content)
    except Invalid as fault:
        top.document.faults.append(fault)
        return None
    top.document.faults.extend(signature.faults)
    return signature
