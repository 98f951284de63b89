"""Spec ↔ widgets: a spec's own declaration makes its form. Nothing about a setting is written a second time.

A `SpecForm` lists one `FormField` per setting (settings of a sub-spec included), makes a labelled widget for each,
turns widget values into the spec's values and back, and writes the recipe that the command line would take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import annotated_types
import gradio as gr
from pydantic.fields import FieldInfo

from lab.bases.cards import bases
from lab.benchmarks.benchmark import benchmarks
from lab.core.spec import Spec, SpecT, load_spec, to_yaml
from lab.data.dataset import datasets
from lab.data.texts import text_sets

# Fields whose values are names of registered things. A free value is allowed where one exists (a path, 'variant:…').
CHOICES: dict[str, tuple[Callable[[], Any], bool]] = {
    "base": (bases, True), "bases": (bases, True), "dataset": (datasets, True), "datasets": (datasets, True),
    "benchmark": (benchmarks, False), "benchmarks": (benchmarks, False),
    "model": (bases, True), "models": (bases, True), "start": (dict, True),
    "teacher": (bases, True), "solvers": (bases, True), "problems": (datasets, True), "texts": (text_sets, True),
}
Choices = Mapping[str, Sequence[tuple[str, str]]]  # field name → (label, value) offered besides what is registered
BOUNDS: tuple[tuple[type, str, str], ...] = (
    (annotated_types.Gt, "gt", "more than {}"), (annotated_types.Ge, "ge", "at least {}"),
    (annotated_types.Lt, "lt", "less than {}"), (annotated_types.Le, "le", "at most {}"),
)


@dataclass(frozen=True)
class FormField:
    """One setting: where it is in the spec and how its declaration reads."""

    path: tuple[str, ...]
    info: FieldInfo

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def key(self) -> str:
        """As a fault or a command line names it: 'training.epochs'."""
        return ".".join(self.path)

    @property
    def items(self) -> Any:
        """What a list setting holds, or None when the setting is a single value."""
        return get_args(self.info.annotation)[0] if get_origin(self.info.annotation) is tuple else None

    @property
    def label(self) -> str:
        words = re.sub(r"^n_", "number of_", re.sub(r"_s$", "_(s)", self.name)).replace("_", " ")
        return (words[:1].upper() + words[1:]).replace("Lora", "LoRA").replace("Kl ", "KL ")

    @property
    def help(self) -> str:
        """The description with its bounds: the widget sets none itself, so that all faults are told together."""
        found = [text.format(f"{getattr(item, attribute):g}") for kind, attribute, text in BOUNDS
                 for item in self.info.metadata if isinstance(item, kind)]
        return f"{self.info.description or ''} {', '.join(found).capitalize()}{'.' if found else ''}".strip()

    def widget(self, value: Any = None, also: Choices | None = None) -> Any:
        """A labelled widget that shows `value` (a value of the spec). `also`: what the store offers to choose from."""
        words = {"label": self.label, "info": self.help, "value": self.shown(value), "interactive": True}
        kind = self.items or self.info.annotation
        if get_origin(kind) is Literal:
            return (gr.CheckboxGroup if self.items else gr.Radio)(list(get_args(kind)), **words)
        if self.name in CHOICES:
            registry, free = CHOICES[self.name]
            offered = [*((name, name) for name in sorted(registry())), *(also or {}).get(self.name, ())]
            return gr.Dropdown(offered, multiselect=bool(self.items), allow_custom_value=free, **words)
        if kind is bool:
            return gr.Checkbox(**words)
        if kind in (int, float) and not self.items:
            return gr.Number(**words)
        return gr.Textbox(**words)

    def shown(self, value: Any) -> Any:
        """A spec's value as its widget holds it."""
        if not self.items:
            return value
        listed = list(value or ())
        return listed if get_origin(self.items) is Literal or self.name in CHOICES else ", ".join(map(str, listed))

    def read(self, value: Any) -> Any:
        """A widget's value as the spec takes it; what cannot be read stays as it is, for the spec to refuse."""
        if self.items and isinstance(value, str):
            parts = [part for part in re.split(r"[,\s]+", value) if part]
            return [_whole(part) for part in parts] if self.items is int else parts
        if self.info.annotation is int and isinstance(value, float) and value.is_integer():
            return int(value)  # a number widget gives every number as float
        return value


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[+-]?\d{1,18}", text) else text


class SpecForm:
    """The form of one spec class."""

    def __init__(self, cls: type[SpecT]):
        self.cls = cls
        self.fields = tuple(_fields(cls, ()))

    def group(self, *path: str) -> list[FormField]:
        """The settings of a sub-spec, or of the spec itself."""
        return [field for field in self.fields if field.path[:-1] == path]

    def default(self, field: FormField) -> Any:
        """What the declaration says when nothing is given; None for a required setting."""
        info, owner = self.cls.model_fields[field.path[0]], None
        for name in field.path[1:]:
            owner = info.get_default(call_default_factory=True)
            info = type(owner).model_fields[name]
        value = getattr(owner, field.name) if owner is not None else info.get_default(call_default_factory=True)
        return None if info.is_required() else value

    def values(self, widget_values: Sequence[Any]) -> dict[str, Any]:
        """The spec's values, nested as the spec is."""
        found: dict[str, Any] = {}
        for field, value in zip(self.fields, widget_values, strict=True):
            place = found
            for name in field.path[:-1]:
                place = place.setdefault(name, {})
            place[field.name] = field.read(value)
        return found

    def widget_values(self, spec: Spec) -> list[Any]:
        """What each widget shows for a spec, in the order of `fields`."""
        return [field.shown(_at(spec, field.path)) for field in self.fields]

    def read(self, widget_values: Sequence[Any]) -> Any:
        """The spec. Raises SpecError with every fault."""
        return load_spec(self.cls, self.values(widget_values))

    def given(self, widget_values: Sequence[Any], said: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Only what differs from the declaration, and what it requires: a recipe that reads like one. What a recipe
        says already (`said`, its values) stays in it."""
        found: dict[str, Any] = {}
        for field, value in zip(self.fields, widget_values, strict=True):
            value, default = field.read(value), self.default(field)
            is_default = value == (list(default) if isinstance(default, tuple) else default)
            if is_default and not _says(said or {}, field.path):
                continue
            place = found
            for name in field.path[:-1]:
                place = place.setdefault(name, {})
            place[field.name] = value
        return found

    def recipe(self, widget_values: Sequence[Any]) -> str:
        """The YAML that `python -m jobs submit` takes for the same work."""
        return to_yaml(self.cls.kind, self.given(widget_values))


def _fields(cls: type[Spec], path: tuple[str, ...]) -> list[FormField]:
    found = []
    for name, info in cls.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Spec):
            found += _fields(info.annotation, (*path, name))
        else:
            found.append(FormField((*path, name), info))
    return found


def _says(values: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(values, Mapping) or name not in values:
            return False
        values = values[name]
    return True


def _at(spec: Spec, path: tuple[str, ...]) -> Any:
    value: Any = spec
    for name in path:
        value = getattr(value, name)
    return value
