"""A folder of actions as the catalogue: `<root>/<category>/<name>.toml`, each beside its script."""

from collections.abc import Callable
from math import inf
from pathlib import Path
from time import monotonic

from bot.catalog.assemble import Assembled, assemble
from bot.catalog.entry import Entry, load
from bot.catalog.files import Snapshot
from bot.catalog.listing import ROOT, listing
from bot.core.action import Action
from bot.core.catalog import Catalog, plain
from bot.core.errors import Invalid, NotFound
from bot.core.text import shorten, visible

RESCAN = 0.5


class Folder:
    """Actions from a folder, a `ports.CatalogSource`. What didn't change is not read again.

    `interpreter` names what runs a script of a given file name.
    """

    def __init__(self, root: Path, interpreter: Callable[[str], str]) -> None:
        self._root = root
        self._interpreter = interpreter
        self._entries: dict[str, Entry] = {}
        self._outside: dict[str, Invalid] = {}
        self._assembled = assemble((), {})
        self._scanned = -inf

    def catalog(self) -> Catalog:
        """Return every action and the first fault of every broken one, at most half a second old."""
        return self._current().catalog

    def faults(self) -> tuple[Invalid, ...]:
        """Return every fault there is, several for one action where it has them."""
        return self._current().faults

    def action(self, name: str) -> Action:
        """Return one action; all its files, and no others, are read again.

        Raises NotFound, or Invalid with its first fault.
        """
        wanted = plain(name)
        entry = self._assembled.entries.get(wanted)
        if entry is None or not entry.same(Snapshot(self._root)):
            self._look(doubted=entry.path if entry else "")
        catalog = self._assembled.catalog
        if wanted in catalog.actions:
            return catalog.actions[wanted]
        for fault in (catalog.faults.get(wanted), self._outside.get(ROOT)):
            if fault is not None:
                raise fault.with_traceback(None)
        raise NotFound(f"There is no action “{shorten(visible(name), 60)}”.")

    def interpreter(self, action: Action) -> str:
        """Name what runs the action's script, exactly. Raises Unavailable."""
        return self._interpreter(action.script.name)

    def refresh(self) -> None:
        """Look at every file now, and read again those that were touched."""
        self._look()

    def _look(self, doubted: str = "") -> None:
        """Look at every file; read again what was touched, and the action at the path `doubted` anyway."""
        snapshot = Snapshot(self._root)
        paths, outside = listing(self._root)
        kept = {
            path: entry for path, entry in self._entries.items() if path != doubted and entry.untouched(snapshot)
        }
        entries = {path: kept.get(path) or load(snapshot, path) for path in paths}
        # Entries are equal only to themselves, so this finds every one that was read again.
        if entries != self._entries or outside or self._outside:
            self._assembled = assemble(entries.values(), outside)
        self._entries, self._outside, self._scanned = entries, outside, monotonic()

    def _current(self) -> Assembled:
        if monotonic() - self._scanned >= RESCAN:
            self.refresh()
        return self._assembled
