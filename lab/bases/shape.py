"""A base's dimensions, and how many weights follow from them. Arithmetic only; no file is read and no torch loaded.

The three families are one block: RMSNorm, rotary attention with shared keys and values, a gated MLP (SwiGLU). They
differ in small things: Qwen2 has biases on queries, keys and values, Qwen3 a norm over each head's queries and keys.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from lab.core.errors import LabError
from lab.core.types import Plain

Family = Literal["llama", "qwen2", "qwen3"]
FAMILIES: tuple[Family, ...] = get_args(Family)


class Shape(Plain):
    """What config.json says of a base's size. `head_dim` times `heads` need not be `hidden` (Qwen3)."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    vocabulary: int
    tied: bool  # the head that gives the logits is the embedding

    @property
    def queries(self) -> int:
        """Width of all queries of a layer."""
        return self.heads * self.head_dim

    @property
    def kv(self) -> int:
        """Width of all keys of a layer, or of all values."""
        return self.kv_heads * self.head_dim

    def linears(self) -> dict[str, tuple[int, int]]:
        """(in, out) of each linear map in a layer."""
        h, q, kv, inner = self.hidden, self.queries, self.kv, self.inner
        return {
            "q_proj": (h, q), "k_proj": (h, kv), "v_proj": (h, kv), "o_proj": (q, h),
            "gate_proj": (h, inner), "up_proj": (h, inner), "down_proj": (inner, h),
        }

    def layer_weights(self) -> int:
        """Weights of a layer's linear maps."""
        return sum(wide * high for wide, high in self.linears().values())


def shape_of(config: dict[str, Any]) -> Shape:
    """The shape in a config.json. Raises KeyError, TypeError or ValueError where it is of another kind."""
    heads = int(config["num_attention_heads"])
    return Shape(
        hidden=int(config["hidden_size"]), layers=int(config["num_hidden_layers"]), heads=heads,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        head_dim=int(config.get("head_dim") or config["hidden_size"] // heads),
        inner=int(config["intermediate_size"]), vocabulary=int(config["vocab_size"]),
        tied=bool(config.get("tie_word_embeddings", False)),
    )


def family_of(config: dict[str, Any], place: str) -> Family:
    """The family in a config.json. Raises LabError naming the families the lab knows."""
    kind = config.get("model_type")
    if kind not in FAMILIES:
        raise LabError(
            f"{place} is of family '{kind}': the lab trains {', '.join(FAMILIES)}. Its memory estimate, templates and "
            "adapters are made for these", "spec",
        )
    return kind


def n_parameters(family: Family, shape: Shape) -> int:
    """Weights of the whole model; a tied head is counted once."""
    extra = {"llama": 0, "qwen2": shape.queries + 2 * shape.kv, "qwen3": 2 * shape.head_dim}[family]
    layer = shape.layer_weights() + extra + 2 * shape.hidden
    embeddings = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    return embeddings + shape.layers * layer + shape.hidden
