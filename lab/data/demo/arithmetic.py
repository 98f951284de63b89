"""Multi-step arithmetic word problems on small whole numbers. Original text; no external source."""

from __future__ import annotations

import random

from lab.data.demo.problem import Family, Problem

NAMES = ("Ann", "Ben", "Cal", "Dan", "Eva", "Fay", "Gus", "Ida", "Leo", "Mia", "Noa", "Tom")
GOODS = ("apples", "pens", "cups", "books", "cards", "lamps", "plates", "toys")


def shop(rng: random.Random) -> Problem:
    """Two purchases and the change: two products, a sum, a difference."""
    a, p, b, q = (rng.randint(2, 9) for _ in range(4))
    total = a * p + b * q
    note = rng.choice([n for n in (50, 100, 150, 200) if n > total])
    who, (x, y) = rng.choice(NAMES), rng.sample(GOODS, 2)
    question = rng.choice((
        f"{who} buys {a} {x} at {p} euros each and {b} {y} at {q} euros each, and pays with {note} euros. "
        "How much change is due?",
        f"In a shop {who} takes {a} {x} for {p} euros each and {b} {y} for {q} euros each. "
        f"{who} gives {note} euros. What is the change?",
        f"{who} has {note} euros and buys {a} {x} at {p} euros each, then {b} {y} at {q} euros each. "
        "How many euros are left?",
    ))
    steps = (f"{a}*{p}={a * p}", f"{b}*{q}={b * q}", f"{a * p}+{b * q}={total}", f"{note}-{total}={note - total}")
    readings = ((x, str(a)), (f"price of {x}", str(p)), (y, str(b)), (f"price of {y}", str(q)), ("paid", str(note)))
    sentence = f"{who} has {note - total} euros left."
    return Problem("shop", (a, p, b, q, note), question, steps, sentence, str(note - total), "euros", readings=readings)


def stock(rng: random.Random) -> Problem:
    """A count that changes three times."""
    place, thing = rng.choice((("library", "books"), ("shop", "lamps"), ("farm", "hens"), ("school", "chairs")))
    count = start = rng.randint(40, 200)
    steps, changes, readings = [], [], [("at first", str(start))]
    for day in ("Monday", "Tuesday", "Friday"):
        amount, sign = rng.randint(5, 39), rng.choice("+-")
        after = count + amount if sign == "+" else count - amount
        if after < 0:
            return stock(rng)
        steps.append(f"{count}{sign}{amount}={after}")
        verb = rng.choice(("arrive", "are added") if sign == "+" else ("leave", "are removed"))
        changes.append(f"on {day} {amount} {verb}")
        readings.append((day, f"{sign}{amount}"))
        count = after
    told = ", ".join(changes)
    question = rng.choice((
        f"A {place} has {start} {thing}. In one week, {told}. How many {thing} are there now?",
        f"There are {start} {thing} in a {place}; {told}. How many {thing} does it have at the end?",
    ))
    sentence = f"The {place} has {count} {thing}."
    return Problem("stock", tuple(steps), question, tuple(steps), sentence, str(count), thing, readings=tuple(readings))


def share(rng: random.Random) -> Problem:
    """Boxes of things, some lost, the rest shared evenly."""
    friends, each = rng.randint(2, 9), rng.randint(2, 12)
    boxes = rng.randint(3, 9)
    inside = rng.randint(4, 12)
    total, kept = boxes * inside, friends * each
    if not 0 < total - kept < 30:
        return share(rng)
    who, thing, lost = rng.choice(NAMES), rng.choice(GOODS), total - kept
    question = rng.choice((
        f"{who} has {boxes} boxes with {inside} {thing} each, loses {lost} {thing} and shares the rest equally "
        f"among {friends} friends. How many {thing} does each friend get?",
        f"{boxes} boxes hold {inside} {thing} each. {who} removes {lost} and gives the same number to each of "
        f"{friends} friends. How many {thing} per friend?",
    ))
    steps = (f"{boxes}*{inside}={total}", f"{total}-{lost}={kept}", f"{kept}/{friends}={each}")
    readings = (("boxes", str(boxes)), ("in each box", str(inside)), ("lost", str(lost)), ("friends", str(friends)))
    core = (boxes, inside, lost, friends)
    sentence = f"Each friend gets {each} {thing}."
    return Problem("share", core, question, steps, sentence, str(each), thing, readings=readings)


def ages(rng: random.Random) -> Problem:
    """Three ages tied by a factor and a difference."""
    young, factor, gap = rng.randint(4, 20), rng.randint(2, 4), rng.randint(2, 9)
    older = rng.random() < 0.5
    middle = young * factor
    last = middle + gap if older else middle - gap
    x, y, z = rng.sample(NAMES, 3)
    word = "older" if older else "younger"
    told = [
        f"{z} is {young} years old.", f"{y} is {factor} times as old as {z}.", f"{x} is {gap} years {word} than {y}."
    ]
    if rng.random() < 0.5:
        told.reverse()
    question = " ".join((*told, f"How old is {x}?"))
    sign = "+" if older else "-"
    steps = (f"{young}*{factor}={middle}", f"{middle}{sign}{gap}={last}")
    readings = ((f"age of {z}", str(young)), ("times", str(factor)), (word, str(gap)))
    core = (young, factor, sign, gap)
    return Problem("ages", core, question, steps, f"{x} is {last} years old.", str(last), "years", readings=readings)


def travel(rng: random.Random) -> Problem:
    """Two legs at two speeds."""
    fast, slow = rng.randint(20, 80), rng.randint(20, 80)
    a, b = rng.randint(2, 5), rng.randint(2, 5)
    total = fast * a + slow * b
    if total > 390:
        return travel(rng)
    who, (first, second) = rng.choice(NAMES), rng.sample(("train", "bus", "car", "bike"), 2)
    question = rng.choice((
        f"{who} goes by {first} for {a} hours at {fast} km per hour, then by {second} for {b} hours at {slow} km per "
        f"hour. How many km is that in all?",
        f"A {first} takes {who} {fast} km each hour for {a} hours; a {second} then takes {slow} km each hour for {b} "
        "hours. What is the total distance?",
    ))
    steps = (f"{fast}*{a}={fast * a}", f"{slow}*{b}={slow * b}", f"{fast * a}+{slow * b}={total}")
    readings = ((f"speed of the {first}", str(fast)), (f"hours by {first}", str(a)),
                (f"speed of the {second}", str(slow)), (f"hours by {second}", str(b)))
    core = (fast, a, slow, b)
    return Problem("travel", core, question, steps, f"{who} travels {total} km.", str(total), "km", readings=readings)


FAMILIES: dict[str, Family] = {"shop": shop, "stock": stock, "share": share, "ages": ages, "travel": travel}
