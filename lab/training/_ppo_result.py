"""What a PPO run leaves: the variant's files, and the figures of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lab.core.types import Example
from lab.training._inputs import inputs
from lab.training._probing import examine
from lab.training._weights import count_parameters, save_variant
from lab.training.probes import asked_probes

if TYPE_CHECKING:
    from lab.training._ppo import Run

SHARE = 10  # figures at the start and the end are means over a tenth of the steps: one batch alone says little


def leave(run: Run, examples: Sequence[Example]) -> dict[str, Any]:
    """Write the variant into the context's folder; its figures, with the fingerprints of its inputs.

    The value head is not part of the variant: it only served the training.
    """
    spec, model = run.spec, run.policy.model
    n_trainable, n_parameters = count_parameters(model)
    commit = getattr(model.config, "_commit_hash", None)  # only what came from the hub has one
    result = {
        **_counts(run), **learning_figures(run), "n_trainable": n_trainable, "n_parameters": n_parameters,
        **run.begun.facts(spec), "health": health(run), "inputs": inputs(spec, examples, run.begun, commit),
    }
    save_variant(model, run.begun, run.context.folder)
    run.context.save("spec.json", spec.as_dict())
    return result


def health(run: Run) -> dict[str, Any] | None:
    """Whether the model still thinks, answers and ends, on a few questions it was trained on."""
    spec = run.spec
    examples = [question.example for question in run.questions.trained]
    probes = asked_probes(examples, spec.thinking, spec.health_probes)
    if not probes:
        return None
    run.context.progress(spec.n_steps(), spec.n_steps(), "asking probes of its health")
    found = examine(run.policy.model, run.begun.tokenizer, probes, run.begun.style, spec.max_new_tokens)
    return found.as_dict()


def _counts(run: Run) -> dict[str, Any]:
    questions, curve = run.questions, run.curve
    return {
        "micro_batch_size": run.updates.micro,  # less than asked for if memory ran out
        "n_rows": len(questions.trained),
        "n_held_out": len(questions.held_out),
        "n_dropped": questions.n_dropped,
        "n_unverifiable": questions.n_unverifiable,
        "n_tokens": sum(len(question.prompt) for question in questions.trained),  # of the prompts of one pass
        "n_tokens_seen": curve.n_tokens_seen,
        "n_steps": run.spec.n_steps(),
        "n_episodes": run.spec.n_steps() * run.spec.batch_size,
        "final_loss": None,  # a policy loss is no measure of how good a policy is
        "seconds": round(curve.seconds, 2),
        "tokens_per_s": round(curve.tokens_per_s, 1),
    }


def learning_figures(run: Run) -> dict[str, Any]:
    """Reward and KL at both ends of the run, and accuracy on the held-out questions before and after it."""
    rewards, kls = run.curve.values("reward"), run.curve.values("kl")
    n = max(1, len(rewards) // SHARE)
    checks = run.curve.values("eval_accuracy")
    return {
        "reward_first": sum(rewards[:n]) / n,
        "reward_last": sum(rewards[-n:]) / n,
        "kl_last": sum(kls[-n:]) / n,
        "kl_most": max(kls),
        "eval_accuracy_before": checks[0] if checks else None,
        "eval_accuracy_after": checks[-1] if checks else None,
    }
