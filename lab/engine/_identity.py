"""The identity probe: proof that the base's column is the base and a variant's column is that variant alone.

The referee is PEFT: each adapter is loaded alone by PEFT, which computes a probe text; then the engine computes it in a
batch of base and variant together, as it will answer. Base and variant must agree with what they are alone. Public
side-by-side tools have shown the adapter in the base's pane (Unsloth Studio, issue 4503).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from lab.core.errors import LabError
from lab.engine._stacking import Names, Stack

PROBE = "The quick brown fox jumps over 12 lazy dogs."
# Sums are taken in another order with company. As a share of the largest logit: what rounding surely explains, and what
# it can explain in a deep model of 8 bits of mantissa.
SURE = {torch.float32: 1e-4, torch.float16: 4e-3, torch.bfloat16: 1e-2}
AT_MOST = {torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 6e-2}
# Beyond what is sure, a model must be much nearer to itself than base and variant are to each other.
OF_SEPARATION = 0.25


@dataclass(frozen=True)
class Identity:
    """What the probe found: the largest difference of a logit from what the model gives alone, and the bound."""

    max_difference: float
    tolerance: float
    checked: bool = True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class IdentityProbe:
    """The probe of one base. Made before anything is added to the base, when it is certainly alone."""

    def __init__(self, model: Any, tokenizer: Any, name: str):
        self._name = name
        self._ids = tokenizer(PROBE, return_tensors="pt")["input_ids"].to(model.device)  # (1, T)
        self.alone = self._logits(model, None, [()])[0]  # (T, V)
        self.base = Identity(0.0, self._bound(self.alone, 0.0))

    def check_base(self, model: Any) -> None:
        """LabError unless the base alone gives bit for bit what it gave first."""
        if not torch.equal(self._logits(model, None, [()])[0], self.alone):
            raise LabError(
                f"the adapter changes the base '{self._name}' itself, so a comparison would be false. Adapters that "
                "rewrite base weights (PiSSA, OLoRA) cannot share a base: train with the default initialisation."
            )

    def check(self, model: Any, stack: Stack, name: str, folder: Path, label: str) -> Identity:
        """LabError when the adapter, or the base beside it, is not what it is alone."""
        wanted = self._by_peft(model, folder)  # (T, V)
        beside = self._logits(model, stack, [(), (name,)])  # (2, T, V)
        bound = self._bound(wanted, _furthest(wanted, self.alone))
        base = self._agrees(beside[0], self.alone, f"base '{self._name}'", bound)
        variant = self._agrees(beside[1], wanted, f"model '{label}'", bound)
        self.base = max(self.base, base, key=lambda found: found.max_difference)
        return variant

    def _agrees(self, found: torch.Tensor, wanted: torch.Tensor, what: str, bound: float) -> Identity:
        difference = _furthest(found, wanted)
        if not difference <= bound:  # not a number is no agreement either
            raise LabError(
                f"{what} does not answer as it does alone: its logits beside others differ by {difference:.3g} on the "
                f"probe, more than rounding explains ({bound:.2g}). It is not used. Report this fault of the lab"
            )
        return Identity(difference, bound)

    def _bound(self, logits: torch.Tensor, separation: float) -> float:
        """The largest difference that is no mismatch; `separation`: how far the variant is from the base."""
        size, kind = max(1.0, logits.abs().max().item()), logits.dtype
        return min(AT_MOST.get(kind, 6e-2) * size, max(SURE.get(kind, 1e-2) * size, OF_SEPARATION * separation))

    @torch.no_grad()
    def _logits(self, model: Any, stack: Stack | None, rows: list[Names]) -> torch.Tensor:
        ids = self._ids.expand(len(rows), -1)
        if stack is None:
            return model(input_ids=ids, use_cache=False).logits.cpu()
        with stack.routed(rows):
            return model(input_ids=ids, use_cache=False).logits.cpu()

    def _by_peft(self, model: Any, folder: Path) -> torch.Tensor:
        """The adapter alone, as PEFT applies it. The model's own layers are put back whatever happens."""
        from peft import PeftModel  # 4 s to import, and a base that answers alone never needs it

        wrapped = PeftModel.from_pretrained(model, str(folder), "probed", autocast_adapter_dtype=False)
        try:
            return self._logits(wrapped.eval(), None, [()])[0]
        finally:
            wrapped.unload()
            vars(model).pop("peft_config", None)  # PEFT's mark would make it warn of a second adapter
            model.requires_grad_(False)


def _furthest(one: torch.Tensor, other: torch.Tensor) -> float:
    return (one.float() - other.float()).abs().max().item()
