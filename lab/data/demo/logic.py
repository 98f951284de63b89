"""Logic word problems: putting people in order, and following turns. Original text; no external source."""

from __future__ import annotations

import random

from lab.data.demo.arithmetic import NAMES
from lab.data.demo.problem import Family, Problem

# comparative up, comparative down, superlative up, superlative down
SCALES = (("taller", "shorter", "tallest", "shortest"), ("older", "younger", "oldest", "youngest"),
          ("faster", "slower", "fastest", "slowest"))
DIRECTIONS = ("north", "east", "south", "west")
TURNS = {"right": 1, "left": -1, "around": 2}


def relation(greater: str, lesser: str, scale: tuple[str, ...], flip: bool) -> str:
    """'Ann is taller than Ben', or the same fact told from the other side."""
    return f"{lesser} is {scale[1]} than {greater}" if flip else f"{greater} is {scale[0]} than {lesser}"


def ordering(rng: random.Random) -> Problem:
    """Three or four people, their neighbours compared in shuffled order; asked for one place."""
    people = rng.sample(NAMES, rng.choice((3, 4)))
    scale = rng.choice(SCALES)
    pairs = list(zip(range(len(people) - 1), range(1, len(people)), strict=True))
    rng.shuffle(pairs)
    flips = [rng.random() < 0.5 for _ in pairs]
    told = ". ".join(relation(people[i], people[j], scale, flip) for (i, j), flip in zip(pairs, flips, strict=True))
    place = rng.randrange(len(people))
    named = {0: f"the {scale[2]}", len(people) - 1: f"the {scale[3]}", 1: f"the second {scale[2]}"}
    if place not in named:
        return ordering(rng)
    question = rng.choice((f"{told}. Who is {named[place]}?", f"Read this: {told}. Which person is {named[place]}?"))
    steps = (*(f"{people[i]}>{people[j]}" for i, j in pairs), ">".join(people))
    who = people[place]
    core = (scale[0], tuple(pairs), tuple(flips), place, tuple(people))
    return Problem("ordering", core, question, steps, f"{who} is {named[place]}.", who, verifier="exact")


def turns(rng: random.Random) -> Problem:
    """A walker's direction after a few turns, answered by letter."""
    facing = start = rng.randrange(4)
    who, moves, steps = rng.choice(NAMES), [], []
    for _ in range(rng.randint(2, 5)):
        move = rng.choice(tuple(TURNS))
        after = (facing + TURNS[move]) % 4
        steps.append(f"{DIRECTIONS[facing]} {move}={DIRECTIONS[after]}")
        moves.append(move)
        facing = after
    told = ", ".join(f"turns {move}" for move in moves)
    question = rng.choice((
        f"{who} faces {DIRECTIONS[start]}, {told}. Which way does {who} face now?",
        f"{who} looks {DIRECTIONS[start]}. Then {who} {told}. In which direction does {who} look at the end?",
    ))
    letter = "ABCD"[facing]
    sentence = f"{who} faces {DIRECTIONS[facing]}."
    core = (DIRECTIONS[start], *moves)
    options = tuple(zip("ABCD", DIRECTIONS, strict=True))
    return Problem("turns", core, question, tuple(steps), sentence, letter, verifier="choice", options=options)


FAMILIES: dict[str, Family] = {"ordering": ordering, "turns": turns}
