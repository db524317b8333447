"""What the guard admits, and what it turns away before anything is read."""

import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.slack import guard as guarding
from bot.chat.slack.guard import AHEAD, LARGEST, OLDEST, Guard, Own, Rejected, parse
from tests.fakes.slack_delivery import sign

NOW = 1_795_000_000.0
SECRET = "0123456789abcdef0123456789abcdef"
OURS = {"team_id": "T0DEPUTY", "api_app_id": "A0DEPUTY"}
FORM, JSON = guarding.FORM, guarding.JSON


def a_guard(secret: str = SECRET, team: str = "T0DEPUTY", app: str = "A0DEPUTY") -> Guard:
    return Guard(secret, Own(team, app))


def form(**fields: str) -> bytes:
    return urlencode({**OURS, **fields}).encode()


def admit(guard: Guard, body: bytes, kind: str = FORM, *, at: float = NOW, **more: str) -> Any:
    headers = {"Content-Type": kind, **sign(body, SECRET, at), **more}
    return guard.admit({name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def status(guard: Guard, body: bytes, kind: str = FORM, **more: Any) -> int:
    with pytest.raises(Rejected) as caught:
        admit(guard, body, kind, **more)
    return caught.value.status


def test_what_slack_signed_for_this_workspace_and_app_is_read() -> None:
    assert admit(a_guard(), form(command="/deputy"))["command"] == "/deputy"
    assert admit(a_guard(), json.dumps({**OURS, "type": "event_callback"}).encode(), f"{JSON}; charset=utf-8")
    payload = {"type": "block_actions", "team": {"id": "T0DEPUTY"}, "api_app_id": "A0DEPUTY"}
    assert admit(a_guard(), urlencode({"payload": json.dumps(payload)}).encode()) == payload


def test_I1_without_a_secret_there_is_no_guard() -> None:
    with pytest.raises(ValueError, match="anybody"):
        a_guard(secret="")


@pytest.mark.parametrize(
    "signature", ["", "v0=", "v0=é", "v0=" + "0" * 64, "v1=" + "0" * 64, "\udcff", "v0=" + "x" * 100_000]
)
def test_I1_I3_what_is_not_signed_is_refused_whatever_stands_in_the_header(signature: str) -> None:
    assert status(a_guard(), form(), X_Slack_Signature=signature) == 401


@pytest.mark.parametrize(
    "stamp", ["", "abc", "-1", "1e9", "١٢٣", "nan", " 1795000000", "9" * 5_000, "1795000000.0"]
)
def test_I3_a_timestamp_that_is_no_number_is_refused(stamp: str) -> None:
    assert status(a_guard(), form(), X_Slack_Request_Timestamp=stamp) == 401


@pytest.mark.parametrize(
    ("at", "taken"), [(-OLDEST, True), (-OLDEST - 1, False), (AHEAD, True), (AHEAD + 1, False)]
)
def test_I2_a_signature_is_taken_for_five_minutes_and_hardly_from_the_future(at: float, taken: bool) -> None:
    if taken:
        assert admit(a_guard(), form(), at=NOW + at)
    else:
        assert status(a_guard(), form(), at=NOW + at) == 401


def test_I2_the_same_bytes_come_once_but_events_as_often_as_slack_repeats_them() -> None:
    guard, event = a_guard(), json.dumps({**OURS, "event_id": "Ev1"}).encode()
    assert admit(guard, form())
    assert status(guard, form()) == 401
    assert admit(guard, form(), at=NOW - 1), "signed anew it is another delivery; the inbox knows it"
    assert [admit(guard, event, JSON)["event_id"] for _ in range(4)] == ["Ev1"] * 4


def test_I8_what_slack_says_it_repeats_is_taken_unless_it_is_answered_with_something() -> None:
    guard, click = a_guard(), {"type": "block_actions", "team": {"id": "T0DEPUTY"}, "api_app_id": "A0DEPUTY"}
    asked = urlencode({"payload": json.dumps({**click, "type": "block_suggestion"})}).encode()
    pressed = urlencode({"payload": json.dumps(click)}).encode()
    for body in (asked, pressed):
        admit(guard, body)
    assert admit(guard, pressed, X_Slack_Retry_Num="1") == click
    assert status(guard, pressed) == 401
    assert status(guard, asked, X_Slack_Retry_Num="1") == 401


def test_what_was_not_understood_was_not_seen() -> None:
    guard = a_guard(team="T0OTHER")
    assert status(guard, form()) == 401
    guard._own = Own("T0DEPUTY")
    assert admit(guard, form())


def test_the_signatures_remembered_are_forgotten_with_time_and_never_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guarding, "MOST_SEEN", 3)
    guard = a_guard()
    for number in range(10):
        admit(guard, form(number=str(number)))
    assert len(guard._seen) == 3
    body = form(number="late")
    later = NOW + OLDEST + AHEAD + 1
    guard.admit({"Content-Type": FORM, **sign(body, SECRET, later)}, body, later)
    assert len(guard._seen) == 1


def test_I5_the_size_is_looked_at_before_the_signature_and_that_before_the_content() -> None:
    assert status(a_guard(), b"x" * (LARGEST + 1)) == 413
    deep = b"[" * 10_000
    with pytest.raises(Rejected) as caught:
        a_guard().admit({"Content-Type": JSON}, deep, NOW)
    assert caught.value.status == 401
    assert status(a_guard(), deep, JSON) == 400


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b""),
        (JSON, b"[]"),
        (JSON, b"{"),
        (JSON, b'{"a": 1, "a": 2}'),
        (JSON, b'{"a": NaN}'),
        (JSON, b'{"a": "\\ud800"}'),
        (JSON, b'{"a": "\xff"}'),
        (JSON, b'{"a": ' + b"9" * 5_000 + b"}"),
        (JSON, b'{"a":' * 10_000),
        (FORM, b"payload=%7B"),
        (FORM, b"payload="),
        (FORM, b"payload=null"),
        (FORM, b"command=a&command=b"),
        (FORM, b"command=%ff"),
        (FORM, b"command"),
        (FORM, b"\xff=1"),
        (FORM, b"&".join(b"a%d=1" % number for number in range(200))),
        ("text/plain", b"hello"),
        ("", b"{}"),
        ("multipart/form-data; boundary=x", b"--x--"),
    ],
)
def test_I5_what_is_signed_but_malformed_is_refused(kind: str, body: bytes) -> None:
    assert status(a_guard(), body, kind) == 400


