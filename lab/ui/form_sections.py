"""In which part of a form a setting stands, so that forty of them can be read. Decided by its name and by the group of
settings that declares it; a setting nobody has placed stands with those of its method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.training.settings import Adapting, Stepping

if TYPE_CHECKING:
    from lab.ui.form import FormField

SUBJECT, ADAPTED, ROWS, OPTIMISER, MACHINE, METHOD = (
    "What is trained", "What is adapted", "Rows and passes", "Optimiser", "Machine and memory", "Method and checks",
)
ORDER = (SUBJECT, ROWS, OPTIMISER, ADAPTED, METHOD, MACHINE)
NAMED = {
    SUBJECT: ("name", "base", "bases", "start", "model", "models", "dataset", "datasets", "pairs", "target", "targets",
              "benchmark", "benchmarks", "questions", "n_questions", "seed", "seeds", "thinking_style"),
    ROWS: ("epochs", "n_episodes", "max_steps", "max_rows", "max_length", "max_prompt_tokens", "max_new_tokens",
           "samples_per_prompt", "match", "packing", "max_questions"),
    OPTIMISER: (),
    ADAPTED: (),
    METHOD: (),
    MACHINE: ("micro_batch_size", "gpus", "sharding", "checkpoint_every_s", "activation_checkpointing"),
}


def section_of(field: FormField) -> str:
    """The part of the form that holds a setting."""
    for section, names in NAMED.items():
        if field.name in names:
            return section
    if field.name in Adapting.model_fields:
        return ADAPTED
    if field.name in Stepping.model_fields:
        return OPTIMISER
    return SUBJECT if field.info.is_required() else METHOD


def sections(fields: Sequence[FormField]) -> dict[str, list[FormField]]:
    """Every part that has settings, in reading order."""
    found = {section: [field for field in fields if section_of(field) == section] for section in ORDER}
    return {section: sorted(own, key=lambda field: _place(section, field)) for section, own in found.items() if own}


def _place(section: str, field: FormField) -> int:
    """Settings that are named here stand in that order, before the others, which keep theirs."""
    names = NAMED[section]
    return names.index(field.name) if field.name in names else len(names)
