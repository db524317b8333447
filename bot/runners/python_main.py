"""Runs `main` of a Python script: the part of a run that goes on in the script's own process.

Standard library only. The order is one object of JSON on standard input, never in arguments or
environment, which others may read:

    script        path of the script; modules beside it can be imported
    arguments     parameter names to canonical values (see core/parameter.py)
    credentials   parameter names to fields and their texts

The answer is one object of JSON: `{"result": …}`, or `{"sentence": "…"}` where `main` failed. Arguments
are turned into what the annotations of `main` ask for. Dates, times and decimal numbers in a result
become texts.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

LARGEST_RESULT = 1_000_000
LONGEST_SENTENCE = 500

READERS: Mapping[Any, Callable[[Any], Any]] = {
    int: int,
    float: float,
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
}


class Unfit(Exception):
    """What a script has or gives can't be used; the text is a sentence for its author."""


def main(result: int) -> int:
    """Read the order, run the script, write the answer to the descriptor `result`; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="replace")  # type: ignore[union-attr]
    order = json.load(sys.stdin.buffer)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    code, answer = answered(order)
    with suppress(OSError), os.fdopen(result, "wb") as file:
        file.write(answer)
    return code


def answered(order: Mapping[str, Any]) -> tuple[int, bytes]:
    """Run the script; return the exit code and the answer's bytes."""
    sentence = ""
    try:
        function = load(Path(order["script"]))
        value = function(**keywords(function, order["arguments"], order["credentials"]))
        return 0, encoded({"result": plain(value)})
    except SystemExit as ending:
        code, sentence = exit_code(ending), "" if isinstance(ending.code, int) else str(ending.code or "")
    except Unfit as error:
        code, sentence = 1, str(error)
    except BaseException as error:
        report(error)
        code, sentence = 1, f"{type(error).__name__}: {error}".removesuffix(": ")
    return code, encoded({"sentence": one_line(sentence)})


def load(path: Path) -> Callable[..., Any]:
    """Load a script under a name of its own and return its `main`."""
    module = ModuleType("deputy_script")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their module up there
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    # Compiled under its bare name, so that a traceback tells nothing of this machine's directories.
    code = compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
    exec(code, vars(module))  # noqa: S102 - the point of it
    function = getattr(module, "main", None)
    if not callable(function):
        raise Unfit(f"{path.name} has no function main(…), so there is nothing to run.")
    return function  # type: ignore[no-any-return]


def keywords(
    function: Callable[..., Any], arguments: Mapping[str, Any], credentials: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the keyword arguments for `main`: arguments as its annotations ask, credentials as they are.

    A check may take fewer than its action has; that a script takes all of them, the catalogue has proven.
    """
    hints = get_type_hints(function)
    code = function.__code__
    taken = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    given = {name: converted(value, hints.get(name), name) for name, value in arguments.items()}
    return {name: value for name, value in {**given, **credentials}.items() if name in taken}


def converted(value: Any, hint: Any, name: str) -> Any:
    """Turn a canonical value into what an annotation asks for. Raises Unfit where it can't be done."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        first = next(option for option in get_args(hint) if option is not type(None))
        return converted(value, first, name)
    if origin is Literal:
        return next((option for option in get_args(hint) if str(option) == str(value)), value)
    try:
        return READERS.get(origin or hint, lambda same: same)(value)
    except (ArithmeticError, ValueError, TypeError):
        raise Unfit(f"The argument “{name}” doesn't fit its annotation in main(…).") from None


def plain(value: Any, place: str = "") -> Any:
    """Return a result in JSON's types. Raises Unfit naming the part that has no such form."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal | date | time):
        return str(value)
    if isinstance(value, Mapping):
        return {str(plain(key, place)): plain(item, f"{place}[{key!r}]") for key, item in value.items()}
    if isinstance(value, Sequence | Set) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    raise Unfit(
        f"main(…) returned a {type(value).__name__}{f' at {place}' if place else ''}. "
        "It may return texts, numbers, dates, lists and dicts."
    )


def encoded(answer: Mapping[str, Any]) -> bytes:
    """Return the answer's bytes. Raises Unfit where they are too many."""
    data = json.dumps(answer, ensure_ascii=False).encode(errors="replace")
    if len(data) > LARGEST_RESULT:
        raise Unfit(
            f"main(…) returned {len(data):,} bytes; {LARGEST_RESULT:,} is the most. Return less, or print it."
        )
    return data


def report(error: BaseException) -> None:
    """Write a traceback to standard error that begins with the script's own frames."""
    import traceback

    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    traceback.print_exception(error.with_traceback(frames))


def exit_code(ending: SystemExit) -> int:
    """Return the exit code a SystemExit asks for; one that a byte can't hold is 1, not by chance 0."""
    if isinstance(ending.code, int):
        return int(ending.code) if 0 <= ending.code <= 255 else 1
    return 1 if ending.code else 0


def one_line(text: str) -> str:
    """Return a text in one line of bearable length."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SENTENCE else line[: LONGEST_SENTENCE - 1] + "…"
