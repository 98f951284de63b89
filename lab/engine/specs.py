"""What an engine process is: one base in memory, adapters by name, OpenAI-compatible HTTP on loopback."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from lab.bases.resolving import check_base_name
from lab.core.errors import Fault
from lab.core.spec import Spec


class EngineSpec(Spec):
    """An interactive service beside the queue; it ends by itself when idle."""

    kind: ClassVar[str] = "engine"
    base: str = Field(description="A base card's name, a local folder, or a hub id.")
    idle_timeout_s: float = Field(600, gt=0, description="Seconds without a request after which it ends.")
    give_way_after_s: float = Field(
        15, gt=0, description="Seconds without a request after which it ends if another job waits for its device."
    )
    max_new_tokens: int = Field(512, ge=1, le=32768, description="Upper bound of one answer, in tokens.")
    backend: Literal["lab", "vllm"] = Field("lab", description="The lab's own engine, or vLLM where it is installed.")
    precision: Literal["auto", "bf16", "fp32", "4bit"] = Field(
        "auto", description="Of the base's weights in memory; auto: bf16 on a GPU that has it, else fp32."
    )
    max_rows: int = Field(32, ge=1, le=1024, description="Answers that are written at the same time; others wait.")

    def check_names(self) -> list[Fault]:
        return check_base_name("base", self.base)
