"""A training process that is killed in the middle of a save: the next attempt goes on from the checkpoint before."""

from __future__ import annotations

import signal
import subprocess
import sys

from lab.training._inputs import weights_sha256
from lab.training._trl import train_sft
from tests.training.attempts import attempt, spec


def test_after_a_kill_in_mid_save_the_run_goes_on_from_the_checkpoint_before_and_ends_with_the_same_weights(
    tiny, tmp_path
):
    settings = spec(checkpoint_every_s=3)
    command = [sys.executable, "-m", "tests.training.killed", tiny.location(), str(tmp_path / "job")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    context = attempt(tmp_path / "job")
    assert [folder.name for folder in context.checkpoints.broken()] == ["checkpoint-6"]
    assert context.checkpoints.last_whole().step == 3
    result = train_sft(settings, context)
    expected = train_sft(settings, whole := attempt(tmp_path / "whole"))
    assert weights_sha256(context.folder) == weights_sha256(whole.folder)
    assert result["n_tokens_seen"] == expected["n_tokens_seen"]
    assert "checkpoint-6 was only half written and is not used" in context.logs
    assert "goes on after step 3, from checkpoint-3" in context.logs
