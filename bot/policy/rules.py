"""The folder of policies, read and checked as one: either all of it holds or none of it does.

    *.cedar              the policies; each has a unique @id, each forbid an @reason
    schema.cedarschema   what they can speak of
    roles.toml           the roles they speak of
    calendar.toml        the time zone, business hours and freezes; it may be left out

cases.toml lies beside them and decides nothing, so it is no part of the version.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cedarpy

from bot.core import canonical, dn
from bot.core.errors import Invalid, gathered, noted
from bot.core.text import decoded
from bot.policy import calendar, roles, schema
from bot.policy.calendar import Calendar
from bot.policy.roles import Role
from bot.policy.tree import Tree, literals, renamed

T = TypeVar("T")

SCHEMA = schema.FILE
ROLE, PLACE = "Deputy::Role", "Deputy::OU"
# What an @reason may have filled in, in braces.
WORDS = ("business_hours", "freeze", "incident")

# A string or comment may hold a semicolon; any other one ends a policy.
_TOKEN = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|;', re.DOTALL)
_BLANK = re.compile(r"(?:\s|//[^\n]*)*")
_WORD = re.compile(r"\{(\w+)\}")
_PREFIX = re.compile(r"^for policy `[^`]*`, ")


@dataclass(frozen=True)
class Rule:
    """One policy: its @id and @reason, its Cedar text, the same as a tree (Cedar's JSON), and `file:line`."""

    id: str
    reason: str
    where: str
    text: str
    tree: Tree


@dataclass(frozen=True)
class Rulebook:
    """All that decides: `version` is the SHA-256 over the files' names and bytes, in hex."""

    version: str
    rules: Mapping[str, Rule]
    roles: Mapping[str, Role]
    schema: cedarpy.Schema
    calendar: Calendar = field(default_factory=Calendar)

    @property
    def trees(self) -> Mapping[str, Tree]:
        """The policies' trees by @id."""
        return {rule.id: rule.tree for rule in self.rules.values()}


def files(folder: Path) -> list[Path]:
    """Return the files that decide, by name. Raises Invalid where there is no such folder."""
    try:
        return sorted(path for path in folder.iterdir() if decides(path.name))
    except OSError as error:
        raise Invalid(f"The folder of policies can't be read: {error.strerror}.", str(folder)) from None


def load(folder: Path) -> Rulebook:
    """Read and check the folder. Raises Invalid with file and line of what is wrong first, and all the others."""
    found = files(folder)
    with gathered() as faults:
        contents = _contents(found, faults)
        shape = _part(contents, SCHEMA, schema.parse, faults)
        known = _part(contents, roles.FILE, roles.parse, faults)
        rules = _rules(contents, shape, known, faults)
        dates = _part(contents, calendar.FILE, calendar.parse, faults) or Calendar()
        if not rules and not faults:
            raise Invalid("It holds no policy (*.cedar), so nobody could do anything.", str(folder))
    assert shape is not None and known is not None  # noqa: S101 - else there was a fault
    return Rulebook(_version(contents), rules, known, shape, dates)


def _contents(paths: list[Path], faults: list[Invalid]) -> dict[str, str]:
    """Read the files that can be, by name."""
    names = {path.name for path in paths}
    missing = [name for name in (SCHEMA, roles.FILE) if name not in names]
    faults += [Invalid("This file is missing, and nothing is decided without it.", name) for name in missing]
    contents: dict[str, str] = {}
    for path in paths:
        with noted(faults):
            contents[path.name] = _read(path)
    return contents


def _part(contents: Mapping[str, str], name: str, read: Callable[[str], T], faults: list[Invalid]) -> T | None:
    if name in contents:
        with noted(faults):
            return read(contents[name])
    return None


def _rules(
    contents: Mapping[str, str],
    shape: cedarpy.Schema | None,
    known: Mapping[str, Role] | None,
    faults: list[Invalid],
) -> dict[str, Rule]:
    """Read every policy, and hold it against schema and roles where those can be read."""
    rules: dict[str, Rule] = {}
    for name, text in contents.items():
        for line, statement in statements(text) if name.endswith(".cedar") else ():
            with noted(faults):
                for rule in parse(f"{name}:{line}", statement):
                    _check(rule, rules, shape, known)
                    rules[rule.id] = rule
    return rules


def parse(where: str, statement: str) -> Iterator[Rule]:
    """Yield the policy of a statement that starts at `where`. Raises Invalid."""
    try:
        found = json.loads(cedarpy.policies_to_json_str(statement))
    except ValueError as error:
        raise Invalid(f"Cedar can't read the policy that starts here: {error}.", where) from None
    if found["templates"]:
        raise Invalid("This policy has an open slot (?principal or ?resource) and so never holds.", where)
    for tree in found["staticPolicies"].values():
        notes = tree.get("annotations", {})
        try:
            tree = renamed(tree, PLACE, dn.canonical)
        except ValueError as error:
            raise Invalid(f"A place in the directory's tree here {error}.", where) from None
        yield Rule(notes.get("id") or "", notes.get("reason") or "", where, statement, tree)


def statements(text: str) -> Iterator[tuple[int, str]]:
    """Cut Cedar text into its policies, each with the number of its first line (from 1)."""
    ends = [match.end() for match in _TOKEN.finditer(text) if match[0] == ";"]
    start = 0
    for end in (*ends, len(text)):
        blank = _BLANK.match(text, start, end)
        begin = blank.end() if blank else start
        if begin < end:
            yield text.count("\n", 0, begin) + 1, text[begin:end]
        start = end


def filled(sentence: str, words: Mapping[str, str]) -> str:
    """Put what goes on into a sentence, where it says {freeze}; a name that isn't known stays as it is."""
    return _WORD.sub(lambda match: words.get(match[1], match[0]), sentence)


def policy_set(trees: Mapping[str, Tree]) -> cedarpy.PolicySet:
    """Make policies ready to be asked; Cedar then names them by the keys given here."""
    return cedarpy.PolicySet.from_json_str(
        json.dumps({"templates": {}, "staticPolicies": trees, "templateLinks": []})
    )


def _check(
    rule: Rule, others: Mapping[str, Rule], shape: cedarpy.Schema | None, known: Mapping[str, Role] | None
) -> None:
    if not rule.id:
        raise Invalid('This policy has no name: give it an @id("…").', rule.where)
    if rule.id in others:
        raise Invalid(f"The name “{rule.id}” is taken: it stands in {others[rule.id].where} too.", rule.where)
    if rule.tree["effect"] == "forbid" and not rule.reason:
        sentence = f'“{rule.id}” forbids without a word: tell people why and what to do next by an @reason("…").'
        raise Invalid(sentence, rule.where)
    unknown = next((word for word in _WORD.findall(rule.reason) if word not in WORDS), None)
    if unknown:
        sentence = f"“{rule.id}” says {{{unknown}}}, and the words to be filled in are {', '.join(WORDS)}."
        raise Invalid(sentence, rule.where)
    if shape is not None:
        _fits(rule, shape)
    for kind, name in literals(rule.tree):
        if kind == ROLE and known is not None and name not in known:
            raise Invalid(f"“{rule.id}” speaks of the role “{name}”, which {roles.FILE} doesn't know.", rule.where)


def _fits(rule: Rule, shape: cedarpy.Schema) -> None:
    result = cedarpy.validate_policies(rule.text, shape)
    if not result.validation_passed:
        faults = "; ".join(dict.fromkeys(_PREFIX.sub("", error.error) for error in result.errors))
        raise Invalid(f"“{rule.id}” doesn't fit the schema: {faults}.", rule.where)


def decides(name: str) -> bool:
    """Say whether a file of that name decides: the hidden ones that editors leave beside theirs don't."""
    return name in (SCHEMA, roles.FILE, calendar.FILE) or (name.endswith(".cedar") and not name.startswith("."))


def _read(path: Path) -> str:
    try:
        return decoded(path.read_bytes(), path.name)
    except OSError as error:
        raise Invalid(f"It can't be read: {error.strerror}.", path.name) from None


def _version(contents: Mapping[str, str]) -> str:
    return canonical.sha256([[name, canonical.sha256_bytes(text.encode())] for name, text in contents.items()])
