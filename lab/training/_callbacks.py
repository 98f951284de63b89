"""What the trainer tells the context while it runs, and how it is told to stop."""

from __future__ import annotations

import json
import time
from math import isfinite
from typing import Any

from transformers import TrainerCallback

from lab.core.context import Context
from lab.core.errors import LabError

METRICS = "metrics.jsonl"
SECONDS_BETWEEN_PROGRESS = 0.5


class Live(TrainerCallback):
    """Loss, tokens per second and time left go to the context; a stop request ends training after the running step."""

    def __init__(self, context: Context):
        self.context = context
        self.file = context.folder / METRICS
        self.losses: list[float] = []  # one a log, the mean over the steps since the last
        self.n_tokens_seen = 0
        self.started = self.reported = self.ended = 0.0
        self.stopped_at: int | None = None

    @property
    def seconds(self) -> float:
        return (self.ended or time.monotonic()) - self.started

    @property
    def tokens_per_s(self) -> float:
        return self.n_tokens_seen / max(self.seconds, 1e-9)

    def final_loss(self) -> float | None:
        """Mean of the last tenth of the logged losses: one batch alone says little."""
        last = self.losses[-max(1, len(self.losses) // 10):]
        return sum(last) / len(last) if last else None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.started = time.monotonic()
        self.file.write_text("", encoding="utf-8")
        self.context.progress(0, state.max_steps, "first step")

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:  # the summary at the end
            return
        if not isfinite(logs["loss"]):
            raise LabError(
                f"the loss is not a number at step {state.global_step}: training has diverged. Lower learning_rate "
                f"(it is {args.learning_rate:g}) or raise warmup_frac", "spec"
            )
        self.losses.append(float(logs["loss"]))
        self.n_tokens_seen = int(logs["num_tokens"])
        values = {
            "loss": float(logs["loss"]),
            "learning_rate": float(logs["learning_rate"]),
            "grad_norm": float(logs["grad_norm"]),
            "token_accuracy": float(logs["mean_token_accuracy"]),
            "tokens_per_s": round(self.tokens_per_s, 1),
        }
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"step": state.global_step, "seconds": round(self.seconds, 2), **values}) + "\n")
        self.context.metric(state.global_step, **values)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.context.stop_requested() and state.global_step < state.max_steps:
            self.stopped_at = state.global_step
            control.should_training_stop = True
        now = time.monotonic()
        if now - self.reported >= SECONDS_BETWEEN_PROGRESS or state.global_step >= state.max_steps:
            self.reported = now
            self.context.progress(state.global_step, state.max_steps, self._text(state))

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.ended = time.monotonic()

    def _text(self, state: Any) -> str:
        """What a bar does not say; the time left is the store's to estimate."""
        if not self.losses:
            return f"step {state.global_step} of {state.max_steps}"
        return f"loss {self.losses[-1]:.3f}, {self.tokens_per_s:,.0f} tokens/s"
