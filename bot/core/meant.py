"""Filling a form from a message that somebody points at: a ticket, an alert, a colleague's request.

What the message names (`Account: alice`) comes first, then what it quotes, then its words; each only where a
single value is meant by it. What is open stays open, for a wrong guess is worse than a blank.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.core.canonical import Json
from bot.core.form import Field, Form
from bot.core.parameter import Kind, bind_one

_PRECISE = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.DATETIME})
_QUOTED = re.compile(
    "|".join(rf"{first}([^{last}\n]{{1,200}}){last}" for first, last in ("``", '""', "“”", "„“", "‘’", "«»"))
)
_LONG = frozenset({Kind.TEXT, Kind.LIST})
_MARKS = "*_~`"  # what Slack and Teams make bold, slanted, struck and code with
_AROUND = _MARKS + ".,;:!?()[]<>{}\"'“”„‘’«»…"


def filled_from(form: Form, message: str) -> Form:
    """Fill what a form leaves open from a message: what it means without doubt, and a text with all of it."""
    return replace(form, fields=tuple(_filled(field, message) for field in form.fields))


def _filled(field: Field, message: str) -> Field:
    if field.parameter.kind is Kind.SECRET or field.value not in (None, "", [], _default(field)):
        return field
    meant = _meant(field, message)
    return field if meant is None else replace(field, value=meant)


def _default(field: Field) -> Json:
    default = field.parameter.default
    return default if isinstance(default, bool | int | str) else None


def _meant(field: Field, message: str) -> Json:
    """Return the one value that a message means for a field; None where it means none, or could mean several."""
    named = _fitting(field, _named(field, message))
    if named:
        return named[0] if len(named) == 1 else None
    if field.value not in (None, "", []):
        return None  # another value than the default is for who names the field
    if field.parameter.kind is Kind.TEXT:
        return message.strip() or None
    if not (field.choices or field.parameter.pattern or field.parameter.kind in _PRECISE):
        return None  # any word would fit
    called = {field.parameter.name.casefold(), field.parameter.label.casefold()}
    for read in _READERS:
        found = _fitting(field, (one for one in read(message) if one.casefold() not in called))
        if found:
            return _one(field, found)
    return None


def _one(field: Field, found: list[Json]) -> Json:
    if field.parameter.kind is Kind.LIST and field.choices:
        return [item for items in found if isinstance(items, list) for item in items]
    return found[0] if len(found) == 1 else None


def _named(field: Field, message: str) -> Iterator[str]:
    """Return what stands behind the field's name or label: on its line, or on the next where it is a heading."""
    for match in _behind(field).finditer(message):
        said = match["same"] or match["next"]
        quoted = _QUOTED.match(said)
        whole = _inner(quoted) if quoted else said.strip().strip(_MARKS)
        yield whole
        if match["next"] or quoted or (field.parameter.kind in _LONG and _fit(field, whole) is not None):
            continue
        yield said.split()[0].strip(_AROUND)  # or the sentence goes on behind the value


def _behind(field: Field) -> re.Pattern[str]:
    """Match a name with what follows it. Nothing in it goes back for another try, however long the message."""
    called = sorted(filter(str.strip, {field.parameter.name, field.parameter.label}))
    names = "|".join(r"[\s_-]++".join(map(re.escape, re.split(r"[\s_-]+", one.strip()))) for one in called)
    blank, marks, bold = r"[^\S\n]*+", f"[{_MARKS}]*+", "[*_~]*+"
    return re.compile(
        rf"(?<![\w./-])(?:{names}){marks}{blank}[:=](?!//){blank}{bold}{blank}(?P<same>\S[^\n]*+)"
        rf"|^{blank}{marks}(?:{names}){marks}{blank}:?{marks}{blank}\n{blank}(?P<next>\S[^\n]*+)",
        re.IGNORECASE | re.MULTILINE,
    )


def _quoted(message: str) -> Iterator[str]:
    return map(_inner, _QUOTED.finditer(message))


def _inner(quoted: re.Match[str]) -> str:
    return next(part for part in quoted.groups() if part is not None)


def _words(message: str) -> Iterator[str]:
    return (word.strip(_AROUND) or word for word in message.split())


def _whole_words(message: str) -> Iterator[str]:
    return iter(message.split())


_READERS: tuple[Callable[[str], Iterator[str]], ...] = (_quoted, _words, _whole_words)


def _fitting(field: Field, said: Iterator[str]) -> list[Json]:
    """Return what fits the field, each value once."""
    found: list[Json] = []
    for one in said:
        fit = _fit(field, one.strip())
        if fit is not None and fit not in found:
            found.append(fit)
    return found


def _fit(field: Field, said: str) -> Json:
    """Return what is said as the field's value; a choice by its value or by its label."""
    parameter = field.parameter
    labels = {one.label.casefold(): one.value for one in field.choices}
    values = {one.value for one in field.choices}

    def chosen(word: str) -> str:
        return word if word in values else labels.get(word.casefold(), word)

    try:
        if parameter.kind is Kind.LIST:
            items = [chosen(item.strip()) for item in said.split(",")]
            return items if bind_one(parameter, items) and (not values or values.issuperset(items)) else None
        word = chosen(said)
        bound = bind_one(parameter, word) if said else None
    except ValueError:
        return None
    if values and word not in values:
        return None
    return bound if isinstance(bound, bool) else None if bound is None else word
