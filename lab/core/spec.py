"""Spec: a frozen, complete description of a piece of work, declared once.

The form, the command line, the worker and the stored row all read the same declaration. Every field has a type, a
bound and a description with its unit. `load_spec` reports all faults together, each with its field and a near miss.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from lab.core.errors import Fault, LabError, SpecError, nearest

SpecT = TypeVar("SpecT", bound="Spec")


class Spec(BaseModel):
    """Base of every spec. Subclasses set `kind` when they can be submitted as a job."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
    kind: ClassVar[str] = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready values, in declaration order."""
        return self.model_dump(mode="json")

    def sha(self) -> str:
        """12 hex digits that name this spec: same kind and same resolved values, same sha."""
        text = json.dumps({"kind": self.kind, **self.as_dict()}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def check_names(self) -> list[Fault]:
        """Faults that need more than types: unknown bases, datasets, benchmarks… Subclasses override; no I/O beyond
        registries."""
        return []


def known_name(field: str, what: str, name: str, known: object) -> list[Fault]:
    """A one-fault list if `name` is not in `known` (an iterable of names), else nothing."""
    names = sorted(known)  # type: ignore[call-overload]
    return [] if name in names else [Fault(field, f"unknown {what} '{name}'. {nearest(name, names)}", name)]


def load_spec(cls: type[SpecT], values: Mapping[str, Any], what: str | None = None) -> SpecT:
    """Validate `values` into `cls`. Raises SpecError with every fault: types, bounds, unknown fields, unknown names."""
    what = what or cls.kind or cls.__name__
    try:
        spec = cls.model_validate(dict(values))
    except ValidationError as error:
        raise SpecError([_fault(cls, item) for item in error.errors()] + _name_faults(cls, values), what) from None
    faults = spec.check_names()
    if faults:
        raise SpecError(faults, what)
    return spec


def _name_faults(cls: type[Spec], values: Mapping[str, Any]) -> list[Fault]:
    """Name faults of a spec that has other faults too, found by dropping the wrong fields and looking again."""
    try:
        cls.model_validate(dict(values))
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
    required = {name for name, field in cls.model_fields.items() if field.is_required()}
    if wrong & required:
        return []
    try:
        return cls.model_validate({k: v for k, v in values.items() if k not in wrong}).check_names()
    except (ValidationError, LabError):
        return []


def _fault(cls: type[Spec], item: Any) -> Fault:
    """A pydantic error in the lab's words, with a near miss for a mistyped field."""
    path = ".".join(str(part) for part in item["loc"]) or "spec"
    if item["type"] == "extra_forbidden":
        fields = _fields_at(cls, item["loc"][:-1])
        return Fault(path, f"no such field. {nearest(str(item['loc'][-1]), fields)}", item["input"])
    if item["type"] == "missing":
        return Fault(path, "is required")
    message = item["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    return Fault(path, f"{message} (got {_short(item['input'])})", item["input"])


def _fields_at(cls: type[BaseModel], path: tuple) -> list[str]:
    for part in path:
        annotation = cls.model_fields[part].annotation if part in cls.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        cls = annotation
    return list(cls.model_fields)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def read_recipe(path: str | Path, overrides: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """(kind, values) of a YAML recipe with `key=value` overrides applied (dots reach into sub-specs).

    Raises LabError naming file and line when the YAML is broken or has no `kind`.
    """
    path = Path(path)
    if not path.is_file():
        raise LabError(f"recipe '{path}' does not exist. The lab's own recipes are under lab/recipes/.", "spec")
    return parse_recipe(path.read_text(encoding="utf-8"), str(path), overrides)


def parse_recipe(text: str, source: str, overrides: Mapping[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
    """As `read_recipe`, from text."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise LabError(f"{source}{where}: not valid YAML ({getattr(error, 'problem', error)})", "spec") from None
    if not isinstance(values, dict) or not isinstance(values.get("kind"), str):
        raise LabError(f"{source}: a recipe is a mapping with a 'kind' field (for example kind: study)", "spec")
    for key, value in (overrides or {}).items():
        _set_path(values, key, value)
    return values.pop("kind"), values


def parse_overrides(pairs: list[str]) -> dict[str, Any]:
    """['seed=3', 'bases=[demo-llama]'] → values, each right side read as YAML."""
    overrides = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise SpecError([Fault(pair, "overrides are written key=value, for example seed=3")], "command line")
        try:
            overrides[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise SpecError([Fault(key, f"'{value}' is not a YAML value", value)], "command line") from None
    return overrides


def _set_path(values: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise SpecError([Fault(path, f"'{parent}' is not a group of settings")], "command line")
    values[last] = value


def to_yaml(kind: str, values: Mapping[str, Any]) -> str:
    """The recipe text of a spec: what the form shows to copy."""
    return yaml.safe_dump({"kind": kind, **values}, sort_keys=False, allow_unicode=True)
