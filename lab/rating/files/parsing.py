"""Lines of a bundle from elsewhere, each checked against a declared form; one sentence for what does not fit."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from lab.core.errors import LabError, SpecError
from lab.rating.files.bundle import Bundle

Uid = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
Form = TypeVar("Form", bound=BaseModel)
SHOWN = 300  # characters of what is wrong


def parse_object(bundle: Bundle, name: str) -> dict[str, Any]:
    found = _parsed(_text(bundle, name), name)
    if not isinstance(found, dict):
        raise LabError(f"{name} of the bundle is not a JSON object.")
    return found


def parse_lines(bundle: Bundle, name: str, form: type[Form], most: int) -> list[Form]:
    """Every line as its form. LabError names the first line that is not."""
    lines = [line for line in _text(bundle, name).split("\n") if line.strip()]
    if len(lines) > most:
        raise LabError(f"{name} of the bundle has {len(lines)} lines; at most {most} are taken.")
    found = []
    for number, line in enumerate(lines, start=1):
        _parsed(line, f"{name} line {number}")
        try:
            found.append(form.model_validate_json(line))
        except ValidationError as error:
            raise LabError(f"{name} line {number} of the bundle: {first_faults(error)}") from None
    return found


def first_faults(error: Exception) -> str:
    """What is wrong, in one short line."""
    if isinstance(error, ValidationError):
        parts = [f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()[:3]]
    elif isinstance(error, SpecError):
        parts = [str(fault) for fault in error.faults[:3]]
    else:
        parts = [" ".join(str(error).split())]
    return "; ".join(parts)[:SHOWN]


def _text(bundle: Bundle, name: str) -> str:
    if name not in bundle.files:
        raise LabError(f"the bundle lacks {name}.")
    return bundle.files[name]


def _parsed(text: str, where: str) -> Any:
    try:
        found = json.loads(text)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()  # half a character is JSON, and no text
    except (ValueError, RecursionError):
        raise LabError(f"{where} of the bundle is not JSON.") from None
    if "\\u0000" in text and _holds_nul(found):
        raise LabError(f"{where} of the bundle holds a NUL, which no text of a round does.")
    return found


def _holds_nul(value: Any) -> bool:
    """PostgreSQL stores no text that does."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_holds_nul(name) or _holds_nul(one) for name, one in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))
