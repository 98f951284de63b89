"""Reading nvidia-smi, and what CUDA_VISIBLE_DEVICES leaves of it."""

from __future__ import annotations

import pytest

from jobs.devices import cpu_slots, find_devices, kind_for, parse_gpus, visible

LISTED = """0, GPU-2f1c, NVIDIA H200, 143771, 143000
1, GPU-77aa, NVIDIA H200, 143771, 1200
2, GPU-9b00, NVIDIA T1000, [N/A], [N/A]
"""


def test_cards_are_named_by_uuid_and_one_that_does_not_tell_its_memory_is_left_out() -> None:
    found = [gpu for _, gpu in parse_gpus(LISTED)]
    assert [gpu.name for gpu in found] == ["gpu:GPU-2f1c", "gpu:GPU-77aa"]
    assert (found[1].title, found[1].memory_mib, found[1].free_mib) == ("GPU 1, NVIDIA H200", 143771, 1200)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [(None, ["2f1c", "77aa"]), ("1", ["77aa"]), ("1,0", ["77aa", "2f1c"]), ("GPU-77", ["77aa"]), ("", []), ("-1", []),
     ("0,7,1", ["2f1c"])],
)
def test_a_worker_leases_no_card_that_it_may_not_see(wanted: str | None, names: list[str]) -> None:
    assert [gpu.name for gpu in visible(parse_gpus(LISTED), wanted)] == [f"gpu:GPU-{name}" for name in names]


def test_without_gpus_or_with_gpus_switched_off_there_are_slots() -> None:
    slots = [found.name for found in find_devices(2, 1, {"LAB_GPUS": "off"})]
    assert slots == ["cpu:0", "cpu:1", "chat:0"] == [found.name for found in cpu_slots(2, 1)]


def test_where_there_are_gpus_everything_leases_gpus() -> None:
    assert [kind_for(lane, {"gpu"}) for lane in ("work", "chat")] == ["gpu", "gpu"]
    assert [kind_for(lane, {"cpu", "chat"}) for lane in ("work", "chat")] == ["cpu", "chat"]
