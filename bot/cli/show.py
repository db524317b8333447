"""Cards and forms as plain text, for a terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SIGNS = {"good": "✔", "bad": "✖", "waiting": "…", "running": "▶", "neutral": "·"}


def card(data: Mapping[str, Any]) -> str:
    """Return a card (its JSON) as lines of text."""
    lines = [f"{SIGNS.get(data['tone'], '·')} {data['title']}"]
    if data["lead"]:
        lines.append(f"  {data['lead']}")
    lines += aligned([(fact["label"], fact["value"]) for fact in data["facts"]])
    for block in data["blocks"]:
        lines += _block(block)
    lines += [f"  {note}" for note in (data["footnote"], _marks(data)) if note]
    return "\n".join(lines)


def form(data: Mapping[str, Any]) -> str:
    """Return what a form still wants, as lines of text."""
    lines = [f"? {data['title']}: {data['summary']}"]
    lines += [f"  {note}" for note in (data["note"], data["approval"]) if note]
    for field in data["fields"]:
        if not field["applies"]:
            continue
        if field["fault"]:
            lines.append(f"  ✖ {field['name']}: {field['fault']}")
        elif field["required"] and field["value"] in (None, ""):
            lines.append(f"  {field['name']}= is needed. {field['help']}".rstrip())
    return "\n".join(lines)


def _marks(data: Mapping[str, Any]) -> str:
    return "  ".join(mark for mark in (data["run"], data["audit"]) if mark)


def _block(block: Mapping[str, Any]) -> list[str]:
    if block["kind"] == "table":
        rows = [*([block["heads"]] if block["heads"] else []), *block["rows"]]
        more = [f"  … and {block['cut']} more rows"] if block["cut"] else []
        return [*aligned(rows), *more]
    if block["kind"] == "menu":
        items = [(item["subject"], item["detail"], item["note"]) for item in block["items"]]
        return [f"  {block['heading']}", *(f"  {line}" for line in aligned(items))]
    if block["kind"] == "page":
        return [f"  {block['label']}: {block['address']}"]
    if block["kind"] == "hidden":
        return []
    more = ["  … (cut here)"] if block["cut"] else []
    title = [f"  {block['title']}"] if block["title"] else []
    return [*title, *(f"  | {line}" for line in block["text"].splitlines()), *more]


def aligned(rows: Iterable[Sequence[str]], widest: int = 40) -> list[str]:
    """Return rows as lines with their columns below each other; a cell longer than `widest` pushes the next on."""
    table = [[str(cell) for cell in row] for row in rows]
    widths = (
        [min(widest, max(len(row[column]) for row in table)) for column in range(len(table[0]))] if table else []
    )
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
