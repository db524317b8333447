"""A Python script's own signature as its form: read from the syntax tree, the script is never imported."""

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from bot.catalog.docstring import helps
from bot.core.errors import Invalid
from bot.core.parameter import Choice, Kind, Parameter, bind_one
from bot.core.text import shorten
from bot.core.wording import label

_KINDS: Mapping[str, Kind] = {
    "str": Kind.STRING,
    "int": Kind.INTEGER,
    "float": Kind.NUMBER,
    "Decimal": Kind.NUMBER,
    "bool": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
}
_KNOWN = (
    "str, int, float, Decimal, bool, date, datetime, list[str], Literal of texts, each also with “| None”, "
    "and dict[str, str] for a credential"
)
_CALLS: Mapping[str, Callable[..., object]] = {"Decimal": Decimal, "date": date, "datetime": datetime}


@dataclass(frozen=True)
class Signature:
    """What `main` takes, in its order; what takes a credential (`dict[str, str]`) has that kind.

    A parameter with a fault is left out, but its name is in `broken`.
    """

    parameters: tuple[Parameter, ...]
    broken: frozenset[str]
    faults: tuple[Invalid, ...]


def read(path: str, source: bytes) -> Signature:
    """Read the signature of `main` in UTF-8 `source`. Raises Invalid where there is none to read."""
    try:
        with warnings.catch_warnings(action="ignore"):
            main = _main(path, ast.parse(source))
        return _signature(path, main)
    except SyntaxError as error:
        raise Invalid(f"This isn't valid Python: {error.msg}.", f"{path}:{error.lineno or 1}") from None
    except (ValueError, RecursionError, MemoryError):
        raise Invalid("This can't be read as Python: a null byte, or nested too deeply.", f"{path}:1") from None


def _main(path: str, tree: ast.Module) -> ast.FunctionDef:
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    found = [one for one in functions if one.name == "main"]
    if not found:
        raise Invalid("There is no “def main(…)” at the top level; its parameters are the form.", f"{path}:1")
    main = found[-1]
    if isinstance(main, ast.AsyncFunctionDef):
        raise Invalid("“main” is async; write “def main(…)” and call asyncio.run inside.", f"{path}:{main.lineno}")
    return main


def _signature(path: str, main: ast.FunctionDef) -> Signature:
    described = helps(ast.get_docstring(main) or "")
    faults = [Invalid(sentence, f"{path}:{main.lineno}") for sentence in _unnamed(main.args)]
    parameters: list[Parameter] = []
    broken: list[str] = []
    for argument, default in _arguments(main.args):
        try:
            parameters.append(_parameter(argument, default, described.get(argument.arg, "")))
        except ValueError as error:
            broken.append(argument.arg)
            faults.append(Invalid(f"“{argument.arg}” {error}.", f"{path}:{argument.lineno}"))
    return Signature(tuple(parameters), frozenset(broken), tuple(faults))


def _unnamed(args: ast.arguments) -> Iterator[str]:
    """Say what can't be given by name, as a form does."""
    for star, argument in (("*", args.vararg), ("**", args.kwarg)):
        if argument:
            yield f"“{star}{argument.arg}” can't be shown as a form; name every parameter of main."
    if args.posonlyargs:
        yield "Parameters before “/” can't be given by name; remove the “/”."


def _arguments(args: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    plain = [*args.posonlyargs, *args.args]
    bare = len(plain) - len(args.defaults)
    yield from zip(plain, [*[None] * bare, *args.defaults], strict=True)
    yield from zip(args.kwonlyargs, args.kw_defaults, strict=True)


def _parameter(argument: ast.arg, default: ast.expr | None, described: str) -> Parameter:
    if argument.annotation is None:
        raise ValueError(f"has no annotation; known are {_KNOWN}")
    kind, choices = _kind(argument.annotation)
    bare = Parameter(argument.arg, kind, label(argument.arg), described, choices=choices)
    if default is None:
        if kind is Kind.BOOLEAN and _allows_none(argument.annotation):
            raise ValueError(
                "may be None but has no default, so nobody could leave it unset: write "
                f"“{argument.arg}: bool | None = None”, or “{argument.arg}: bool” where it must be yes or no"
            )
        return replace(bare, required=True)
    value = _value(default)
    try:
        return replace(bare, default=bind_one(bare, value))
    except ValueError as error:
        raise ValueError(f"has a default that doesn't fit its annotation: it {error}") from None


def _kind(node: ast.expr) -> tuple[Kind, tuple[Choice, ...]]:
    node = _without_none(node)
    match node:
        case ast.Name() | ast.Attribute() if _name(node) in _KINDS:
            return _KINDS[_name(node)], ()
        case ast.Subscript(value=outer, slice=ast.Name(id="str")) if _name(outer) in ("list", "List"):
            return Kind.LIST, ()
        case ast.Subscript(value=outer, slice=ast.Tuple(elts=[ast.Name(id="str"), ast.Name(id="str")])) if _name(
            outer
        ) in ("dict", "Mapping"):
            return Kind.CREDENTIAL, ()
        case ast.Subscript(value=outer, slice=inner) if _name(outer) == "Literal":
            texts = map(_text, inner.elts if isinstance(inner, ast.Tuple) else [inner])
            return Kind.CHOICE, tuple(Choice(text, text) for text in dict.fromkeys(texts))
    raise ValueError(f"has the annotation “{_shown(node)}”, which no form knows; known are {_KNOWN}")


def _allows_none(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = _unquoted(node.value)
    return _without_none(node) is not node


def _without_none(node: ast.expr) -> ast.expr:
    """Take away what only says that None is allowed, and the quotes of an annotation written as text."""
    match node:
        case ast.Constant(value=str() as quoted):
            return _without_none(_unquoted(quoted))
        case ast.BinOp(left=one, op=ast.BitOr(), right=ast.Constant(value=None)):
            return _without_none(one)
        case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=one):
            return _without_none(one)
        case ast.Subscript(value=outer, slice=inner) if _name(outer) == "Optional":
            return _without_none(inner)
    return node


def _unquoted(annotation: str) -> ast.expr:
    try:
        return ast.parse(annotation, mode="eval").body
    except SyntaxError:
        raise ValueError(f"has the annotation “{shorten(annotation, 60)}”, which isn't valid Python") from None


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        return node.value
    raise ValueError(f"has the choice {_shown(node)}; choices are texts in quotes, and none is empty")


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name: `datetime.date` is `date`."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _shown(node: ast.expr) -> str:
    return shorten(ast.unparse(node), 60)


def _value(node: ast.expr) -> object:
    """Return the value of a default that can be known without running the script."""
    try:
        if isinstance(node, ast.Call) and not node.keywords:
            return _CALLS[_name(node.func)](*map(ast.literal_eval, node.args))
        return ast.literal_eval(node)
    except (ValueError, TypeError, KeyError, ArithmeticError):
        raise ValueError(
            f"has the default “{_shown(node)}”, which can't be known without running the script; "
            "write a plain value such as 30 or 'text'"
        ) from None
