"""What codecarbon is asked, against its own data files read directly."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from lab.core.errors import LabError
from lab.energy import tables
from tests.energy.readings import MODEL

DATA = Path(str(files("codecarbon"))) / "data"


def test_tdp_and_intensity_are_those_of_codecarbons_files() -> None:
    with (DATA / "hardware" / "cpu_power.csv").open() as file:
        watts = {row["Name"]: row["TDP"] for row in csv.DictReader(file)}
    mix = json.loads((DATA / "private_infra" / "global_energy_mix.json").read_text())
    known = tables.look_up([MODEL, "A CPU nobody sells"], [64.0, 8.04], "che")
    assert known.cpu_watts == {MODEL: float(watts["Intel Xeon Platinum 8275CL"]), "A CPU nobody sells": None}
    assert known.g_per_kwh == pytest.approx(mix["CHE"]["carbon_intensity"]) and known.country_name == "Switzerland"
    assert set(known.memory_watts) == {64.0, 8.0} and known.memory_watts[64.0] > known.memory_watts[8.0] > 0
    assert 20 < known.world_low < known.world_g_per_kwh < known.world_high < 1310


def test_a_cpu_whose_tdp_in_the_table_is_no_number_counts_as_unknown() -> None:
    with (DATA / "hardware" / "cpu_power.csv").open() as file:
        broken = [row["Name"] for row in csv.DictReader(file) if row["TDP"].count(".") > 1]
    assert broken  # codecarbon 3.3.2 has some such as '27.29.5'
    assert tables.look_up(broken[:1], [], "").cpu_watts == {broken[0]: None}


def test_a_country_that_is_not_in_the_table_has_no_figure() -> None:
    assert tables.look_up([], [], "QQQ").g_per_kwh is None


def test_the_same_question_is_asked_once() -> None:
    tables.look_up([MODEL], [64.0], "FRA")
    before = tables._ask.cache_info().misses
    tables.look_up([MODEL, MODEL], [64.01], "FRA")
    assert tables._ask.cache_info().misses == before


def test_it_asks_nobody_on_the_network_and_leaves_no_file(tmp_path: Path) -> None:
    """Configuration of codecarbon that lies around changes nothing, either."""
    (tmp_path / ".codecarbon.config").write_text("[codecarbon]\nforce_carbon_intensity_g_co2e_kwh = 1\n")
    code = """
import socket, json
def refuse(*_): raise AssertionError("the network was asked")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
from lab.energy._codecarbon import answer
print(json.dumps(answer({"cpu_models": ["x"], "memory_gib": [4.0], "country": "FRA"})))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          env={"HOME": str(tmp_path), "PYTHONPATH": str(root), "PATH": "/usr/bin:/bin",
                               "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["g_per_kwh"] == pytest.approx(56.039) and not done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [".codecarbon.config"]


def test_a_codecarbon_that_cannot_be_loaded_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "codecarbon").mkdir()
    (tmp_path / "codecarbon" / "__init__.py").write_text("raise ImportError('half an installation')")
    monkeypatch.setattr(tables, "ROOT", f"{tmp_path}:{tables.ROOT}")
    with pytest.raises(LabError, match="half an installation.*pip install"):
        tables.look_up(["asked only here"], [], "")
