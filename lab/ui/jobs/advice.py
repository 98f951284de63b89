"""What a failed or cancelled job's reason means, and what to do about it."""

from __future__ import annotations

ADVICE = {
    "spec": "Correct the setting named above and launch it again; the recipe is under Spec.",
    "data": "The data could not be used as it is. Correct the row or file named above, then retry.",
    "disk": "Free some space where the lab keeps its things (LAB_HOME), then retry.",
    "memory": "A training has by then lowered its micro-batch as far as it goes: lower max_length, train LoRA instead "
              "of all weights, or use a smaller base. Anything else: wait until other work on the device has ended, "
              "then retry.",
    "dependency": "It needs the result of another job. Retry that one; this one comes back with it.",
    "killed": "Something outside the lab ended its process again and again (often the system, short of memory); the "
              "lab queued it anew each time, and it got no further. Lower micro_batch_size or max_length, or give the "
              "machine fewer jobs at a time (LAB_SLOTS), then retry.",
    "cancelled": "Someone asked for it to end. Retry queues it again.",
    "lost": "Its machine or process went away again and again; the lab queued it anew each time, and it got no "
            "further. The log and the history say where it stopped. When the machine is well again, retry.",
    "cluster": "Slurm refused it, ended it, or could not run it as asked; its own words are above. Look at the batch "
               "file and the profile (LAB_HOME/slurm), then retry.",
    "endpoint": "The model's endpoint is busy, fails or is gone. What was made is kept: when it answers again, retry "
                "goes on from there.",
    "bug": "This is a fault of the lab, not of your settings. The end of the log says where.",
}
TITLES = {
    "spec": "The settings were wrong", "data": "The data could not be used", "disk": "The disk is full",
    "memory": "Out of memory", "dependency": "A job it needs did not succeed", "killed": "Killed again and again",
    "cancelled": "Cancelled", "lost": "Lost again and again", "cluster": "The cluster did not run it",
    "endpoint": "The endpoint stopped answering", "bug": "Something went wrong inside the lab",
}
