"""The sentence, at the size of a demo job and of a large one."""

from __future__ import annotations

from lab.energy.account import Place, account
from lab.energy.words import how, sentence, uncertainty
from tests.energy.readings import KNOWN, reading


def test_the_interval_stands_beside_the_number_in_a_unit_that_fits() -> None:
    large = account([reading()], KNOWN, Place("CHE"))
    assert sentence(large) == "0.24 kWh (0.12 to 0.49), 8.6 g (4.3 to 17) CO2"
    small = account([reading(cpu_s=36.0, memory_gib_s=0.0)], KNOWN, Place("CHE"))
    assert sentence(small) == "0.1 Wh (0.05 to 0.2), 3.5 mg (1.8 to 7) CO2"


def test_how_it_was_found_names_each_part_the_grid_and_what_was_not_metered() -> None:
    lines = how(account([reading(faults=["GPU 3 is not metered: it sulks"])], KNOWN, Place("CHE", pue=1.2)))
    assert lines[0] == "processor 98 %, estimated from the CPU's TDP and its use"
    assert lines[-2:] == ["grid 35 g CO2 per kWh: Switzerland, mean of 2023 (codecarbon); PUE 1.2",
                          "GPU 3 is not metered: it sulks"]


def test_the_uncertainty_names_its_sources() -> None:
    text = "\n".join(uncertainty(account([reading(joules={"cpu": 1.0, "memory": None})], KNOWN, Place("CHE"))))
    assert "Fischer 2025" in text and "Fahad" in text and "between 0.50 and 2.0 times" in text


def test_what_is_not_known_is_said() -> None:
    assert sentence({"unknown": "codecarbon could not be asked"}) == "not known: codecarbon could not be asked"
    assert how({"unknown": "x"}) == uncertainty({"unknown": "x"}) == []
