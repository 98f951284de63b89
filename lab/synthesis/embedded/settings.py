"""How often the embedded teacher goes wrong, and with what. Rates are shares of 1."""

from __future__ import annotations

from pydantic import Field

from lab.core.types import Plain

REFUSAL = "I cannot answer this: it is none of the lab's demo problems, and I solve nothing else."


class Settings(Plain):
    mistakes: float = Field(0.15, ge=0, le=1)  # of a line of working, when it is written
    hasty: float = Field(2.0, ge=1)  # times that, for a line that is worked out without writing it down
    self_check: float = Field(0.25, ge=0, le=1)  # a wrong line is seen in the check that ends a first reasoning
    notices: float = Field(0.8, ge=0, le=1)  # a wrong line is seen by a rethink that looks for it
    verdict_errors: float = Field(0.03, ge=0, le=1)  # of verdicts, comparisons and choices of a department
    format_faults: float = Field(0.02, ge=0, le=1)  # of replies
    seed: int = 0
