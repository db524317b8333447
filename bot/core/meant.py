"""Filling a form from a message that somebody points at: a ticket, an alert, a colleague's request.

Where the message names a field (`Account: alice`, `account=alice`, a heading above its value), only that counts;
else what it quotes, then its words; each only where a single value is meant. What is open stays open, for a wrong
guess is worse than a blank: the message may be by anybody.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from bot.core import wording
from bot.core.canonical import Json
from bot.core.form import Field, Form
from bot.core.parameter import Kind, bind_one
from bot.core.text import visible

_PRECISE = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.DATETIME})
_QUOTED = re.compile(
    "|".join(rf"{first}([^{last}\n]{{1,200}}){last}" for first, last in ("``", '""', "“”", "„“", "‘’", "«»"))
)
_MARKS = "*_~`"  # what Slack and Teams make bold, slanted, struck and code with
_BEFORE, _BEHIND = "([{<\"'“„‘«", ")]}>\"'”“’»…,;:!?."  # what may stand around a word
_PARTS = re.compile(r"\s\|\s|[.;!?]\s+")  # what stands between a line's sentences
_STRUCK = re.compile(r"(?<!\S)~(?=\S)[^~\n]{0,998}[^~\s]~(?![\w/])")
_BULLET = re.compile(r"[>\s]*(?:[-*•–·][^\S\n]+)?")
_EQUATION = re.compile(r"(?<!\S)(\w[\w-]*)=(\"[^\"\n]*\"|[^\s\"]+)")
_LONGEST_NAME = 80  # characters

Fit = Callable[[str], Json]


def filled_from(form: Form, message: str, *, whole: bool = True) -> Form:
    """Fill what a form leaves open from a message, and note what that is, so that it is looked at.

    Of a message that is not `whole`, only a text is taken: the rest of it could say otherwise.
    """
    said = _STRUCK.sub(" ", message)  # what is struck through is taken back
    named = list(_named(said)) if whole else []
    fields = tuple(_filled(field, said, named, whole) for field in form.fields)
    taken = [new.parameter.label for old, new in zip(form.fields, fields, strict=True) if new != old]
    notes = [form.note] if form.note else []
    if taken:
        notes.append(f"Taken from the message: {wording.listed(taken)}. Look at that before you go on.")
    if not whole:
        notes.append("The message is too long for Deputy to read what it means.")
    return replace(form, fields=fields, note=" ".join(notes))


def _filled(field: Field, message: str, named: list[tuple[str, str]], whole: bool) -> Field:
    parameter, empty = field.parameter, field.value in (None, "", [])
    if parameter.kind is Kind.SECRET or not (empty or field.value == parameter.default):
        return field
    if parameter.kind is Kind.TEXT:
        said = message.strip() + ("" if whole else "…")
        return replace(field, value=said) if empty and message.strip() else field
    meant = _meant(field, message, named, empty=empty) if whole else None
    return field if meant is None or meant == field.value else replace(field, value=meant)


def _meant(field: Field, message: str, named: list[tuple[str, str]], *, empty: bool) -> Json:
    """Return the one value that a message means for a field; None where it means none, or could mean several."""
    fit, called = _fit(field), {_plain(field.parameter.name), _plain(field.parameter.label)} - {""}
    said = [value for name, value in named if name in called]
    if said:
        return _only(_sole(value, fit, field.parameter.kind) for value in said)
    if not empty or field.parameter.kind is Kind.LIST:
        return None  # a default, or the items of a list, are for who names the field
    if not (field.choices or field.parameter.pattern or field.parameter.kind in _PRECISE):
        return None  # any word would fit
    for read in (_quoted, _words):
        candidates = (one for one in read(message) if field.choices or len(one.split()) == 1)
        found = [value for one in candidates if _plain(one) not in called and (value := fit(one)) is not None]
        if found:
            return _only(found)
    return None


def _only(values: Iterable[Json]) -> Json:
    """Return the value that all of these are, None where they differ."""
    first, *others = values
    return first if all(one == first for one in others) else None


def _sole(said: str, fit: Fit, kind: Kind) -> Json:
    """Return what is said on a field's line; None where a first word of it could be meant alone."""
    value = fit(said)
    if kind is Kind.LIST or value is None or len(said.split()) < 2:
        return value
    return value if fit(said.split()[0].strip(_BEHIND)) is None else None


