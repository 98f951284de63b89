"""Clinical calculators that are plain arithmetic. Real published formulas on invented patients; not for clinical use.

anion gap               Na - Cl - HCO3 (mmol/L). Emmett & Narins, Medicine 1977;56:38-54.
mean arterial pressure  (systolic + 2 * diastolic) / 3. Standard estimate, e.g. DeMers & Wachs, StatPearls NBK538226.
osmolality              2 * Na + glucose + urea (mmol/L, SI form). Dorwart & Chalmers, Clin Chem 1975;21:190-194.
fluid maintenance       4-2-1 rule: 4 mL/kg/h to 10 kg, 2 to 20 kg, 1 above. Holliday & Segar, Pediatrics
                        1957;19:823-832.
dose                    weight * mg/kg, at most a cap; the rule is stated in every question. The pairs follow common
                        paediatric guidance: isoniazid 10 mg/kg max 300 and rifampicin 15 max 600 (WHO, tuberculosis in
                        children, 2014), azithromycin 10 max 500 (IDSA/PIDS pneumonia 2011), ibuprofen 10 max 400 and
                        aciclovir 20 max 800 (AAP Red Book, varicella), prednisolone 2 max 60 (NAEPP EPR-3, 2007).
"""

from __future__ import annotations

import random

from lab.data.demo.problem import Family, Problem

DRUGS = {"isoniazid": (10, 300), "rifampicin": (15, 600), "azithromycin": (10, 500), "ibuprofen": (10, 400),
         "aciclovir": (20, 800), "prednisolone": (2, 60)}


def anion_gap(rng: random.Random) -> Problem:
    """Two differences."""
    sodium, chloride, bicarbonate = rng.randint(128, 152), rng.randint(90, 114), rng.randint(8, 32)
    gap = sodium - chloride - bicarbonate
    if not 2 <= gap <= 35:
        return anion_gap(rng)
    question = rng.choice((
        f"Sodium {sodium}, chloride {chloride}, bicarbonate {bicarbonate} mmol/L. What is the anion gap?",
        f"A patient has a sodium of {sodium}, a bicarbonate of {bicarbonate} and a chloride of {chloride} mmol/L. "
        "Calculate the anion gap.",
        f"Find the anion gap: chloride {chloride}, sodium {sodium}, bicarbonate {bicarbonate} mmol/L.",
    ))
    steps = (f"{sodium}-{chloride}={sodium - chloride}", f"{sodium - chloride}-{bicarbonate}={gap}")
    readings = (("sodium", str(sodium)), ("chloride", str(chloride)), ("bicarbonate", str(bicarbonate)))
    core = (sodium, chloride, bicarbonate)
    return Problem("anion gap", core, question, steps, f"The anion gap is {gap} mmol/L.", str(gap), "mmol/L",
                   readings=readings)


