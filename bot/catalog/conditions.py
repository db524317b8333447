"""When parameters apply: `when = { how = "move" }`, checked against the parameters declared before."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches

from bot.catalog import values
from bot.catalog.toml_file import Table
from bot.core.condition import Condition
from bot.core.parameter import Kind, Parameter
from bot.core.wording import listed


def conditioned(fields: Table, parameters: Iterable[Parameter], broken: Collection[str]) -> tuple[Parameter, ...]:
    """Return the parameters with their conditions; what is wrong with those is added to the table's faults.

    What hangs on one of the `broken` parameters, whose faults are told already, is left as it is.
    """
    every = {one.name: one for one in parameters}
    before: dict[str, Parameter] = {}
    for name, parameter in every.items():
        own = fields.data.get(name)
        table = Table(fields.document, (*fields.keys, name), own if isinstance(own, dict) else {})
        wanted = table.get("when", _conditions, {})
        try:
            found = tuple(
                _condition(name, deciding, given, before, every)
                for deciding, given in wanted.items()
                if deciding not in broken
            )
        except ValueError as error:
            table.fault("when", str(error))
            found = ()
        before[name] = replace(parameter, when=found)
    return tuple(before.values())


def _conditions(given: object) -> Mapping[str, object]:
    if not isinstance(given, dict) or not given:
        raise ValueError(f'takes a table like {{ how = "move" }}, not {values.shown(given)}')
    return given


def _condition(
    name: str, deciding: str, given: object, before: Mapping[str, Parameter], every: Mapping[str, Parameter]
) -> Condition:
    """Read one condition of the parameter `name`. Raises ValueError with words that go on after “when”."""
    if deciding == name:
        raise ValueError(f"names “{name}” itself; name a parameter before it")
    if deciding not in every:
        near = get_close_matches(deciding, before, n=1, cutoff=0.5)
        meant = f"“{near[0]}” may be meant" if near else "name one that is declared before it"
        raise ValueError(f"names “{deciding}”, which is no parameter of this action; {meant}")
    if deciding not in before:
        raise ValueError(f"names “{deciding}”, which is declared after it; put that one first")
    return Condition(deciding, _decisions(before[deciding], given))


def _decisions(parameter: Parameter, given: object) -> tuple[str | bool, ...]:
    if parameter.kind is Kind.BOOLEAN:
        if not isinstance(given, bool):
            raise ValueError(f"takes true or false for “{parameter.name}”, not {values.shown(given)}")
        return (given,)
    if parameter.kind is not Kind.CHOICE:
        kind = parameter.kind.value
        raise ValueError(f"names “{parameter.name}”, of kind {kind}; only a choice or a boolean can decide")
    if not parameter.choices:
        raise ValueError(f"names “{parameter.name}”, whose choices come from a query, so nobody knows them here")
    texts = (given,) if isinstance(given, str) else values.texts(given)
    offered = [choice.value for choice in parameter.choices]
    for text in texts:
        if text not in offered:
            raise ValueError(f"takes {listed(offered, 'or')} for “{parameter.name}”, not {values.shown(text)}")
    if not texts:
        raise ValueError(f"names no value for “{parameter.name}”; it takes {listed(offered, 'or')}")
    return tuple(dict.fromkeys(texts))