# ---- what a message says ----------------------------------------------------------------------------


def _named(message: str) -> Iterator[tuple[str, str]]:
    """Yield what a message gives a name to, by that name; a heading has what stands on the next line."""
    heading = ""
    for line in (*message.split("\n"), ""):
        pairs = [pair for part in _PARTS.split(line) for pair in _pair(part)]
        above, heading = heading, _heading(line)
        if above:
            yield above, "" if heading or pairs else _value(line)
        yield from pairs
        yield from ((_plain(match[1]), _value(match[2])) for match in _EQUATION.finditer(line))


def _pair(line: str) -> list[tuple[str, str]]:
    """Return the name and value of a line such as `*Account:* alice`, none where it has none."""
    said = line[_end_of_bullet(line) :]
    sign = re.search(r":(?!//)|\s=\s", said[:_LONGEST_NAME])
    if not sign:
        return []
    name, value = said[: sign.start()].strip(), said[sign.end() :].rstrip()
    mark = name[:1] if name[:1] in _MARKS and name[-1:] != name[:1] else ""  # one that the name doesn't close
    if mark and value.split(" ", 1)[0] == mark:
        value = value[1:]
    elif mark:
        value = value.removesuffix(mark)
    return [(_plain(name), _value(value))] if value.strip() else []


def _heading(line: str) -> str:
    """Return the name that a line is a heading with: `Account:` or `*Account*`; empty where it is none."""
    said = line[_end_of_bullet(line) :].strip()
    bold = len(said) > 2 and said[0] in _MARKS and said[-1] == said[0]
    alone = said.strip(_MARKS).endswith(":")
    return _plain(said.rstrip(_MARKS).rstrip(":")) if (bold or alone) and len(said) <= _LONGEST_NAME else ""


def _end_of_bullet(line: str) -> int:
    found = _BULLET.match(line)
    return found.end() if found else 0


def _plain(name: str) -> str:
    """Return a name as it is compared: `Account_name`, `account-name` and `*Account name*` are one."""
    return " ".join(re.split(r"[\s_-]+", name.strip(_MARKS + " \t").casefold())).strip()


def _value(said: str) -> str:
    """Return what is said without what only sets it off: quotes, marks in pairs, the end of a sentence."""
    said = said.strip()
    if not set(said) - set("-–—?"):
        return ""  # a dash says that there is none
    said = said[:-1].rstrip() if said[-1:] in (",", ";", ".") else said
    quoted = _QUOTED.fullmatch(said)
    if quoted:
        return _inner(quoted)
    return said[1:-1] if len(said) > 2 and said[0] in _MARKS and said[-1] == said[0] else said


def _quoted(message: str) -> Iterator[str]:
    return map(_inner, _QUOTED.finditer(message))


def _inner(quoted: re.Match[str]) -> str:
    return next(part for part in quoted.groups() if part is not None)


def _words(message: str) -> Iterator[str]:
    return (_value(word.lstrip(_BEFORE).rstrip(_BEHIND)) for word in message.split())


# ---- what fits --------------------------------------------------------------------------------------


def _fit(field: Field) -> Fit:
    """Return what reads something said as the field's value, None where it is none; a choice also by its label."""
    parameter = field.parameter
    values = {one.value for one in field.choices}
    labels: dict[str, list[str]] = {}
    for one in field.choices:
        labels.setdefault(one.label.casefold(), []).append(one.value)

    def chosen(word: str) -> str:
        called = labels.get(word.casefold(), [])
        return called[0] if word not in values and len(called) == 1 else word

    def fit(said: str) -> Json:
        items = [chosen(item.strip()) for item in (said.split(",") if parameter.kind is Kind.LIST else [said])]
        if visible(said) != said or not all(items) or (values and not values.issuperset(items)):
            return None
        try:
            bound = bind_one(parameter, items if parameter.kind is Kind.LIST else items[0])
        except ValueError:
            return None
        if bound is None or isinstance(bound, bool):
            return bound
        return items if parameter.kind is Kind.LIST else items[0]

    return fit
