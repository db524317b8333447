"""The policy port by Cedar, over a folder of files. Edits show at once; a broken folder denies everything."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.core.action import Action
from bot.core.decision import Decision, Deny, Reason
from bot.core.errors import Invalid
from bot.core.principal import Principal
from bot.policy import judge, rules
from bot.policy.judge import ERROR, Bench
from bot.policy.memory import Memory
from bot.policy.menu import Menu
from bot.policy.roles import held
from bot.policy.rules import Rulebook
from bot.ports import About, Question, RoleInfo

Signature = tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True)
class Loaded:
    """One state of the folder, ready to decide."""

    book: Rulebook
    bench: Bench
    memory: Memory
    menu: Menu


_Read = tuple[Signature, Loaded | Invalid]


class CedarPolicy:
    """Satisfies `Policy`. The files are looked at in every call and read again where one changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: _Read | None = None
        self._looked = False

    def version(self) -> str:
        """Return the SHA-256 over all policy files, in hex. Raises Invalid where they are broken."""
        return self._loaded().book.version

    def decide(self, question: Question) -> Decision:
        """Say whether it may run: at once, with how many approvals, or not and why."""
        try:
            return self._loaded().memory.decide(question)
        except Invalid as fault:
            return _broken(fault)

    def may_approve(self, approver: Principal, question: Question) -> Decision:
        """Say whether `approver` may vote on `question`: Permit or Deny. Nobody may on their own request."""
        try:
            return judge.approve(self._loaded().bench, approver, question)
        except Invalid as fault:
            return _broken(fault)

    def opens(self, question: Question) -> datetime | None:
        """Return the first hour, of the coming week or after a freeze that is on, at which asking is allowed."""
        try:
            return judge.opens(self._loaded().bench, question)
        except Invalid:
            return None

    def may_review(self, reviewer: Principal, question: Question) -> Decision:
        """Say whether `reviewer` may review afterwards what was run as an emergency: Permit or Deny."""
        try:
            return judge.review(self._loaded().bench, reviewer, question)
        except Invalid as fault:
            return _broken(fault)

    def menu(self, about: About, actions: Iterable[Action]) -> Mapping[str, Decision]:
        """Decide many actions as policy could at best, whatever will be filled in."""
        try:
            return self._loaded().menu.decide(about, actions)
        except Invalid as fault:
            return {action.id: _broken(fault) for action in actions}

    def roles(self, groups: Iterable[str], *, guest: bool = False) -> frozenset[str]:
        """Return the roles that a set of group ids gives: none while the folder is broken."""
        try:
            return held(self._loaded().book.roles, groups, guest=guest)
        except Invalid:
            return frozenset()

    def groups(self) -> frozenset[str]:
        """Return the ids of all groups that give a role: none while the folder is broken."""
        try:
            return frozenset(group for role in self._loaded().book.roles.values() for group in role.groups)
        except Invalid:
            return frozenset()

    def role(self, name: str) -> RoleInfo:
        """Return what people call a role; one that isn't known is called by its name."""
        try:
            found = self._loaded().book.roles.get(name)
        except Invalid:
            found = None
        return RoleInfo(name, found.title, found.contact) if found else RoleInfo(name, name)

    def bench(self) -> Bench:
        """Return the policies ready to be asked. Raises Invalid where the folder is broken."""
        return self._loaded().bench

    def _loaded(self) -> Loaded:
        """Return the folder's present state. Raises Invalid where it is broken."""
        if self._read is None or not self._looked:
            self._read = self._look(self._read)
        state = self._read[1]
        if isinstance(state, Invalid):
            raise state.with_traceback(None)
        return state

    def _look(self, before: _Read | None) -> _Read:
        """Look at the files. What an event loop does in one go is one moment, so it looks once for all of that."""
        signature = _signature(self._folder)
        if asyncio._get_running_loop():
            self._looked = True
            asyncio.get_running_loop().call_soon(self._look_again)
        return before if before and before[0] == signature else (signature, _load(self._folder))

    def _look_again(self) -> None:
        self._looked = False


def _load(folder: Path) -> Loaded | Invalid:
    try:
        book = rules.load(folder)
    except Invalid as fault:
        return fault
    bench = Bench.of(book, book.trees)
    return Loaded(book, bench, Memory(bench), Menu(book))


def _signature(folder: Path) -> Signature:
    """Return what changes whenever a file does; taken before reading, so a later edit is never missed."""
    try:
        with os.scandir(folder) as found:  # no Path each: this is asked several times in every run
            stats = sorted((one.name, one.stat()) for one in found if rules.decides(one.name))
    except OSError as error:
        raise Invalid(f"The policies can't be read: {error.strerror}.", str(folder)) from None
    return tuple((name, one.st_mtime_ns, one.st_ctime_ns, one.st_size, one.st_ino) for name, one in stats)


def _broken(fault: Invalid) -> Deny:
    sentence = f"The policies are broken, so nothing is allowed until whoever keeps them mends this: {fault}"
    return Deny((Reason(ERROR, sentence),))
