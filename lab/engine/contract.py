"""The template contract: a variant answers as it was taught only when it is asked as it was taught. No torch here.

Beside a variant's weights lies `contract.json`: what its base's chat template made of a fixed probe conversation, the
style in which it marks its thinking, and the token that ends its turns. Whoever uses a variant compares that with the
tokenizer at hand: training that goes on from it, chat, benchmarks, answer banks, export. What differs is refused by
name, because a model that is asked in another form answers worse, and nothing else would say why.

Variants from before there were contracts have none. They still load, with a warning: what they were trained through is
not known, and refusing them would lose work that is almost surely in order.

Only what the template writes counts, not its text: two templates that write the same are the same.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from pathlib import Path
from typing import Any

from lab.bases.cards import BaseCard
from lab.core.context import write_json
from lab.core.errors import LabError
from lab.core.types import ModelSource, StyleName
from lab.data.targets import THINKING_STYLES

FILE = "contract.json"
DAY = "26 Jul 2024"  # some templates write today's date: here always this one
DATES = ("%d %b %Y", "%d %B %Y", "%B %d, %Y", "%Y-%m-%d", "%d/%m/%Y")  # the forms they write it in
SHOWN = 60  # characters shown around a difference
LOG = logging.getLogger(__name__)


def contract(tokenizer: Any, style: StyleName, card: BaseCard) -> dict[str, Any]:
    """What is written beside a variant's weights."""
    rendered = rendered_probe(tokenizer, style)
    parts = json.dumps([rendered, style, tokenizer.eos_token], sort_keys=True, ensure_ascii=False)
    return {
        "template_sha256": hashlib.sha256(parts.encode()).hexdigest(),
        "thinking_style": style,
        "eos": tokenizer.eos_token,
        "base": card.hub_id or card.label,
        "rendered": rendered,
    }


def rendered_probe(tokenizer: Any, style: StyleName) -> dict[str, str]:
    """What the template writes: a question, one with a system message, a whole turn, and a second question after it.

    The reply thinks in the given style, so a template that strips or moves thinking shows. One that refuses a
    conversation (some take no system message) is known by its refusal.
    """
    ask = {"role": "user", "content": "First question?\nA) one"}
    reply = {"role": "assistant", "content": THINKING_STYLES[style].wrap("a thought", "Answer: A")}
    again = {"role": "user", "content": "Second question?"}
    chats = {
        "a question": ([ask], True),
        "a question after a system message": ([{"role": "system", "content": "Be brief."}, ask], True),
        "a whole turn": ([ask, reply], False),
        "a second question": ([ask, reply, again], True),
    }
    return {name: _render(tokenizer, chat, asks) for name, (chat, asks) in chats.items()}


def _render(tokenizer: Any, chat: list[dict[str, str]], asks: bool) -> str:
    from jinja2.exceptions import TemplateError

    try:
        text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=asks, date_string=DAY)
    except TemplateError as error:
        return f"refused: {error}"
    if "strftime_now" in str(tokenizer.chat_template):
        for form in DATES:
            text = text.replace(time.strftime(form), DAY)
    return text


def write_contract(folder: Path, tokenizer: Any, style: StyleName, card: BaseCard) -> dict[str, Any]:
    """Write it beside the weights; returns what was written."""
    made = contract(tokenizer, style, card)
    write_json(folder / FILE, made)
    return made


def read_contract(folder: Path | str) -> dict[str, Any]:
    """The contract of a folder of weights; {} where there is none."""
    file = Path(folder) / FILE
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("thinking_style") not in THINKING_STYLES:
        raise LabError(f"{file} cannot be read as a template contract: take it from a copy, or train the variant again")
    return found


def style_of(source: ModelSource, card: BaseCard) -> StyleName:
    """How a model marks its thinking: as the variant was taught, else as its base's card says."""
    if source.thinking_style:
        return source.thinking_style
    found = read_contract(source.folder) if source.folder else {}
    return found.get("thinking_style", card.thinking_style)


def check_contract(model: ModelSource | Path | str, tokenizer: Any, card: BaseCard) -> None:
    """LabError when the variant was trained through another template than `tokenizer`'s, or marks thinking otherwise.

    `model`: a source, or a folder of weights. A base has no contract. A variant without one is warned about.
    """
    folder = model.folder if isinstance(model, ModelSource) else str(model)
    if folder is None:
        return
    label = model.label if isinstance(model, ModelSource) else Path(folder).name
    found = read_contract(folder)
    if not found:
        LOG.warning("model '%s' has no template contract (it was trained before there were any): whether it is asked "
                    "as it was trained is not known", label)
        return
    if difference := _difference(found, contract(tokenizer, found["thinking_style"], card)):
        raise LabError(
            f"model '{label}' was trained through another chat template than base '{card.name}' has now, so its "
            f"answers would not be its own: {difference}. Give the base back the tokenizer and the card it had, or "
            "train the variant again"
        )
    if isinstance(model, ModelSource):
        _check_record(model, found)


def _check_record(source: ModelSource, found: dict[str, Any]) -> None:
    """What the store remembers of a variant must be what lies beside its weights."""
    for name, kept in (("thinking_style", source.thinking_style), ("template_sha256", source.template_sha)):
        if kept and kept != found[name]:
            raise LabError(
                f"model '{source.label}': its {FILE} says {name} '{found[name]}', but it was recorded with '{kept}'. "
                f"The file was changed or belongs to another variant: put the right one back into {source.folder}"
            )


def _difference(trained: dict[str, Any], now: dict[str, Any]) -> str:
    """The first difference in words; '' where there is none."""
    if trained["template_sha256"] == now["template_sha256"]:
        return ""
    if trained.get("eos") != now["eos"]:
        return f"a turn ended with '{trained.get('eos')}' and ends with '{now['eos']}'"
    for name, text in now["rendered"].items():
        before = trained.get("rendered", {}).get(name)
        if before is not None and before != text:
            return f"{name} was written {_around(before, text)} and is written {_around(text, before)}"
    return "its hash differs"


def _around(text: str, other: str) -> str:
    """Where `text` first differs from `other`, with what is before it."""
    pairs = zip(text, other, strict=False)
    place = next((at for at, (one, two) in enumerate(pairs) if one != two), min(len(text), len(other)))
    start = max(0, place - SHOWN // 3)
    return repr(("…" if start else "") + text[start : start + SHOWN])
