"""What goes into an action's scripts, form fields and credentials, and whether its parts agree on it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter

from bot.catalog import values
from bot.catalog.conditions import conditioned
from bot.catalog.fields import Base, fits, merged
from bot.catalog.signature import Signature
from bot.catalog.toml_file import Table
from bot.core.parameter import Kind, Parameter
from bot.core.wording import label

_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Inputs:
    """Form fields and credentials. `broken` names parameters whose faults are told already."""

    parameters: tuple[Parameter, ...]
    credentials: Mapping[str, str]
    broken: frozenset[str] = frozenset()

    def parameter(self, name: str) -> Parameter | None:
        """Return the form field called `name`, or None."""
        return next((one for one in self.parameters if one.name == name), None)


def declared(top: Table) -> Inputs:
    """Read the inputs of a script that can't tell them itself: all of `[parameters]` and `[credentials]`."""
    credentials = _credentials(top)
    fields = top.table("parameters")
    for name in (*fields.data, *credentials):
        if not _PLAIN_NAME.fullmatch(name):
            top.document.fault(f"“{name}” is no name for an input; take a-z, 0-9 and _.", *_path(name, fields))
    parameters = [
        merged(fields.table(name), Base(Parameter(name, Kind.STRING, label(name)), free=True))
        for name in fields.data
        if not _is_credential(fields, name, credentials)
    ]
    return Inputs(conditioned(fields, parameters, ()), credentials)


def signed(top: Table, signature: Signature) -> Inputs:
    """Read the inputs of a Python script: its signature, and what the .toml adds to it."""
    credentials = _credentials(top)
    fields = top.table("parameters")
    names = signature.broken | {one.name for one in signature.parameters}
    for name in fields.data:
        if name not in names:
            fields.fault(name, "is no parameter of the script's main; add it there or remove it here")
    for name in credentials:
        if name not in names:
            bound = top.table("credentials")
            bound.fault(name, f"is no parameter of the script's main; add “{name}: dict[str, str]” there")
    parameters = [
        merged(fields.table(one.name), Base(one))
        for one in signature.parameters
        if not _bound(top, one, credentials) and not _is_credential(fields, one.name, credentials)
    ]
    return Inputs(conditioned(fields, parameters, signature.broken), credentials, signature.broken)


def check_verify(top: Table, inputs: Inputs, signature: Signature) -> None:
    """Check that the verify script can be called with what the action has."""
    for one in signature.parameters:
        words = "" if one.name in inputs.broken else _misfit(one, inputs)
        if words:
            top.fault("verify", f"names a script whose main takes “{one.name}”{words}")


def check_locks(top: Table, locks: tuple[str, ...], inputs: Inputs) -> None:
    """Check that every {placeholder} of every lock has a value whenever the action runs."""
    for lock in locks:
        try:
            for name in _placeholders(lock):
                _check_placeholder(name, inputs)
        except ValueError as error:
            top.fault("locks", f"has {values.shown(lock)}, which {error}")


def _credentials(top: Table) -> dict[str, str]:
    table = top.table("credentials")
    return {name: table.get(name, values.reference, "") for name in table.data}


def _path(name: str, fields: Table) -> tuple[str, str]:
    return ("parameters" if name in fields.data else "credentials", name)


def _is_credential(fields: Table, name: str, credentials: Mapping[str, str]) -> bool:
    if name in credentials and name in fields.data:
        fields.fault(name, "is bound to a credential above, so it is no field of the form; remove one of the two")
    return name in credentials


def _bound(top: Table, one: Parameter, credentials: Mapping[str, str]) -> bool:
    """Whether no field is to be shown for a parameter: a credential fills it, or it waits for one in vain."""
    if one.name in credentials and one.kind is not Kind.CREDENTIAL:
        words = f"comes as a table of fields; annotate it “{one.name}: dict[str, str]” in the script's main"
        top.table("credentials").fault(one.name, words)
        return True
    if one.kind is Kind.CREDENTIAL and one.name not in {*credentials, *top.table("parameters").data}:
        words = f"doesn't bind “{one.name}”, which the script's main takes; add {one.name} = 'vault:…'"
        top.fault("credentials", words)
        return True
    return False


def _misfit(one: Parameter, inputs: Inputs) -> str:
    if one.name in inputs.credentials:
        return "" if one.kind is Kind.CREDENTIAL else ", a credential, as something else than dict[str, str]"
    given = inputs.parameter(one.name)
    if given is None:
        return ", which the action doesn't have"
    if not fits(given.kind, one.kind):
        return f" as {one.kind.value}, but the action's is {given.kind.value}"
    if one.required and not _always_there(given):
        return f", which {_sometimes(given)}; give it the default None there"
    return ""


def _placeholders(lock: str) -> Iterator[str]:
    for _, name, form, conversion in Formatter().parse(lock):
        if name is not None:
            if form or conversion or not name.isidentifier():
                raise ValueError("may hold names in braces only, like {account}")
            yield name


def _check_placeholder(name: str, inputs: Inputs) -> None:
    given = inputs.parameter(name)
    if name in inputs.broken or (given is None and name == "target"):
        return
    if given is None:
        raise ValueError(f"names “{name}”, but the action has no such parameter")
    if given.kind is Kind.SECRET:
        raise ValueError(f"names “{name}”, a secret, and locks are shown")
    if not _always_there(given):
        ways = "" if given.when else "; make it required or give it a default"
        raise ValueError(f"names “{name}”, which {_sometimes(given)}{ways}")


def _always_there(parameter: Parameter) -> bool:
    return not parameter.when and (parameter.required or parameter.default is not None)


def _sometimes(parameter: Parameter) -> str:
    return "doesn't always apply" if parameter.when else "may be left blank"
