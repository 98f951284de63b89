"""How an answer is generated: one column's settings, as widgets, an address and the store give them.

No widgets here: `settings_layout` shows these, `asking` sends them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ValidationError

from lab.core.errors import LabError
from lab.engine.adapt import Adaptation
from lab.engine.budget import ThinkingBudget
from lab.engine.protocol import ChatRequest, Message

MOST_TOKENS = 32_768
MODES = {
    "nearest": "nearest: trains on the nearest examples",
    "random": "random: trains on random ones (control)",
    "context": "context: shows the nearest (control)",
}


@dataclass(frozen=True)
class AskSettings:
    """One column's settings."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    top_p: float = 1.0
    budget: ThinkingBudget = ThinkingBudget()
    adapt: Adaptation = Adaptation()

    def request(self, label: str, messages: Sequence[Message]) -> ChatRequest:
        return ChatRequest(
            label=label, messages=messages, max_new_tokens=self.max_new_tokens, temperature=self.temperature,
            seed=self.seed, top_p=self.top_p, budget=self.budget, adapt=self.adapt,
        )

    def plain(self) -> dict[str, Any]:
        """As the store keeps it."""
        values = asdict(self)
        return values | {"budget": self.budget.model_dump(), "adapt": self.adapt.model_dump()}


def of_plain(stored: Mapping[str, Any]) -> AskSettings:
    """What the store kept. What an older lab did not know has its default; what this one cannot read, too."""
    try:
        return AskSettings(
            budget=ThinkingBudget(**stored.get("budget") or {}), adapt=Adaptation(**stored.get("adapt") or {}),
            **{name: stored[name] for name in ("max_new_tokens", "temperature", "seed", "top_p") if name in stored},
        )
    except (ValidationError, TypeError):
        return AskSettings()


def of_address(temperature: Any, max_tokens: Any, seed: Any) -> AskSettings:
    """Settings an address names; what is missing or out of bounds becomes the default or the bound."""
    plain = AskSettings()
    return AskSettings(
        int(_number(max_tokens, plain.max_new_tokens, 1, MOST_TOKENS)), _number(temperature, plain.temperature, 0, 2),
        int(_number(seed, plain.seed, 0, 2**31 - 1)),
    )


def of_widgets(values: Sequence[Any]) -> AskSettings:
    """Settings from the values of `settings_layout.SettingsWidgets.all`. LabError for what does not fit together."""
    temperature, top_p, seed, most, think_min, think_max, prefix, mode, dataset, neighbours, steps, rate, *rest = values
    simple = of_address(temperature, most, seed)
    least = int(_number(think_min, 0, 0, MOST_TOKENS))
    longest = None if think_max in (None, "") else int(_number(think_max, 0, 0, MOST_TOKENS))
    if longest is not None and least > longest:
        raise LabError(f"The least thinking ({least} tokens) is more than the most ({longest}). Lower the one or raise "
                       "the other.")
    return AskSettings(
        simple.max_new_tokens, simple.temperature, simple.seed, _number(top_p, 1.0, 0.01, 1),
        ThinkingBudget(min_tokens=least, max_tokens=longest, answer_prefix=str(prefix or "")),
        _adaptation(mode, dataset, (neighbours, steps, rate), *rest),
    )


def _adaptation(mode: Any, dataset: Any, numbers: tuple[Any, Any, Any], scope: Any, loss_on: Any) -> Adaptation:
    if mode not in MODES:
        return Adaptation()
    if not str(dataset or "").strip():
        raise LabError("Choose the dataset whose examples the model is adapted to, or adapt to nothing.")
    plain, (neighbours, steps, rate) = Adaptation(), numbers
    return Adaptation(
        mode=mode, dataset=str(dataset).strip(), neighbours=int(_number(neighbours, plain.neighbours, 1, 16)),
        steps=int(_number(steps, plain.steps, 1, 100)), scope="full" if scope == "full" else "lora",
        learning_rate=_number(rate, plain.learning_rate, 1e-8, 1),
        loss_on="all" if loss_on == "all" else "completion",
    )


def widget_values(settings: AskSettings) -> list[Any]:
    """The inverse of `of_widgets`; None where nothing is chosen."""
    adapt, budget = settings.adapt, settings.budget
    return [
        settings.temperature, settings.top_p, settings.seed, settings.max_new_tokens, budget.min_tokens or None,
        budget.max_tokens, budget.answer_prefix or None, adapt.mode, adapt.dataset or None, adapt.neighbours,
        adapt.steps, adapt.learning_rate, adapt.scope, adapt.loss_on,
    ]


def settings_words(settings: AskSettings) -> str:
    """'T 0.7, top-p 0.9 · seed 3 · ≤ 256 tokens · thinks 10 to 200 · adapts: nearest of m1k'."""
    sampled = f"T\u202f{settings.temperature:g}" + (f", top-p {settings.top_p:g}" if settings.top_p < 1 else "")
    words = [f"{sampled} · seed {settings.seed}" if settings.temperature else "greedy",
             f"≤\u202f{settings.max_new_tokens}\u202ftokens"]
    budget, adapt = settings.budget, settings.adapt
    if budget.bounds:
        most = f"to {budget.max_tokens}" if budget.max_tokens is not None else "or more"
        words.append(f"thinks {budget.min_tokens} {most}")
    if adapt.mode != "none":
        words.append(f"adapts: {adapt.mode} of {adapt.dataset}")
    return " · ".join(words)


def _number(value: Any, default: float, low: float, high: float) -> float:
    try:
        return min(high, max(low, float(value)))
    except (TypeError, ValueError):
        return default
