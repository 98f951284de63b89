"""A job's energy on its page: nothing before there is a number, then number, range and how it was found."""

from lab.energy.account import Place, account
from lab.ui.jobs.cost import energy_facts
from storage.tables import Job
from tests.energy.readings import KNOWN, reading


def job(energy):
    return Job(id=7, uid="a" * 12, kind="sft", name="x", energy=energy)


def test_a_job_that_was_not_metered_shows_no_energy():
    assert energy_facts(job(None)) == []


def test_the_number_has_its_range_and_says_how_it_was_found():
    (_, number), (_, found) = energy_facts(job(account([reading()], KNOWN, Place("CHE"))))
    assert number == "0.24 kWh (0.12 to 0.49), 8.6 g (4.3 to 17) CO2"
    assert "estimated from the CPU's TDP" in found and "Switzerland, mean of 2023" in found


def test_a_number_that_could_not_be_worked_out_says_why():
    assert energy_facts(job({"unknown": "codecarbon could not be asked"})) == [
        ("energy", "not known: codecarbon could not be asked")]
