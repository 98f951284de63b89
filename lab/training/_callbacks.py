"""What the trainer tells the context while it runs: the curve, the tokens, the time. Stopping is not its business."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from math import isfinite
from typing import Any

from transformers import TrainerCallback

from lab.core.context import Context
from lab.core.errors import LabError
from lab.training.ranks import is_first

METRICS = "metrics.jsonl"
SECONDS_BETWEEN_PROGRESS = 0.5
MEANS = {"loss": "loss", "mean_token_accuracy": "token_accuracy"}  # the trainer's name -> ours; over the steps of a log
LAST = {"learning_rate": "learning_rate", "grad_norm": "grad_norm"}  # of the last step of a log


class Live(TrainerCallback):
    """Loss, tokens per second and time left go to the context. What it counts survives a restart (`saves.Keeps`).

    A checkpoint makes the trainer log between two points of the curve. Such a log is held and averaged into the next
    point, so the curve of a run that was interrupted has the points of one that was not.
    """

    def __init__(self, context: Context):
        self.context = context
        self.file = context.folder / METRICS
        self.lines: list[dict[str, float]] = []  # the points of the curve, as in the file
        self.n_tokens_seen = 0
        self.held: dict[str, float] = {}  # means of a log between two points
        self.n_held = 0  # steps in it
        self.logged_step = 0
        self.tokens_before = 0  # of earlier attempts; the trainer counts from its own start
        self.seconds_before = 0.0
        self.started = self.reported = self.ended = 0.0

    def state(self) -> dict[str, Any]:
        return {
            "lines": self.lines, "held": self.held, "n_held": self.n_held, "logged_step": self.logged_step,
            "n_tokens_seen": self.n_tokens_seen, "seconds": self.seconds,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.lines, self.held, self.n_held = state["lines"], state["held"], state["n_held"]
        self.logged_step = state["logged_step"]
        self.n_tokens_seen = self.tokens_before = state["n_tokens_seen"]
        self.seconds_before = state["seconds"]

    @property
    def losses(self) -> list[float]:
        return [line["loss"] for line in self.lines]

    @property
    def seconds(self) -> float:
        """Of training, over all attempts; work that was lost with a process does not count."""
        running = (self.ended or time.monotonic()) - self.started if self.started else 0.0
        return self.seconds_before + running

    @property
    def tokens_per_s(self) -> float:
        return self.n_tokens_seen / max(self.seconds, 1e-9)

    def final_loss(self) -> float | None:
        """Mean of the last tenth of the logged losses: one batch alone says little."""
        last = self.losses[-max(1, len(self.losses) // 10):]
        return sum(last) / len(last) if last else None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.started, self.ended = time.monotonic(), 0.0
        self._write("w", self.lines)
        self.context.progress(state.global_step, state.max_steps, "first step")

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:  # the summary at the end
            return
        if not isfinite(logs["loss"]):
            raise LabError(
                f"the loss is not a number at step {state.global_step}: training has diverged. Lower learning_rate "
                f"(it is {args.learning_rate:g}) or raise warmup_frac", "spec"
            )
        self.n_tokens_seen = self.tokens_before + int(logs.get("num_tokens", 0))
        self._hold(state.global_step, self.means(logs))
        if not _is_point(state, args):
            return
        values = {**self.held, **named(logs, LAST), "tokens_per_s": round(self.tokens_per_s, 1)}
        self.held, self.n_held = {}, 0
        line = {"step": state.global_step, "seconds": round(self.seconds, 2), **values}
        self.lines.append(line)
        self._write("a", [line])
        self.context.metric(state.global_step, **values)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        last = state.global_step >= state.max_steps
        control.should_log = control.should_log or last  # the last steps count, whether or not a point is due
        now = time.monotonic()
        if last or now - self.reported >= SECONDS_BETWEEN_PROGRESS:
            self.reported = now
            self.context.progress(state.global_step, state.max_steps, self._text(state))

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.ended = time.monotonic()

    def means(self, logs: Mapping[str, float]) -> dict[str, float]:
        """What is averaged over the steps of a point, by our names. Another trainer's curve says what it logs."""
        return named(logs, MEANS)

    def _hold(self, step: int, means: Mapping[str, float]) -> None:
        """Average a log into what is held, each by its number of steps."""
        n, n_held = step - self.logged_step, self.n_held
        self.held = {name: (n * value + n_held * self.held.get(name, 0.0)) / (n + n_held)
                     for name, value in means.items()}
        self.n_held, self.logged_step = n + n_held, step

    def _write(self, mode: str, lines: list[dict[str, float]]) -> None:
        if is_first():
            with self.file.open(mode, encoding="utf-8") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)

    def _text(self, state: Any) -> str:
        """What a bar does not say; the time left is the store's to estimate."""
        if not self.lines:
            return f"step {state.global_step} of {state.max_steps}"
        return f"loss {self.losses[-1]:.3f}, {self.tokens_per_s:,.0f} tokens/s"


def named(logs: Mapping[str, float], names: Mapping[str, str]) -> dict[str, float]:
    """What a trainer has logged, by our names: {its name: ours}."""
    return {ours: float(logs[name]) for name, ours in names.items() if logs.get(name) is not None}


def _is_point(state: Any, args: Any) -> bool:
    """Whether the curve has a point at this step: the same steps for every run of these settings."""
    step = state.global_step
    return step == 1 or step % args.logging_steps == 0 or step >= state.max_steps
