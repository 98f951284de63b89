"""Weight proof: that a model's shared weights are bit for bit what they were.

whole   sha256 over every parameter and persistent buffer, with its name, type and shape: seconds per GB.
quick   every tensor is the same object at the same address, no operation has written into it since (PyTorch counts
        them, `_version`), and its bits have the same 64-bit sum, worked out where it lies: on a GPU in milliseconds.
        A write that goes around PyTorch and keeps the sum would be missed; `whole` misses nothing.

The quantisation constants of 4-bit weights are not among the tensors of a module and are not looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import torch

from lab.core.errors import LabError

INTEGERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes per element


class WeightsChanged(LabError):
    """The weights in memory are not those of the files any more: nothing may be answered before they are read again."""


class WeightProof:
    """What a model's weights were when this was made."""

    def __init__(self, model: Any):
        self._model = model
        self._tensors = dict(_tensors(model))
        self.n_bytes = sum(tensor.nbytes for tensor in self._tensors.values())
        self.sha256 = self._whole()
        self.renew()

    def quick(self) -> None:
        """WeightsChanged if anything was written since the last `renew`."""
        now = dict(_tensors(self._model))
        same = now.keys() == self._tensors.keys() and all(now[name] is kept for name, kept in self._tensors.items())
        if not same or self._marks() != self._seen or not torch.equal(self._sums(), self._summed):
            raise _changed("an adaptation has written into the shared weights")

    def whole(self) -> str:
        """The sha256, the same as at first. WeightsChanged if it is another."""
        if self._whole() != self.sha256:
            raise _changed("the shared weights have another sha256 than before")
        return self.sha256

    def renew(self) -> None:
        """After a restoration that `whole` has confirmed: from here on `quick` counts anew."""
        self._seen, self._summed = self._marks(), self._sums()

    def _marks(self) -> list[tuple[int, int]]:
        """(address, number of writes) of every tensor."""
        return [(t.data_ptr(), -1 if t.is_inference() else t._version) for t in self._tensors.values()]

    @torch.no_grad()
    def _sums(self) -> torch.Tensor:
        """The sum of each tensor's bits, read as integers, modulo 2^64: (tensors,)."""
        sums = [_bits(tensor).sum(dtype=torch.int64) for tensor in self._tensors.values()]
        first = sums[0].device
        return torch.stack([one.to(first) for one in sums]).cpu()  # one wait for the device, not one per tensor

    @torch.no_grad()
    def _whole(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in self._tensors.items():
            digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}\n".encode())
            digest.update(_bits(tensor).view(torch.uint8).cpu().numpy())
        return digest.hexdigest()


def _tensors(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters and the buffers that are saved: a rotary table may be worked out anew at any time."""
    yield from model.named_parameters()
    passing = {
        f"{path}.{name}" if path else name
        for path, module in model.named_modules() for name in module._non_persistent_buffers_set
    }
    yield from ((name, buffer) for name, buffer in model.named_buffers() if name not in passing)


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor's memory as integers, flat."""
    return tensor.detach().contiguous().view(-1).view(INTEGERS[tensor.element_size()])


def _changed(what: str) -> WeightsChanged:
    return WeightsChanged(f"{what}: no answer is given until the model has been read from its files again", "bug")
