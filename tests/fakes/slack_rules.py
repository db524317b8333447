"""The rules by which Slack checks JSON: each yields what is wrong with a value, and where (a JSON pointer)."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Rule = Callable[[Any, str], Iterator[str]]
Json = Mapping[str, Any]


def fault(sentence: str, at: str) -> str:
    return f"[ERROR] {sentence} [json-pointer:{at or '/'}]"


def text(most: int, least: int = 0, pattern: str = "") -> Rule:
    """A string of so many characters."""

    def rule(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield fault("must be a string", at)
        elif len(value) > most:
            yield fault(f"must be less than {most + 1} characters", at)
        elif len(value) < least:
            yield fault(f"must be more than {least - 1} characters", at)
        elif pattern and not re.fullmatch(pattern, value):
            yield fault(f"must match pattern {pattern}", at)

    return rule


def flag(value: Any, at: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield fault("must be a boolean", at)


def whole(least: int, most: int) -> Rule:
    """A whole number."""

    def rule(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield fault(f"must be a number from {least} to {most}", at)

    return rule


def word(*allowed: str) -> Rule:
    """One of a few words."""

    def rule(value: Any, at: str) -> Iterator[str]:
        if value not in allowed:
            yield fault(f"must be one of {', '.join(allowed)}", at)

    return rule


def many(rule: Rule, least: int, most: int) -> Rule:
    """A list of so many things."""

    def each(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield fault("must be an array", at)
            return
        if len(value) > most:
            yield fault(f"no more than {most} items allowed", at)
        if len(value) < least:
            yield fault(f"must have at least {least} items", at)
        for place, one in enumerate(value):
            yield from rule(one, f"{at}/{place}")

    return each


def shape(*checks: Rule, **fields: Rule) -> Rule:
    """An object with these fields and no others; those that may be missing begin with `may_`."""
    known = {name.removeprefix("may_"): rule for name, rule in fields.items()}
    needed = [name for name in fields if not name.startswith("may_")]

    def rule(value: Any, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield fault("must be an object", at)
            return
        yield from (fault(f"missing required field: {name}", at) for name in needed if name not in value)
        for name, one in value.items():
            if name in known:
                yield from known[name](one, f"{at}/{name}")
            elif name != "type":
                yield fault(f"invalid additional property: {name}", at)
        for check in checks:
            yield from check(value, at)

    return rule


def kinds(table: Mapping[str, Rule], *allowed: str) -> Rule:
    """An object whose `type` says which rule holds for it."""

    def rule(value: Any, at: str) -> Iterator[str]:
        kind = str(value.get("type")) if isinstance(value, dict) else "none"
        if kind not in table or (allowed and kind not in allowed):
            yield fault(f"unsupported type: {kind}", f"{at}/type")
        else:
            yield from table[kind](value, at)

    return rule


def plain(most: int) -> Rule:
    """A text object without markup."""
    return kinds({"plain_text": shape(text=text(most, 1), may_emoji=flag)})


def either(most: int) -> Rule:
    """A text object with or without markup."""
    marked = shape(text=text(most, 1), may_verbatim=flag)
    return kinds({"plain_text": shape(text=text(most, 1), may_emoji=flag), "mrkdwn": marked})
