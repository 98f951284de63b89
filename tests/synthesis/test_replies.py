"""The traps: every reply that is not as asked for ends as one counted reason, and none is guessed at."""

from __future__ import annotations

import json
import random
from typing import get_args

import pytest

from lab.synthesis.actions import Action
from lab.synthesis.machine import Reply
from lab.synthesis.replies import read_actions, read_object, read_text, read_true_false, read_verdict
from lab.synthesis.unread import Reason, Unread

STEPS = [{"think": "gap", "text": "138-102=36"}, {"conclude": "Answer: 12"}, {"check": "It holds."}]
WHOLE = json.dumps({"steps": STEPS})

VERDICTS = [
    ("PASS", "pass"), ("pass", "pass"), ("Pass.", "pass"), ("**PASS**", "pass"), ("`TOO_SIMPLE`", "too simple"),
    ("Too Simple", "too simple"), ("too  simple\n", "too simple"), ("\"AMBIGUOUS\"", "ambiguous"),
    ("Ambiguous Answer", "ambiguous"), ("Not Reformulatable", "not reformulatable"), ("```\nPASS\n```", "pass"),
    ("NOT_REFORMULATABLE.", "not reformulatable"), ("**Pass**.", "pass"), ("ＰＡＳＳ", "pass"), ("\ufeffPASS", "pass"),
    # unread
    ("", "empty"), ("  \n", "empty"), ("**", "empty"), ("The verdict is PASS", "words around it"),
    ("PASS because it needs three steps", "words around it"), ("This does not pass", "words around it"),
    ("PASS or TOO_SIMPLE", "several"), ("РАSS", "look-alike letters"), ("PA\u200bSS", "look-alike letters"),
    ("Passable", "other words"), ("yes", "other words"), ("I'm sorry, but I can't help with that.", "refusal"),
    ("As an AI language model, I cannot provide medical advice.", "refusal"),
    ('{"verdict": "PASS"}', "words around it"), ("AMBIGUOUS PASS", "several"), ("pаss.", "look-alike letters"),
]

TRUTHS = [
    ("True", True), ("true", True), ("FALSE", False), ("False.", False), ("**True**", True), (" True \n", True),
    ("'True'", True), ("Ｔｒｕｅ", True), ("> False", False), ("```\nTrue\n```", True),
    # unread
    ("That is not true", "words around it"), ("True, both say 12.", "words around it"),
    ("Answer: True", "words around it"),
    ("It is True that the reference differs, so False", "several"), ("True or False", "several"),
    ("Тrue", "look-alike letters"), ("Trυe", "look-alike letters"), ("False\u200b", "look-alike letters"),
    ("untrue", "other words"), ("Truelove", "other words"), ("1", "other words"), ("yes", "other words"), ("", "empty"),
    ("True\nTrue", "words around it"), ("I can't help with that.", "refusal"),
    ("Sorry, I am unable to assist. Please consult a doctor.", "refusal"),
    ('{"answer": true}', "words around it"), ("truе", "look-alike letters"),
]

