"""Adapting: a loaded model is trained on the examples nearest to a question, answers it, and is itself again.

scope lora   an ephemeral LoRA (alpha = 2 · rank, B zero) over the model's own frozen adapters. The base's weights take
             no gradient, so others may decode at the same time.
scope full   every weight of the model in place, as in FineMedLM-o1 (TTT/TTT.py); a copy waits on the CPU. From `train`
             to `drop` nobody else may use the model. A variant's own adapter stays frozen.

`prepare` may be called from any thread; everything else belongs to the thread that owns the model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch

from lab.core.errors import LabError
from lab.engine._adapting_steps import Steps
from lab.engine._weight_proof import WeightProof, WeightsChanged
from lab.engine.adapt import AdaptationReport
from lab.engine.protocol import ChatRequest
from lab.engine.retrieving import Prepared, Retriever, Subject

HASHED_EACH_TIME = 64 * 2**20  # bytes; of a larger model every HASH_EVERYth adaptation is hashed, and `verify` asks
HASH_EVERY = 50


@dataclass
class Adapted:
    """A model that has been trained for one question. `names` is the route of its row; to be handed back to `drop`."""

    subject: Subject
    names: tuple[str, ...]
    report: AdaptationReport
    number: int
    ephemeral: str = ""  # name of the LoRA; "" when all weights were trained
    dropped: bool = False


@dataclass(frozen=True)
class _Changed:
    """A model whose weights are being trained: its parameters with their copies, and what they must be again."""

    proof: WeightProof
    copies: Sequence[tuple[Any, torch.Tensor]]


class QuestionAdapter:
    """Test-time training on the models of one engine."""

    def __init__(self, subject_of: Callable[[str], Subject], cache: Path):
        self._subject_of = subject_of
        self._retriever = Retriever(cache)
        self._proofs: dict[int, WeightProof] = {}  # by the model's id
        self._changed: _Changed | None = None
        self._counted = count(1)
        self._broken = ""

    def prepare(self, request: ChatRequest) -> Prepared:
        """Retrieve the examples and write them as the model's template does. LabError says what does not go."""
        self.check()
        return self._retriever.prepare(request, self._subject_of(request.label))

    def train(self, prepared: Prepared) -> Adapted:
        """The model, adapted. Whatever goes wrong, it is itself again when this raises."""
        self.check()
        self._restore()  # of a caller that never came to `drop`
        started, subject = time.perf_counter(), self._subject_of(prepared.label)
        train = self._train_full if prepared.exclusive else self._train_lora
        adapted = train(subject, prepared)
        seconds = prepared.report.seconds + time.perf_counter() - started
        found = {"seconds": seconds, "weights_sha256": self._proof(subject.model).sha256}
        adapted.report = adapted.report.model_copy(update=found)
        return adapted

    def drop(self, adapted: Adapted) -> AdaptationReport:
        """The model as it was, and the report with what proves it. A second call does nothing.

        Raises WeightsChanged when it is not what it was.
        """
        if adapted.dropped:
            return adapted.report
        adapted.dropped, whole = True, True
        if adapted.ephemeral:
            adapted.subject.stack.remove(adapted.ephemeral)
            proof = self._proof(adapted.subject.model)
            whole = proof.n_bytes <= HASHED_EACH_TIME or adapted.number % HASH_EVERY == 0
            self._prove(proof, whole)
        else:
            self._restore()
        adapted.report = adapted.report.model_copy(update={"proof": "sha256" if whole else "checksum"})
        return adapted.report

    @contextmanager
    def adapted(self, prepared: Prepared) -> Iterator[Adapted]:
        """`train` and, come what may, `drop`."""
        adapted = self.train(prepared)
        try:
            yield adapted
        finally:
            self.drop(adapted)

    def verify(self) -> tuple[str, ...]:
        """sha256 of every model that was adapted, each the same as before its first adaptation; else WeightsChanged."""
        self.check()
        for proof in self._proofs.values():
            self._prove(proof, whole=True)
        return tuple(proof.sha256 for proof in self._proofs.values())

    def check(self) -> None:
        """WeightsChanged if a model is not what it was and has not been read again."""
        if self._broken:
            raise WeightsChanged(self._broken, "bug")

    def forget(self, model: Any = None) -> None:
        """A model (None: every one) has been read from its files again, or is gone."""
        self._broken, self._changed = "", None
        self._proofs = {} if model is None else {k: v for k, v in self._proofs.items() if k != id(model)}

    def _train_lora(self, subject: Subject, prepared: Prepared) -> Adapted:
        settings, number = prepared.settings, next(self._counted)
        name = f"adapted-{number}"
        names = (*subject.adapters, name)
        self._proof(subject.model)
        try:
            fresh = subject.stack.add_trainable(name, settings.rank, 2.0 * settings.rank, settings.seed)
            steps = Steps(subject.model, fresh, prepared.rows, lambda: subject.stack.routed([names]))
            before, after = steps.run(settings)
            subject.stack.settled(name)
        except BaseException:
            subject.stack.remove(name)
            raise
        report = prepared.report.model_copy(update={"loss_before": before, "loss_after": after})
        return Adapted(subject, names, report, number, ephemeral=name)

    def _train_full(self, subject: Subject, prepared: Prepared) -> Adapted:
        parameters = list(subject.model.parameters())
        if not all(parameter.is_floating_point() for parameter in parameters):
            raise LabError("the weights of this base are quantised and cannot be trained in place: take scope lora")
        proof = self._proof(subject.model)
        copies = [(parameter, parameter.detach().to("cpu", copy=True)) for parameter in parameters]
        self._changed = _Changed(proof, copies)
        try:
            for parameter in parameters:
                parameter.requires_grad_(True)
            steps = Steps(subject.model, parameters, prepared.rows, lambda: subject.stack.routed([subject.adapters]))
            before, after = steps.run(prepared.settings)
            for parameter in parameters:
                parameter.requires_grad_(False)
        except BaseException:
            self._restore()
            raise
        found = {"loss_before": before, "loss_after": after, "changed_frac": _changed_frac(copies)}
        report = prepared.report.model_copy(update=found)
        return Adapted(subject, subject.adapters, report, next(self._counted))

    @torch.no_grad()
    def _restore(self) -> None:
        """Put the copies back, if weights were being trained, and prove it."""
        if self._changed is None:
            return
        changed, self._changed = self._changed, None
        try:
            for parameter, copy in changed.copies:
                parameter.requires_grad_(False)
                parameter.grad = None
                parameter.copy_(copy)
        except BaseException as error:
            self._broken = f"the weights could not be put back ({error}): the model must be read from its files again"
            raise WeightsChanged(self._broken, "bug") from error
        self._prove(changed.proof, whole=True, renew=True)

    def _proof(self, model: Any) -> WeightProof:
        """What the model was before its first adaptation."""
        if id(model) not in self._proofs:
            self._proofs[id(model)] = WeightProof(model)
        return self._proofs[id(model)]

    def _prove(self, proof: WeightProof, whole: bool, renew: bool = False) -> None:
        """Check, and from a failed check on refuse everything."""
        try:
            if whole:
                proof.whole()
            if renew:
                proof.renew()
            proof.quick()
        except WeightsChanged as error:
            self._broken = str(error)
            raise


@torch.no_grad()
def _changed_frac(copies: Sequence[tuple[Any, torch.Tensor]]) -> float:
    """The share of weights that training has changed: in bfloat16 a small step may round to nothing."""
    changed = sum(int((parameter != copy.to(parameter.device)).sum()) for parameter, copy in copies)
    return changed / max(sum(copy.numel() for _, copy in copies), 1)
