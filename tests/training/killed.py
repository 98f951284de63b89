"""`python -m tests.training.killed BASE FOLDER`: a training job that is killed while it writes its second checkpoint.

It saves after every third step. The file of the optimiser's state is cut in the middle, then comes SIGKILL: the process
has no chance to tidy up, as after `kill -9` or a power cut.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path

SAVES_BEFORE = 1


def main(base: str, folder: str) -> None:
    import torch

    from lab.bases.cards import bases
    from lab.data.dataset import datasets
    from lab.training import saves
    from lab.training._trl import train_sft
    from tests.training.attempts import attempt, spec
    from tests.training.tiny import card, data, sums

    dict.__setitem__(bases(), "tiny", card(Path(base)))
    dict.__setitem__(datasets(), "sums", data("sums", sums(96)))
    write, seen = torch.save, []

    def cut(value, path, *rest, **named):
        if Path(str(path)).name == "optimizer.pt":
            seen.append(path)
            if len(seen) > SAVES_BEFORE:
                whole = io.BytesIO()
                write(value, whole)
                Path(path).write_bytes(whole.getvalue()[: whole.tell() // 2])
                os.kill(os.getpid(), signal.SIGKILL)
        return write(value, path, *rest, **named)

    torch.save = cut
    ticks = iter(range(10**6))
    saves.time = type("Ticks", (), {"monotonic": staticmethod(lambda: next(ticks))})
    train_sft(spec(checkpoint_every_s=3), attempt(Path(folder)))


if __name__ == "__main__":
    main(*sys.argv[1:])
