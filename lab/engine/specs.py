"""What an engine process is: one base in memory, adapters by name, OpenAI-compatible HTTP on loopback."""

from __future__ import annotations

from typing import ClassVar

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

    def check_names(self) -> list[Fault]:
        return check_base_name("base", self.base)
