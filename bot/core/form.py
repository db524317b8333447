"""Neutral forms: an action's parameters as fields, with what was given and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.action import Action
from bot.core.canonical import Json
from bot.core.parameter import Bound, Choice, Kind, Parameter, applying, bind_one, items


@dataclass(frozen=True)
class Field:
    """One input. `value` is what to show in it, `fault` what is wrong with that."""

    parameter: Parameter
    value: Json = None
    fault: str = ""
    choices: tuple[Choice, ...] = ()

    @property
    def given(self) -> bool:
        """Whether it holds something that was given, and not only its default."""
        return self.value not in (None, "", [], _plain(self.parameter.default))

    @property
    def help(self) -> str:
        """What its parameter is for, unless the fault beside it says that already."""
        told = self.parameter.help.rstrip(".")
        return "" if told in self.fault else self.parameter.help

    @property
    def misfit(self) -> str:
        """What is wrong with what it holds, in a sentence; empty where it fits or is blank."""
        try:
            bind_one(self.parameter, self.value)
        except ValueError as error:
            return f"“{self.parameter.label}” {error}."
        return ""


@dataclass(frozen=True)
class Form:
    """The form of an action. `note` says why it opened; `approval` what will be needed."""

    action: str
    title: str
    summary: str
    risk: str
    fields: tuple[Field, ...]
    note: str = ""
    approval: str = ""

    @property
    def applying(self) -> tuple[Field, ...]:
        """The fields that apply with what the form holds now; the others are not shown and not sent."""
        held = {field.parameter.name: field.value for field in self.fields}
        names = {one.name for one in applying(tuple(field.parameter for field in self.fields), held)}
        return tuple(field for field in self.fields if field.parameter.name in names)

    @property
    def deciding(self) -> frozenset[str]:
        """Names of the parameters on which it hangs whether others apply."""
        return frozenset(condition.name for field in self.fields for condition in field.parameter.when)

    def holding(self, given: Mapping[str, object]) -> "Form":
        """Return the form with what somebody has put into some of its fields, None where one was emptied."""
        return replace(
            self,
            fields=tuple(
                replace(field, value=_held(field.parameter, given[field.parameter.name]))
                if field.parameter.name in given
                else field
                for field in self.fields
            ),
        )


def form_for(
    action: Action,
    given: Mapping[str, object],
    bound: Bound | None = None,
    *,
    choices: Mapping[str, Sequence[Choice]] | None = None,
    note: str = "",
    approval: str = "",
) -> Form:
    """Build the form of `action`, filled with what was given; secrets are never filled in."""
    faults = {fault.field: fault.sentence for fault in bound.faults} if bound else {}
    shown = {one.name for one in applying(action.parameters, given)}
    offered = choices or {}
    fields = tuple(
        Field(
            parameter,
            value=_shown(parameter, given, bound),
            fault=faults.get(parameter.name, "") if parameter.name in shown else "",
            choices=tuple(offered.get(parameter.name, parameter.choices)),
        )
        for parameter in action.parameters
    )
    strangers = [sentence for name, sentence in faults.items() if name not in shown]
    return Form(
        action.id,
        action.title,
        action.summary,
        action.risk,
        fields,
        " ".join([*strangers, note]).strip(),
        approval,
    )


_ONE_SPELLING = frozenset({Kind.BOOLEAN, Kind.DATE, Kind.DATETIME})  # that inputs take


def _shown(parameter: Parameter, given: Mapping[str, object], bound: Bound | None) -> Json:
    if parameter.kind is Kind.SECRET:
        return None
    if bound and parameter.kind in _ONE_SPELLING and parameter.name in bound.arguments:
        return _plain(bound.arguments[parameter.name])  # “on” was typed, and forms know yes and no
    return _held(parameter, given.get(parameter.name, parameter.default))


def _held(parameter: Parameter, value: object) -> Json:
    """Return a value as a form holds it: a list by its items, for an input may have other signs between them."""
    return _plain(items(value) if parameter.kind is Kind.LIST and isinstance(value, str) else value)


def _plain(value: object) -> Json:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return str(value)


def to_json(form: Form) -> dict[str, Json]:
    """Return the form in JSON's types, for doors that speak JSON."""
    shown = {field.parameter.name for field in form.applying}
    return {
        "action": form.action,
        "title": form.title,
        "summary": form.summary,
        "risk": form.risk,
        "note": form.note,
        "approval": form.approval,
        "fields": [_field(field, applies=field.parameter.name in shown) for field in form.fields],
    }


def _field(field: Field, *, applies: bool) -> dict[str, Json]:
    parameter = field.parameter
    return {
        "name": parameter.name,
        "kind": parameter.kind.value,
        "label": parameter.label,
        "help": field.help,
        "required": parameter.required,
        "value": field.value,
        "default": _plain(parameter.default),
        "applies": applies,
        "when": [{"name": one.name, "values": list(one.values)} for one in parameter.when],
        "fault": field.fault,
        "pattern": parameter.pattern,
        "minimum": None if parameter.minimum is None else str(parameter.minimum),
        "maximum": None if parameter.maximum is None else str(parameter.maximum),
        "min_length": parameter.min_length,
        "max_length": parameter.max_length,
        "choices": [{"value": choice.value, "label": choice.label} for choice in field.choices],
    }
