"""kWh and kg CO2 against calculations by hand."""

from __future__ import annotations

import pytest

from lab.energy.account import METHODS, Place, account, thread_watts
from tests.energy.readings import KNOWN, reading


def test_an_estimate_is_tdp_times_use_plus_the_memory_share() -> None:
    found = account([reading()], KNOWN, Place("CHE"))
    # two packages of 240 W over 48 threads: 10 W a thread, 24 of them busy for an hour; a quarter of 20 W for an hour
    assert found["parts"]["cpu"] == {"kwh": pytest.approx(0.24), "methods": ["tdp"]}
    assert found["parts"]["memory"] == {"kwh": pytest.approx(0.005), "methods": ["memory"]}
    assert found["kwh"] == pytest.approx(0.245)
    assert (found["kwh_low"], found["kwh_high"]) == (pytest.approx(0.1225), pytest.approx(0.49))


def test_kg_is_kwh_times_pue_times_grid() -> None:
    found = account([reading()], KNOWN, Place("CHE", pue=1.2))
    assert found["kg_co2"] == pytest.approx(0.245 * 1.2 * 0.035)
    assert found["kg_high"] == pytest.approx(0.49 * 1.2 * 0.035)
    assert found["grid"] == "Switzerland, mean of 2023 (codecarbon)"


def test_eight_gpus_of_700_w_for_a_quarter_of_an_hour_are_1_4_kwh_and_0_56_kg_at_400_g() -> None:
    """The size of a published run, worked out from the cards' rated power."""
    cards = [{"uuid": f"GPU-{n}", "name": "H100", "joules": 700 * 900.0, "how": "counter"} for n in range(8)]
    found = account([reading(gpus=cards, cpu_s=0.0, memory_gib_s=0.0)], KNOWN, Place(g_per_kwh=400.0))
    assert found["kwh"] == pytest.approx(1.4) and found["kg_co2"] == pytest.approx(0.56)
    assert found["kwh_high"] / found["kwh"] == pytest.approx(METHODS["counter"].high)


def test_counters_are_taken_over_estimates() -> None:
    found = account([reading(joules={"cpu": 3.6e5, "memory": 3.6e4})], KNOWN, Place("CHE"))
    assert found["parts"]["cpu"] == {"kwh": pytest.approx(0.1), "methods": ["counter"]}
    assert found["parts"]["memory"] == {"kwh": pytest.approx(0.01), "methods": ["counter"]}


def test_attempts_and_machines_add_up_and_every_method_is_named() -> None:
    readings = [reading(), reading(attempt=2, joules={"cpu": 3.6e5, "memory": None}), reading(attempt=2, host="b")]
    found = account(readings, KNOWN, Place("CHE"))
    assert found["attempts"] == 2 and found["metered_s"] == 3 * 3600
    assert found["parts"]["cpu"] == {"kwh": pytest.approx(0.24 + 0.1 + 0.24), "methods": ["counter", "tdp"]}


def test_a_virtual_machine_is_not_charged_a_whole_cpu_for_the_two_threads_it_shows() -> None:
    virtual = {**reading()["machine"], "virtual": True, "threads": 2, "sockets": 1}
    assert thread_watts(virtual, KNOWN) == (4, "thread")
    assert thread_watts({**virtual, "virtual": False}, KNOWN) == (120.0, "tdp")
    assert thread_watts({**virtual, "cpu_model": ""}, KNOWN) == (4, "thread")


def test_without_a_country_the_interval_spans_the_countries_and_the_words_say_so() -> None:
    found = account([reading()], KNOWN.__class__(**{**vars(KNOWN), "g_per_kwh": None}), Place())
    assert found["g_per_kwh"] == 475 and "no country is set" in found["grid"]
    assert found["kg_low"] == pytest.approx(0.1225 * 0.040) and found["kg_high"] == pytest.approx(0.49 * 0.750)


def test_a_country_without_a_figure_is_named() -> None:
    found = account([reading()], KNOWN.__class__(**{**vars(KNOWN), "g_per_kwh": None}), Place("QQQ"))
    assert "no figure for 'QQQ'" in found["grid"]


def test_a_meter_that_broke_down_leaves_its_fault_and_no_number() -> None:
    broken = reading(machine=None, faults=["the meter ended early: OSError: no /proc"])
    found = account([broken, reading(attempt=2)], KNOWN, Place("CHE"))
    assert found["kwh"] == pytest.approx(0.245) and found["faults"] == broken["faults"]


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_brackets_its_number_and_names_a_source(name: str) -> None:
    method = METHODS[name]
    assert 0 < method.low < 1 < method.high and method.low * method.high == pytest.approx(1) and method.source