OBJECTS = [
    ('{"a": "x"}', {"a": "x"}), ('  {"a": "x"}\n', {"a": "x"}), ('```json\n{"a": "x"}\n```', {"a": "x"}),
    ('```\n{"a": "x"}\n```', {"a": "x"}), ('```JSON\n\n{"a": "x"}\n\n```\n', {"a": "x"}),
    ('```{"a": "x"}```', {"a": "x"}),
    ('{"a": "one\ntwo"}', {"a": "one\ntwo"}), ('{"a": "one\ttwo"}', {"a": "one\ttwo"}),
    ('\ufeff{"a": "x"}', {"a": "x"}),
    ('{"ａ": "x"}', {"a": "x"}), ('{"a": "brace } and ``` inside"}', {"a": "brace } and ``` inside"}),
    ('{"a": "Ω и T"}', {"a": "Ω и T"}), ('```json\n{"a": "```\\n```"}\n```', {"a": "```\n```"}),
    # unread
    ("", "empty"), ("\ufeff ", "empty"), ("plain words", "no JSON"), ("```\nwords\n```", "no JSON"),
    ("I'm sorry, I can't do that.", "refusal"), ('Here it is: {"a": "x"}', "words around it"),
    ('{"a": "x"} I hope this helps', "words around it"), ('```json\n{"a": "x"}\n```\nDone.', "words around it"),
    ('{"a": "x"}\n{"a": "y"}', "several"), ('```\n{"a": "x"}\n```\n```\n{"a": "y"}\n```', "several"),
    ('{"a": "x", "a": "y"}', "field twice"), ('{"a": "x", "ａ": "y"}', "field twice"),
    ('{"а": "x"}', "look-alike letters"),
    ('{"a": NaN}', "no number"), ('{"a": -Infinity}', "no number"), ('{"a": 1e999}', "no number"),
    ('{"a": ' + "[" * 30 + "]" * 30 + "}", "too deep"), ('{"a": ' + "[" * 100_000, "too deep"),
    ('{"a": ' + '{"a": ' * 5000 + "1" + "}" * 5001, "too deep"),
    ('{"a": "he said "x" to me"}', "not JSON"), ("{'a': 'x'}", "not JSON"), ('{"a": "x",}', "not JSON"),
    ('{"a": "x" // no\n}', "not JSON"), ('{“a”: “x”}', "not JSON"), ("{a: 1}", "not JSON"),
    ('{"a": ' + "9" * 5000 + "}", "not JSON"), ('{"a": "\\ud800"}', "not JSON"), ('{"a": "\\u0000"}', "not JSON"),
    ('{"a": "\x01"}', "not JSON"), ("[1, 2]", "wrong shape"), ("```json\n[1]\n```", "wrong shape"),
    ('{"b": "x"}', "wrong shape"), ('{"a": "x", "b": 1}', "wrong shape"), ("{}", "wrong shape"),
    ("{", "cut"), ('{"a"', "cut"), ('{"a":', "cut"), ('{"a": "hello', "cut"), ('{"a": "hello"', "cut"),
    ('{"a": "x",', "cut"),
    ('{"a": tru', "cut"), ('{"a": [1, 2', "cut"), ('{"a": "x\\', "cut"), ('{"a": "\\u12', "cut"), ('{"a": -', "cut"),
    ('```json\n{"a": "x"', "cut"), ('```json\n{"a": "x"}', "cut"), ("```json", "cut"),
]


def said(found: object) -> object:
    return found.reason if isinstance(found, Unread) else found


@pytest.mark.parametrize(("text", "wanted"), VERDICTS)
def test_a_verdict_is_one_of_four_words_and_nothing_beside_it(text, wanted):
    assert said(read_verdict(Reply(text=text))) == wanted


@pytest.mark.parametrize(("text", "wanted"), TRUTHS)
def test_true_and_false_stand_alone_or_say_nothing(text, wanted):
    assert said(read_true_false(Reply(text=text))) == wanted


@pytest.mark.parametrize(("text", "wanted"), OBJECTS, ids=range(len(OBJECTS)))
def test_one_object_is_read_and_everything_else_has_a_reason(text, wanted):
    assert said(read_object(Reply(text=text), ("a",))) == wanted


@pytest.mark.parametrize("text", [WHOLE, "True", "PASS", "Twelve."])
def test_a_reply_cut_at_the_limit_says_nothing_even_where_it_reads_well(text):
    reply = Reply(text=text, finish="length")
    assert {said(read(reply)) for read in (read_verdict, read_true_false, read_text, read_actions)} == {"cut"}


def test_a_reply_that_was_all_thinking_is_cut_and_says_so():
    found = read_text(Reply(text="", think="long", finish="length"))
    assert isinstance(found, Unread) and found.reason == "cut" and "thinking" in found.why


def test_what_an_endpoint_refuses_is_told_apart_from_what_a_model_declines():
    assert said(read_actions(Reply(text="context too long", finish="refused"))) == "refused"
    assert said(read_actions(Reply(text="I cannot answer this: it is none of the lab's demo problems."))) == "refusal"


REFUSALS = ["I'm sorry, I can't assist with that request.", "I’m sorry, but I can’t help with that.",
            "As an AI, I don't provide medical advice. Please consult a professional.",
            "I cannot answer this: it is none of the lab's demo problems, and I solve nothing else.",
            "I must decline to answer.", "Sorry, but I'm not able to provide a diagnosis. Is there anything else?"]
