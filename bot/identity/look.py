"""What the pages of linking look like: one card, the steps above it, and nothing that a browser would fetch."""

import base64
import hashlib
import html
from pathlib import Path

STEPS = ("Your account", "Sign in", "The code")

_STYLE = (Path(__file__).parent / "link.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_BRAND = (
    '<header><svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" fill="#0f6b63"/>'
    '<path fill="#fff" d="M16 5.5l3 6.6 7.2.8-5.4 4.8 1.5 7.1L16 21.2l-6.3 3.6 1.5-7.1-5.4-4.8 7.2-.8z"/>'
    '<circle cx="16" cy="15.6" r="2.6" fill="#0f6b63"/></svg>Deputy</header>'
)


def page(title: str, body: str, *, step: int = 0, onward: str = "") -> str:
    """Return a page. `body` is HTML already, `step` counts from 1, `onward` is where a browser goes by itself."""
    refresh = f'<meta http-equiv="refresh" content="0; url={html.escape(onward)}">' if onward else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)} – Deputy</title>'
        f'<meta name="viewport" content="width=device-width">{refresh}<style>{_STYLE}</style></head>'
        f"<body>{_BRAND}<main>{_steps(step)}<h1>{html.escape(title)}</h1>{body}</main></body></html>"
    )


def _steps(now: int) -> str:
    shown = [f"<li{_mark(at, now)}>{at}. {name}</li>" for at, name in enumerate(STEPS, 1)]
    return f'<ol class="steps">{"".join(shown)}</ol>' if now else ""


def _mark(step: int, now: int) -> str:
    if step == now:
        return ' aria-current="step"'
    return ' class="done"' if step < now else ""