def mean_arterial_pressure(rng: random.Random) -> Problem:
    """A double, a sum, a third; pressures are drawn so that the third is whole."""
    systolic, diastolic = rng.randint(84, 180), rng.randint(44, 104)
    if systolic - diastolic < 20 or (systolic - diastolic) % 3:
        return mean_arterial_pressure(rng)
    double, total = 2 * diastolic, systolic + 2 * diastolic
    question = rng.choice((
        f"The blood pressure is {systolic}/{diastolic} mmHg. What is the mean arterial pressure?",
        f"Systolic pressure {systolic}, diastolic pressure {diastolic} mmHg. Calculate the mean arterial pressure.",
        f"A patient has a blood pressure of {systolic}/{diastolic} mmHg. Find the mean arterial pressure.",
    ))
    steps = (f"2*{diastolic}={double}", f"{systolic}+{double}={total}", f"{total}/3={total // 3}")
    readings = (("systolic", str(systolic)), ("diastolic", str(diastolic)))
    sentence = f"The mean arterial pressure is {total // 3} mmHg."
    return Problem("mean arterial pressure", (systolic, diastolic), question, steps, sentence, str(total // 3), "mmHg",
                   readings=readings)


def osmolality(rng: random.Random) -> Problem:
    """A double and two sums."""
    sodium, glucose, urea = rng.randint(124, 156), rng.randint(3, 40), rng.randint(2, 40)
    double = 2 * sodium
    total = double + glucose + urea
    question = rng.choice((
        f"Sodium {sodium}, glucose {glucose}, urea {urea} mmol/L. What is the calculated osmolality?",
        f"A patient has a glucose of {glucose}, a urea of {urea} and a sodium of {sodium} mmol/L. "
        "Calculate the serum osmolality.",
        f"Find the serum osmolality: urea {urea}, sodium {sodium}, glucose {glucose} mmol/L.",
    ))
    steps = (f"2*{sodium}={double}", f"{double}+{glucose}={double + glucose}", f"{double + glucose}+{urea}={total}")
    readings = (("sodium", str(sodium)), ("glucose", str(glucose)), ("urea", str(urea)))
    return Problem("osmolality", (sodium, glucose, urea), question, steps, f"The osmolality is {total} mmol/L.",
                   str(total), "mmol/L", readings=readings)


def fluid_maintenance(rng: random.Random) -> Problem:
    """A piecewise rule: which band, then one or three small steps."""
    weight, age = rng.randint(3, 80), rng.randint(1, 15)
    if weight <= 10:
        rate, steps = 4 * weight, (f"{weight}<=10", f"4*{weight}={4 * weight}")
    elif weight <= 20:
        over = weight - 10
        rate = 40 + 2 * over
        steps = (f"{weight}<=20", f"{weight}-10={over}", f"2*{over}={2 * over}", f"40+{2 * over}={rate}")
    else:
        rate, steps = 40 + weight, (f"{weight}>20", f"{weight}-20={weight - 20}", f"60+{weight - 20}={40 + weight}")
    question = rng.choice((
        f"A child of {age} years weighs {weight} kg. What is the maintenance fluid rate by the 4-2-1 rule?",
        f"Use the 4-2-1 rule for maintenance fluid: the child, {age} years old, weighs {weight} kg.",
        f"How much maintenance fluid per hour does a child of {weight} kg and {age} years need by the 4-2-1 rule?",
    ))
    return Problem("fluid maintenance", (weight,), question, steps, f"The maintenance rate is {rate} mL per hour.",
                   str(rate), "mL/h", readings=(("weight", str(weight)), ("age", str(age))))


def dose(rng: random.Random) -> Problem:
    """A product, then the smaller of it and the cap."""
    drug = rng.choice(tuple(DRUGS))
    per_kg, cap = DRUGS[drug]
    weight = rng.randint(6, min(cap * 17 // (per_kg * 10), 900 // per_kg))
    product = weight * per_kg
    given = min(product, cap)
    question = rng.choice((
        f"{drug.capitalize()} is given at {per_kg} mg/kg, at most {cap} mg. What is the dose for {weight} kg?",
        f"A child weighs {weight} kg. The dose of {drug} is {per_kg} mg/kg with a maximum of {cap} mg. "
        "How many mg are given?",
        f"Weight {weight} kg, {drug} {per_kg} mg/kg, maximum {cap} mg. Calculate the dose.",
    ))
    sign = "<=" if product <= cap else ">"
    steps = (f"{weight}*{per_kg}={product}", f"{product}{sign}{cap}")
    readings = (("weight", str(weight)), ("mg/kg", str(per_kg)), ("maximum", str(cap)))
    return Problem("dose", (drug, weight), question, steps, f"The dose is {given} mg.", str(given), "mg",
                   readings=readings)


FAMILIES: dict[str, Family] = {
    "anion gap": anion_gap, "mean arterial pressure": mean_arterial_pressure, "osmolality": osmolality,
    "fluid maintenance": fluid_maintenance, "dose": dose,
}
