"""Clinical scores: points looked up and added. Real published scores on invented patients; not for clinical use.

Glasgow coma scale  eye 1-4, verbal 1-5, motor 1-6. Teasdale & Jennett, Lancet 1974;2:81-84 (motor scale as of 1976).
CHA2DS2-VASc        heart failure, hypertension, diabetes, vascular disease, age 65-74, female sex: 1 each; age 75 or
                    more and stroke: 2 each. Lip et al., Chest 2010;137:263-272.
qSOFA               respiratory rate >= 22, systolic pressure <= 100, altered mentation: 1 each. Singer et al., JAMA
                    2016;315:801-810.
"""

from __future__ import annotations

import random

from lab.data.demo.problem import Family, Problem

EYES = {4: "opens the eyes spontaneously", 3: "opens the eyes to speech", 2: "opens the eyes to pain",
        1: "keeps the eyes closed"}
VERBAL = {5: "is oriented", 4: "is confused", 3: "says random words", 2: "only makes sounds", 1: "makes no sound"}
MOTOR = {6: "obeys commands", 5: "localises pain", 4: "withdraws from pain", 3: "shows abnormal flexion",
         2: "shows extension", 1: "does not move"}
RISKS = {"heart failure": 1, "hypertension": 1, "diabetes": 1, "stroke": 2, "vascular disease": 1}


def glasgow(rng: random.Random) -> Problem:
    """Three lookups and two sums."""
    eyes, verbal, motor = rng.choice(tuple(EYES)), rng.choice(tuple(VERBAL)), rng.choice(tuple(MOTOR))
    age, total = rng.randint(20, 90), eyes + verbal + motor
    told = f"{EYES[eyes]}, {VERBAL[verbal]} and {MOTOR[motor]}"
    question = rng.choice((
        f"A patient of {age} years {told}. What is the Glasgow coma scale?",
        f"Calculate the Glasgow coma scale: the patient, aged {age}, {told}.",
        f"After a fall, a person of {age} {told}. Which Glasgow coma scale is that?",
    ))
    steps = (f"eyes={eyes}", f"verbal={verbal}", f"motor={motor}", f"{eyes}+{verbal}={eyes + verbal}",
             f"{eyes + verbal}+{motor}={total}")
    return Problem("Glasgow coma scale", (eyes, verbal, motor), question, steps,
                   f"The Glasgow coma scale is {total}.", str(total), readings=(("age", str(age)),))


def age_points(age: int) -> int:
    """CHA2DS2-VASc points for age."""
    return 2 if age >= 75 else 1 if age >= 65 else 0


def cha2ds2_vasc(rng: random.Random) -> Problem:
    """Age, sex and listed diseases, each added to a running total."""
    age, sex = rng.randint(48, 90), rng.choice(("man", "woman"))
    listed = rng.sample(tuple(RISKS), rng.randint(1, 4))
    total = age_points(age)
    steps = [f"age {age}:{total}"]
    for name, points in ((sex, int(sex == "woman")), *((name, RISKS[name]) for name in listed)):
        steps.append(f"{name}:{total}+{points}={total + points}")
        total += points
    told = ", ".join(listed)
    question = rng.choice((
        f"A {sex} of {age} years with atrial fibrillation has {told}. What is the CHA2DS2-VASc score?",
        f"Calculate the CHA2DS2-VASc score of a {age} year old {sex} with {told}.",
        f"Atrial fibrillation in a {sex} aged {age}. History: {told}. Which CHA2DS2-VASc score results?",
    ))
    core = (age, sex, *sorted(listed))
    return Problem("CHA2DS2-VASc", core, question, tuple(steps), f"The CHA2DS2-VASc score is {total}.", str(total),
                   readings=(("age", str(age)),))


def qsofa(rng: random.Random) -> Problem:
    """Two thresholds and a finding."""
    rate, pressure, altered = rng.randint(12, 34), rng.randint(76, 140), rng.random() < 0.5
    fast, low = int(rate >= 22), int(pressure <= 100)
    total = fast + low + altered
    state = "confused" if altered else "alert"
    question = rng.choice((
        f"Respiratory rate {rate}, systolic pressure {pressure}, the patient is {state}. What is the qSOFA score?",
        f"A patient with an infection is {state}, with a systolic pressure of {pressure} and a respiratory rate of "
        f"{rate}. Calculate the qSOFA score.",
        f"Find the qSOFA score: {state} patient, respiratory rate {rate}, systolic pressure {pressure}.",
    ))
    steps = (f"{rate}>=22:1" if fast else f"{rate}<22:0",
             f"{pressure}<=100:{fast}+1={fast + 1}" if low else f"{pressure}>100:{fast}+0={fast}",
             f"{state}:{fast + low}+{int(altered)}={total}")
    readings = (("respiratory rate", str(rate)), ("systolic", str(pressure)), ("patient", state))
    return Problem("qSOFA", (rate, pressure, altered), question, steps, f"The qSOFA score is {total}.", str(total),
                   readings=readings)


FAMILIES: dict[str, Family] = {"Glasgow coma scale": glasgow, "CHA2DS2-VASc": cha2ds2_vasc, "qSOFA": qsofa}
