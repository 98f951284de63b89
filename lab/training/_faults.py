"""What a machine runs out of, in the words of a LabError; everything else passes through as the bug it is."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.core.errors import LabError

FULL = (errno.ENOSPC, errno.EDQUOT)


class MicroBatchTooLarge(Exception):
    """Memory ran out in a training step: it may fit with fewer rows at a time."""


@contextmanager
def memory_left() -> Iterator[None]:
    """Turn memory that runs out in here into MicroBatchTooLarge."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        first_line = (str(error).splitlines() or [""])[0][:160]
        raise MicroBatchTooLarge(f"{type(error).__name__}: {first_line}".rstrip(": ")) from error


@contextmanager
def machine_limits(folder: Path) -> Iterator[None]:
    """Turn a full disk and memory that is out, at whatever depth they come up, into sentences."""
    try:
        yield
    except Exception as error:
        if _is_full_disk(error):
            text = f"the disk that holds {folder.name} is full: free some space, then retry the job"
            raise LabError(text, "disk") from error
        if is_out_of_memory(error):
            text = "out of memory: lower micro_batch_size or max_length, or train LoRA instead of all weights"
            raise LabError(text, "memory") from error
        raise


def _is_full_disk(error: Exception) -> bool:
    # safetensors raises its own error, whose text alone carries the system's error number.
    return (isinstance(error, OSError) and error.errno in FULL) or any(f"os error {n}" in str(error) for n in FULL)


def is_out_of_memory(error: Exception) -> bool:
    # torch raises OutOfMemoryError on a GPU and a plain RuntimeError of its CPU allocator.
    return type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    )
