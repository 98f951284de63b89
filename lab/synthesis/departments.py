"""Departments: the closed taxonomy of FineMed, in which a question and its answer are placed in two passes.

FineMedLM-o1 (arXiv 2501.09213; hongzhouyu/FineMed): 6 first-level departments and 29 second-level ones within them,
counted as 8 + 10 + 2 + 2 + 3 + 4. The names are the usual English ones; 'Otorhinolaryngology' is the name of a first
level and of one of its three departments. A pass may also say 'None': no department fits. A reply counts when it is one
name of the list, in any case and with marks around it; nothing is guessed from any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from lab.synthesis.machine import Reply
from lab.synthesis.replies import Unread, folded, read_word

NONE = "None"
DEPARTMENTS: dict[str, tuple[str, ...]] = {
    "Internal Medicine": (
        "Respiratory and Critical Care Medicine", "Cardiology", "Endocrinology", "Gastroenterology", "Hematology",
        "Nephrology", "Rheumatology and Immunology", "Neurology",
    ),
    "Surgery": (
        "Gastrointestinal Surgery", "Hepatobiliary Surgery", "Urology", "Cardiovascular Surgery", "Thoracic Surgery",
        "Orthopedics", "Neurosurgery", "Burns and Plastic Surgery", "Thyroid Surgery", "Breast Surgery",
    ),
    "Obstetrics and Gynecology": ("Gynecology", "Obstetrics"),
    "Pediatrics": ("Pediatric Internal Medicine", "Pediatric Surgery"),
    "Otorhinolaryngology": ("Otorhinolaryngology", "Ophthalmology", "Dentistry"),
    "Other Departments": (
        "Dermatology and Venereology", "Rehabilitation Medicine", "Anesthesiology", "Traditional Chinese Medicine",
    ),
}
FIRST = tuple(DEPARTMENTS)


def choices_after(department: str | None) -> tuple[str, ...]:
    """What the next pass chooses from: the first level, or the departments within one; () after 'None' or nothing."""
    return FIRST if department is None else DEPARTMENTS.get(department, ())


def read_department(reply: Reply, choices: Sequence[str]) -> str | Unread:
    """The one name that a reply is, or 'None'."""
    words = {folded(name.replace(" and ", " & ")): name for name in choices}  # both spellings are usual
    words |= {folded(name): name for name in (*choices, NONE)}
    return read_word(reply, words)
