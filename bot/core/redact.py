"""Redaction: known secrets, in every usual encoding, taken out of texts and streams.

What is found is replaced by `[redacted:label]`. At one position the longest form wins. A stream gives the
same as its whole text, however it is split (attack V2).
"""

import base64
import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, quote_plus

from bot.core.canonical import Json
from bot.core.secret import SHORTEST, Secret


class Redactor:
    """Takes secrets out of texts. `secrets` maps a label people may see to a value; short ones are skipped."""

    def __init__(self, secrets: Mapping[str, Secret]) -> None:
        labels: dict[str, str] = {}
        for label, secret in secrets.items():
            for form in forms(secret.reveal()):
                labels.setdefault(form, label)
        self._labels = labels
        self._forms = sorted(labels)
        self._longest = max(map(len, labels), default=0)
        self._initials = frozenset(form[0] for form in labels)
        self._starts = _by_start(labels)
        self._start = re.compile("|".join(map(re.escape, self._starts)) or r"(?!)")
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next part of a stream; return what no later part can turn into a secret."""
        shown, self._held = self._split(self._held + text, final=False)
        return shown

    def flush(self) -> str:
        """Return the rest of the stream."""
        shown, self._held = self._split(self._held, final=True)
        return shown

    def text(self, text: str) -> str:
        """Return a whole text without the secrets. The stream is not touched."""
        return self._split(text, final=True)[0]

    def json(self, value: Json) -> Json:
        """Return a structured result without the secrets: in texts, keys and numbers."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(key): self.json(item) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self.json(item) for item in value]
        if isinstance(value, int) and self.text(str(value)) != str(value):
            return self.text(str(value))
        return value

    def _split(self, text: str, *, final: bool) -> tuple[str, str]:
        """Return what can be shown of `text`, and the rest that a later part may make a secret of."""
        shown: list[str] = []
        position = 0
        while True:
            start, form = self._find(text, position)
            held = None if final else self._pending(text, position, start)
            if held is not None:
                return "".join([*shown, text[position:held]]), text[held:]
            if not form:
                return "".join([*shown, text[position:]]), ""
            shown += [text[position:start], f"[redacted:{self._labels[form]}]"]
            position = start + len(form)

    def _find(self, text: str, position: int) -> tuple[int, str]:
        """Return where the first form from `position` on starts, and that form: the end and '' if none does."""
        while match := self._start.search(text, position):
            for form in self._starts[match[0]]:
                if text.startswith(form, match.start()):
                    return match.start(), form
            position = match.start() + 1
        return len(text), ""

    def _pending(self, text: str, position: int, last: int) -> int | None:
        """Return the first place up to `last` from where `text` ends like the beginning of a longer form."""
        first = max(position, len(text) - self._longest + 1)
        for place in range(first, min(last + 1, len(text))):
            if text[place] in self._initials and self._begins(text[place:]):
                return place
        return None

    def _begins(self, text: str) -> bool:
        # The forms that begin with `text` stand together right after it in the sorted list.
        place = bisect_right(self._forms, text)
        return place < len(self._forms) and self._forms[place].startswith(text)


def _by_start(labels: Mapping[str, str]) -> dict[str, list[str]]:
    # A regex over whole forms takes a second to compile for a private key; over their beginnings, nothing.
    starts: dict[str, list[str]] = {}
    for form in sorted(labels, key=len, reverse=True):
        starts.setdefault(form[:SHORTEST], []).append(form)
    return starts


def forms(value: str) -> frozenset[str]:
    """Return every form in which `value` may show up in a text; none for one shorter than `SHORTEST`."""
    found: set[str] = set()
    for text in {value, value.strip(), value.replace("\r\n", "\n")}:
        if len(text) >= SHORTEST:
            found.update((text, *_quoted(text), *_echoed(text), *_encoded(text)))
    found.update(line.strip() for line in value.splitlines())
    return frozenset(form for form in found if len(form) >= SHORTEST)


def _quoted(text: str) -> Iterator[str]:
    """Yield `text` as URLs, HTML, JSON, Python, PowerShell and shells quote it."""
    raw = text.encode("utf-8", "surrogatepass")
    for url in (quote(raw, safe=""), quote(raw), quote_plus(raw), quote(raw, safe="!'()*")):
        yield url
        yield re.sub("%..", lambda match: match[0].lower(), url)
    yield html.escape(text, quote=False)
    yield html.escape(text)
    for apostrophe, quotes in (("&#39;", "&#34;"), ("&#39;", "&quot;"), ("&#039;", "&quot;")):
        yield html.escape(text).replace("&#x27;", apostrophe).replace("&quot;", quotes)
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield json.dumps(text)[1:-1]
    yield re.sub("[<>&']", lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text)[1:-1])
    yield repr(text)[1:-1]
    yield text.replace("'", "''")
    yield re.sub('([`"$])', r"`\1", text)
    yield text.replace("'", "'\\''")
    yield text.replace("'", "'\"'\"'")
    yield re.sub(r"([^\w@%+=:,./-])", r"\\\1", text)


def _echoed(text: str) -> Iterator[str]:
    """Yield what is read where `text` was written in another encoding and decoded as UTF-8 (see output.py)."""
    for codec in ("utf-16-le", "utf-16-be", "cp1252"):
        echo = text.encode(codec, "replace").decode(errors="replace")
        yield "".join(char for char in echo if char >= " ")


def _encoded(text: str) -> Iterator[str]:
    """Yield the hexadecimal and base64 forms of `text` in UTF-8 and UTF-16LE."""
    for codec in ("utf-8", "utf-16-le"):
        raw = text.encode(codec, "surrogatepass")
        yield raw.hex()
        yield raw.hex().upper()
        for shift in range(3):
            core = _base64_core(raw, shift)
            yield core
            yield core.replace("+", "-").replace("/", "_")
        whole = base64.b64encode(raw).decode()
        for width in (64, 76):
            yield from re.findall(f".{{1,{width}}}", whole)


def _base64_core(raw: bytes, shift: int) -> str:
    """Return the base64 digits that `raw` alone decides, where it stands `shift` bytes (mod 3) into a text."""
    digits = base64.b64encode(bytes(shift) + raw).decode().rstrip("=")
    shared_end = 0 if (shift + len(raw)) % 3 == 0 else 1
    return digits[(0, 2, 3)[shift] : len(digits) - shared_end]
