"""Stacked adapters: several LoRA on one base, each row of a batch with its own, in the same forward pass.

PEFT's mixed batches run every layer once per adapter, cost half the throughput and leave hooks behind after an error
(docs/performance.md). Here every linear layer has one hook for good. A batch names the adapters of its rows; the A
and B of all that it names lie beside each other, so that two matrix products serve the whole batch, and a mask takes
away what belongs to other rows:

    y = W x + B_all (mask · (A_all x))         A_all (K, in), B_all (out, K), mask (rows, K), K: sum of the ranks

The base's modules stay what they are: without a route a hook does nothing, so the base alone is exactly the base.
A DoRA (Liu et al. 2024, arXiv 2402.09353) also scales each output of W x + B A x; its scale is fixed once it is
trained. Not thread-safe: one thread owns the model.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lab.core.errors import LabError
from lab.engine._lora_files import Part, read_parts

ROUTES_KEPT = 8  # compositions of a batch whose side-by-side weights are kept
MOST_ROUTE_BYTES = 256 * 2**20  # above this only the newest composition is kept
Names = tuple[str, ...]  # the adapters of one row, summed; () is the base alone


# Layer → what it adds in one batch: (A_all (in, K), B_all (K, out), mask (rows, 1, K) or None where all rows share all,
# DoRA's scale (rows, 1, out) or None).
Route = dict[str, tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, torch.Tensor | None]]


@dataclass
class Stack:
    """The adapters on one model, by name."""

    model: Any
    _parts: dict[str, dict[str, Part]] = field(default_factory=dict)  # adapter → layer → part
    _layers: dict[str, nn.Linear] = field(default_factory=dict)
    _route: Route | None = None
    _routes: OrderedDict[tuple[Names, ...], Route] = field(default_factory=OrderedDict)
    _handles: list[Any] = field(default_factory=list)

    def names(self) -> list[str]:
        return list(self._parts)

    def add(self, name: str, folder: Path) -> None:
        """Read a LoRA from PEFT's files. LabError when it is of a kind that cannot be stacked or does not fit."""
        self._put(name, read_parts(folder, dict(self._linear())))

    def add_trainable(self, name: str, rank: int, alpha: float, seed: int) -> list[nn.Parameter]:
        """A fresh LoRA on every linear layer but the head, to be trained: A as PEFT draws it, B zero, float32.

        The parameters, A and B in turn. It changes nothing until it is trained.
        """
        draw = torch.Generator().manual_seed(seed)
        head, parts, parameters = self.model.get_output_embeddings(), {}, []
        for layer, linear in self._linear():
            if linear is head:
                continue
            bound = linear.in_features**-0.5  # Kaiming uniform with a = sqrt(5), PEFT's start of A
            a = (torch.rand(rank, linear.in_features, generator=draw) * 2 - 1) * bound
            pair = [nn.Parameter(t.to(linear.weight.device)) for t in (a, torch.zeros(linear.out_features, rank))]
            parts[layer] = Part(pair[0], pair[1], factor=alpha / rank)
            parameters += pair
        self._put(name, parts)
        return parameters

    def remove(self, name: str) -> None:
        """Forget an adapter; one that is not here does no harm."""
        self._parts.pop(name, None)
        self._routes.clear()

    def settled(self, name: str) -> None:
        """The trainable adapter is trained: from now on it is applied like any other."""
        parts = {
            layer: Part(part.a.detach().to(self._dtype(layer)), (part.b.detach() * part.factor).to(self._dtype(layer)))
            for layer, part in self._parts[name].items()
        }
        self._put(name, parts)

    @contextmanager
    def routed(self, rows: Sequence[Names]) -> Iterator[None]:
        """Within the block row i of a batch of `len(rows)` is computed with the adapters `rows[i]`."""
        before, self._route = self._route, self._composed(tuple(rows))
        try:
            yield
        finally:
            self._route = before

    def close(self) -> None:
        """Take the hooks off: the model is as it came."""
        for handle in self._handles:
            handle.remove()
        self._handles, self._layers, self._parts, self._route = [], {}, {}, None
        self._routes.clear()

    def _linear(self) -> Iterator[tuple[str, nn.Linear]]:
        return ((name, module) for name, module in self.model.named_modules() if isinstance(module, nn.Linear))

    def _dtype(self, layer: str) -> torch.dtype:
        weight = self._layers[layer].weight
        return weight.dtype if weight.is_floating_point() else self.model.dtype  # 4-bit weights are bytes

    def _put(self, name: str, parts: dict[str, Part]) -> None:
        modules = dict(self._linear())
        for layer in parts:
            if layer not in self._layers:
                self._layers[layer] = modules[layer]
                self._handles.append(modules[layer].register_forward_hook(self._hook(layer)))
        self._parts[name] = parts
        self._routes.clear()

    def _composed(self, rows: tuple[Names, ...]) -> Route | None:
        """The side-by-side weights of a batch; None when no row has an adapter."""
        if not any(rows):
            return None
        if rows in self._routes:
            self._routes.move_to_end(rows)
            return self._routes[rows]
        named = list(dict.fromkeys(name for names in rows for name in names))
        # Kept tensors must not be of inference mode: a training step may go through them.
        with torch.inference_mode(False):
            sides = {layer: _side(layer, named, rows, self) for layer in self._layers}
        trains = any(part.a.requires_grad for name in named for part in self._parts[name].values())
        route: Route = {layer: side for layer, side in sides.items() if side is not None}
        if not trains:  # what is trained changes with every step
            self._keep(rows, route)
        return route

    def _keep(self, rows: tuple[Names, ...], route: Route) -> None:
        n_bytes = sum(a.nbytes + b.nbytes for a, b, *_ in route.values())
        most = ROUTES_KEPT if n_bytes * ROUTES_KEPT <= MOST_ROUTE_BYTES else 1
        while len(self._routes) >= most:
            self._routes.popitem(last=False)
        self._routes[rows] = route

    def _hook(self, layer: str) -> Any:
        def add(module: nn.Linear, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor | None:
            side = self._route.get(layer) if self._route is not None else None
            return None if side is None else _added(module, args[0], output, side)

        return add


def _added(module: nn.Linear, x: torch.Tensor, output: torch.Tensor, side: Any) -> torch.Tensor:
    """W x of shape (rows, T, out) with the adapters' share."""
    a, b, mask, scale = side
    inner = x.to(a.dtype) @ a  # (rows, T, K)
    if mask is not None:
        if inner.dim() != 3 or inner.shape[0] != mask.shape[0]:
            raise LabError("a layer of this base mixes the rows of a batch, so its variants cannot answer side by side")
        inner = inner * mask
    if scale is None:
        flat = torch.addmm(output.reshape(-1, output.shape[-1]).to(b.dtype), inner.reshape(-1, b.shape[0]), b)
        return flat.view(output.shape).to(output.dtype)
    bias = 0 if module.bias is None else module.bias
    return ((output - bias + inner @ b) * scale + bias).to(output.dtype)


def _side(layer: str, named: list[str], rows: tuple[Names, ...], stack: Stack) -> Any:
    """(A_all, B_all, mask, scale) of one layer, or None when no named adapter touches it."""
    parts = {name: stack._parts[name][layer] for name in named if layer in stack._parts[name]}
    if not parts:
        return None
    a = torch.cat([part.a for part in parts.values()]).t()  # (in, K)
    b = torch.cat([part.b * part.factor if part.factor != 1 else part.b for part in parts.values()], 1).t()  # (K, out)
    used = [[name in names for name in parts] for names in rows]
    mask = None
    if not all(map(all, used)):
        ranks = torch.tensor([part.a.shape[0] for part in parts.values()])
        mask = torch.tensor(used).repeat_interleave(ranks, dim=1)[:, None].to(a.device, a.dtype)  # (rows, 1, K)
    return a.contiguous(), b.contiguous(), mask, _row_scales(parts, rows)


def _row_scales(parts: dict[str, Part], rows: tuple[Names, ...]) -> torch.Tensor | None:
    """DoRA's scales of each row's outputs, (rows, 1, out); ones for a row without DoRA."""
    scaled = {name: part.scale for name, part in parts.items() if part.scale is not None}
    if not scaled:
        return None
    ones = torch.ones_like(next(iter(scaled.values())))
    return torch.stack([next((scaled[n] for n in names if n in scaled), ones) for names in rows])[:, None]