ENTRIES: dict[str, dict[str, Any]] = {
    "command": {"command": "/deputy", **OURS},
    "event": {"type": "event_callback", **OURS},
    **{
        kind: {"type": kind, "team": {"id": "T0DEPUTY"}, "enterprise": None, "api_app_id": "A0DEPUTY"}
        for kind in (
            "block_actions",
            "view_submission",
            "view_closed",
            "block_suggestion",
            "shortcut",
            "message_action",
        )
    },
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("wrong", ["team", "app", "nobody's"])
def test_I6_every_kind_of_delivery_of_another_team_or_app_is_refused(entry: str, wrong: str) -> None:
    payload = dict(ENTRIES[entry])
    Own("T0DEPUTY", "A0DEPUTY").check(payload)
    if wrong == "team":
        payload |= {"team": {"id": "T0OTHER"}} if "team" in payload else {"team_id": "T0OTHER"}
    elif wrong == "app":
        payload["api_app_id"] = "A0OTHER"
    else:
        payload = {"type": payload.get("type")}
    assert status(a_guard(), json.dumps(payload).encode(), JSON) == 401


def test_I6_an_enterprise_grid_is_known_by_its_own_id() -> None:
    own = Own("E0GRID")
    own.check({"team_id": "T0ANY", "enterprise_id": "E0GRID"})
    own.check({"team": {"id": "T0ANY"}, "enterprise": {"id": "E0GRID"}})
    for payload in (
        {"team_id": "T0ANY", "enterprise_id": "E0OTHER"},
        {"team": ["E0GRID"]},
        {"team_id": ["E0GRID"]},
    ):
        with pytest.raises(Rejected):
            own.check(payload)


def test_the_check_of_the_address_needs_a_signature_but_no_workspace() -> None:
    asked = json.dumps({"type": "url_verification", "challenge": "c"}).encode()
    assert admit(a_guard(), asked, JSON)["challenge"] == "c"
    with pytest.raises(Rejected):
        a_guard().admit({"Content-Type": JSON}, asked, NOW)
    with pytest.raises(Rejected):
        a_guard().admit({"Content-Type": FORM}, b"ssl_check=1", NOW)


def test_I10_a_secret_of_before_the_rotation_is_worth_nothing() -> None:
    assert status(a_guard(secret="a new secret of 32 characters ..."), form()) == 401


def test_I10_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert status(a_guard(), form()) == 401
    assert [len(left) == len(right) for left, right in compared] == [True]


def test_why_something_is_not_taken_says_nothing_of_its_body() -> None:
    for kind, body in (
        (FORM, form(text="hunter2", extra="\ud800".encode(errors="replace").decode())),
        (JSON, b"hunter2"),
    ):
        with pytest.raises(Rejected) as caught:
            a_guard(team="T0OTHER").admit({"Content-Type": kind, **sign(body, SECRET, NOW)}, body, NOW)
        assert "hunter2" not in str(caught.value)


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=80), max_size=5), st.binary(max_size=300))
def test_R6_whatever_comes_unsigned_is_turned_away(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        a_guard().admit(headers, body, NOW)
    assert caught.value.status in (400, 401, 413)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.sampled_from([FORM, JSON]), st.binary(max_size=300) | JSON_VALUES.map(lambda one: json.dumps(one).encode())
)
def test_R6_whatever_is_signed_is_read_or_refused(kind: str, body: bytes) -> None:
    try:
        assert isinstance(parse(kind, body), dict)
    except Rejected as rejected:
        assert rejected.status == 400
