"""What a failed job's reason means, and what to do about it."""

from __future__ import annotations

ADVICE = {
    "spec": "Correct the setting named above and launch it again; the recipe is under Spec.",
    "data": "The data could not be used as it is. Correct the row or file named above, then retry.",
    "disk": "Free some space where the lab keeps its things (LAB_HOME), then retry.",
    "memory": "Lower micro_batch_size or max_length, or wait until other work has ended, then retry.",
    "dependency": "It needs the result of another job. Retry that one; this one comes back with it.",
    "killed": "Something outside the lab ended the process (often the system, short of memory). Retry; if it happens "
              "again, lower micro_batch_size.",
    "cancelled": "Someone asked for it to end. Retry queues it again.",
    "lost": "The machine or the worker went away in the middle. Nothing stored is lost; retry.",
    "bug": "This is a fault of the lab, not of your settings. The end of the log says where.",
}
TITLES = {
    "spec": "The settings were wrong", "data": "The data could not be used", "disk": "The disk is full",
    "memory": "Out of memory", "dependency": "A job it needs did not succeed", "killed": "Ended from outside",
    "cancelled": "Cancelled", "lost": "Lost with its machine", "bug": "Something went wrong inside the lab",
}
