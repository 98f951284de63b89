"""How much memory can be had: the machine's, or a container's share of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.launchers.memory import available_mib

MIB = 2**20


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:       64000000 kB\nMemAvailable:    8388608 kB\n")
    return path


def container(folder: Path, limit: str) -> Path:
    folder.mkdir()
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{3000 * MIB}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {1000 * MIB}\n")
    return folder


def test_without_a_container_it_is_what_the_machine_has(proc: Path, tmp_path: Path) -> None:
    assert available_mib(proc, tmp_path / "none") == 8192


def test_a_container_without_a_limit_has_what_the_machine_has(proc: Path, tmp_path: Path) -> None:
    assert available_mib(proc, container(tmp_path / "group", "max")) == 8192


def test_in_a_container_it_is_the_limit_less_what_cannot_be_dropped(proc: Path, tmp_path: Path) -> None:
    assert available_mib(proc, container(tmp_path / "group", str(4096 * MIB))) == 2096


def test_a_limit_above_what_the_machine_has_left_does_not_count(proc: Path, tmp_path: Path) -> None:
    assert available_mib(proc, container(tmp_path / "group", str(99_999 * MIB))) == 8192


def test_this_machine_tells_a_sensible_figure() -> None:
    assert 10 < available_mib() < 100_000_000
