"""The policy of a PPO run: a language model, the frozen reference it started as, and a value head on its backbone.

The reference costs no second model. Policy and reference differ in the trained weights alone, so a copy of those (the
adapter's for LoRA, wherever it started from; all for full training) is swapped in for the reference's passes. At the
start both are the same tensors through the same code, so the KL is exactly 0.

HuatuoGPT-o1 has a second, smaller language model as its value model, which needs the policy's tokenizer. There is not
always one, so here the value is a linear map of the policy's last hidden state, from zero: every value is 0 at first.

B: rows. P: tokens of the longest prompt. T: tokens of the longest completion. V: vocabulary. H: hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lab.training._rollouts import Rollouts
from lab.training.rl_math import token_entropies, token_logprobs


@dataclass(frozen=True)
class Pass:
    """What one forward pass says of the sampled tokens, each (B, T)."""

    logprobs: Tensor
    values: Tensor
    entropies: Tensor  # without gradient: it is watched, not trained


class Policy:
    """A causal language model with a value head. Dropout is off in every pass, the learning one too.

    The weights that are trained are those with `requires_grad` when this is made; they are the reference, too.
    """

    def __init__(self, model: Any, temperature: float, value_trains_backbone: bool):
        without_dropout(model)
        self.model, self.temperature = model.eval(), temperature
        self.value_trains_backbone = value_trains_backbone
        self.trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.reference = {name: p.detach().clone() for name, p in self.trained.items()}
        output = model.get_output_embeddings()
        self.head = nn.Linear(output.weight.shape[-1], 1, device=model.device, dtype=torch.float32)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self._hidden: Tensor | None = None  # (B, T, H), what the language head was last given
        output.register_forward_pre_hook(self._keep_hidden)

    def __call__(self, rollouts: Rollouts) -> Pass:
        """Log-probabilities, values and entropies in one forward pass; the value of a token is what is expected before
        it."""
        with self.autocast():
            logits = self._logits(rollouts)
        hidden, self._hidden = self._hidden[:, :-1].float(), None
        values = self.head(hidden if self.value_trains_backbone else hidden.detach()).squeeze(-1)
        with torch.no_grad():
            entropies = token_entropies(logits, self.temperature)
        return Pass(token_logprobs(logits, rollouts.tokens, self.temperature), values, entropies)

    @torch.no_grad()
    def reference_logprobs(self, rollouts: Rollouts) -> Tensor:
        """(B, T), of the model this run began with."""
        with self.as_reference(), self.autocast():
            logits = self._logits(rollouts)
        return token_logprobs(logits, rollouts.tokens, self.temperature)

    @contextmanager
    def as_reference(self) -> Iterator[None]:
        """The trained weights are those of the start in here. Nothing is copied: both sets change places."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def autocast(self) -> torch.autocast:
        """bfloat16 products on a GPU; a pass of its own each time, since its cache must not outlive a swap."""
        return torch.autocast("cuda", dtype=torch.bfloat16, enabled=self.model.device.type == "cuda")

    def state(self) -> dict[str, dict[str, Tensor]]:
        """The trained weights and the value head: what a checkpoint needs to go on."""
        weights = {name: p.detach() for name, p in self.trained.items()}
        return {"trained": weights, "head": self.head.state_dict()}

    @torch.no_grad()
    def restore(self, state: dict[str, dict[str, Tensor]]) -> None:
        for name, parameter in self.trained.items():
            parameter.copy_(state["trained"][name])
        self.head.load_state_dict(state["head"])

    def _logits(self, rollouts: Rollouts) -> Tensor:
        """(B, T, V): at each sampled token, the logits that it was chosen from."""
        mask = torch.cat([rollouts.prompt_mask, rollouts.mask], dim=1).long()  # (B, P + T)
        n_kept = rollouts.tokens.shape[1] + 1  # from the prompt's last token on; nothing follows the last one
        return self.model(
            input_ids=torch.cat([rollouts.prompts, rollouts.tokens], dim=1), attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0), use_cache=False, logits_to_keep=n_kept,
        ).logits[:, :-1]

    def _keep_hidden(self, _: nn.Module, given: tuple[Tensor, ...]) -> None:
        self._hidden = given[0]

    def _swap(self) -> None:
        for name, parameter in self.trained.items():
            parameter.data, self.reference[name] = self.reference[name], parameter.data


def without_dropout(model: nn.Module) -> None:
    """Probabilities of two passes are compared, so both must compute the same function, also in training mode."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = 0.0
