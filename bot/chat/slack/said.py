"""What somebody says to Deputy, freed from what Slack and people put around it."""

import re

from bot.core.command import addressed

_MENTION = re.compile(r"([*_~`]?)<@([A-Z0-9]+)(?:\|[^<>]*)?>\1")
_PERSON = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
# What Slack itself marks up; in an action's own command `<b>` comes as it was typed, and stays.
_MARKED = re.compile(r"<((?:[@#!]|[A-Za-z][A-Za-z0-9+.-]*:)[^<>]*)>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_MARKS = ("```", "`", "*", "_", "~")  # what makes words code, bold, slanted or struck
_BETWEEN = re.compile(r"[\s,:;–—-]+")  # whom one addresses and what one asks for


def typed(text: str) -> str:
    """Return what a person typed before Slack marked it up: `<http://a.b|a.b>` is `a.b`, `&lt;` is `<`."""
    text = _MARKED.sub(_unmarked, text)
    for entity, char in _ENTITIES:
        text = text.replace(entity, char)
    return text


def command(text: str, home: str) -> str:
    """Return a command as it was typed; whom it is about by their account, for a name can be anybody's."""
    rest = addressed(text)
    about_people = (text if rest is None else rest).lower().split()[:1] == ["away"]
    return typed(_PERSON.sub(rf"@{home}:\1", text) if about_people else text).strip()


def after_mention(text: str, home: str, bot: str) -> str:
    """Return what is said to Deputy, also where somebody else was addressed before."""
    every = list(_MENTION.finditer(text := _bare(text)))
    match = next((one for one in every if one[2] == bot), every[0] if every else None)
    return _asked(text[match.end() :], match[2], home) if match else _asked(text, bot, home)


def direct(text: str, home: str) -> str:
    """Return what is said to Deputy alone, where nobody needs to address it and many do."""
    match = _MENTION.match(text := _bare(text))
    return _asked(text, match[2] if match else "", home)


def _asked(text: str, bot: str, home: str) -> str:
    """Return the command in what is said, which may address Deputy by its account `bot` again."""
    match = re.match(rf"(?:{_BETWEEN.pattern}|([*_~`]?)<@{re.escape(bot)}(?:\|[^<>]*)?>\1)*+", text)
    whole = command(_bare(text[match.end() :] if match else text), home)
    rest = addressed(whole)
    return whole if rest is None else _bare(rest)


def _bare(text: str) -> str:
    """Return a text without the marks around all of it, or around its first word."""
    text = text.strip()
    first = "".join(text.split(maxsplit=1)[:1])
    for mark in _MARKS:
        if _within(mark, text):
            return _bare(text[len(mark) : -len(mark)])
        if _within(mark, first):
            return first[len(mark) : -len(mark)] + text[len(first) :]
    return text


def _within(mark: str, text: str) -> bool:
    inner = text[len(mark) : -len(mark)]
    return bool(inner) and mark not in inner and text == f"{mark}{inner}{mark}"


def _unmarked(match: re.Match[str]) -> str:
    target, _, label = match[1].partition("|")
    if target[:1] in ("@", "#", "!"):
        return f"{target[0]}{label}" if label and not label.startswith(target[0]) else label or target
    return label or target.removeprefix("mailto:")