ANSWERS = ["I'm sorry you are in pain. It is most likely gout: rest the joint.", "Sorry for the delay. The gap is 12.",
           "I cannot rule out sepsis, but the most likely diagnosis is pneumonia.",
           "As an AI language model I cannot examine you, but the anion gap is 12 mmol/L.",
           "The patient cannot give consent, so the next step is to ask the family.", "Answer: 12"]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_no_text(text):
    assert said(read_text(Reply(text=text))) == "refusal"


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_that_excuses_itself_is_an_answer(text):
    assert read_text(Reply(text=f" {text}\n")) == text


def test_steps_are_read_in_the_labs_form_and_in_the_papers():
    of_paper = {"CoT": [
        {"action": "Inner Thinking", "title": "gap", "content": "138-102=36"},
        {"action": "Final Conclusion", "content": "Answer: 12"}, {"action": "Verification", "content": "It holds."}]}
    wanted = (Action(kind="think", title="gap", text="138-102=36"), Action(kind="conclude", text="Answer: 12"),
              Action(kind="check", text="It holds."))
    assert read_actions(Reply(text=WHOLE)) == wanted == read_actions(Reply(text=json.dumps(of_paper)))


WRONG_STEPS = [
    [], "words", {"think": "x"}, [1], STEPS[:2], STEPS[1:], [*STEPS, STEPS[1]], [STEPS[0], STEPS[2], STEPS[1]],
    [{"think": "gap", "text": ""}, *STEPS[1:]], [{"think": "gap"}, *STEPS[1:]], [STEPS[0], {"conclude": 12}, STEPS[2]],
    [STEPS[0], {"conclude": "x", "check": "y"}, STEPS[2]], [STEPS[0], {"Conclude": "x"}, STEPS[2]],
    [STEPS[0]] * 300 + STEPS[1:], [STEPS[0], {"conclude": None}, STEPS[2]], [{"think": 1, "text": "x"}, *STEPS[1:]],
    [{"action": "Inner Thinking", "content": "x"}, *STEPS[1:]],
]


@pytest.mark.parametrize("steps", WRONG_STEPS, ids=range(len(WRONG_STEPS)))
def test_other_steps_have_the_wrong_shape(steps):
    assert said(read_actions(Reply(text=json.dumps({"steps": steps})))) == "wrong shape"


@pytest.mark.parametrize("found", [{"CoT": [{"action": "Thinking", "content": "x"}]}, {"CoT": [{"action": ["x"]}]},
                                   {"steps": STEPS, "note": "x"}, {"CoT": STEPS}, {"Steps": STEPS}])
def test_so_have_other_fields(found):
    assert said(read_actions(Reply(text=json.dumps(found)))) == "wrong shape"


def test_a_continuation_begins_with_a_check():
    assert said(read_actions(Reply(text=WHOLE), continues=True)) == "wrong shape"
    going_on = json.dumps({"steps": [{"check": "It fails: 36-24."}, *STEPS]})
    assert [action.kind for action in read_actions(Reply(text=going_on), continues=True)][0] == "check"


def test_every_reason_is_met_by_some_trap():
    met = {wanted for _, wanted in [*VERDICTS, *OBJECTS] if isinstance(wanted, str)} | {"refused"}
    assert met | {wanted for _, wanted in TRUTHS if isinstance(wanted, str)} >= set(get_args(Reason))


def test_whatever_a_reply_holds_a_reader_ends_with_a_value_or_a_reason():
    rng = random.Random(8)
    pieces = ['"', "{", "}", "[", "]", "\\", ",", ":", "\n", "```", "NaN", "1e999", "\x00", "\u200b", "А", "true",
              "PASS", ""]
    seen = set()
    for _ in range(1500):
        text = rng.choice([WHOLE, "True", "PASS", f"```json\n{WHOLE}\n```", "I'm sorry, I can't help with that."])
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(pieces) + text[at + rng.choice((0, 1, 40)):]
        for read in (read_verdict, read_true_false, read_text, read_actions):
            found = read(Reply(text=text))
            assert isinstance(found, str | bool | tuple | Unread)
            seen.add(found.reason if isinstance(found, Unread) else "read")
    assert {"read", "cut", "not JSON", "words around it", "wrong shape"} <= seen
