"""The fields of a rater's forms: scales, choices, questions. Each is a group of radio buttons with number keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.rating.criteria import criteria
from lab.rating.design import RoundSpec
from lab.rating.verdicts import Verdict
from lab.rating.wording import Choice, Question, wording
from lab.ui.components.markup import Html, join, tag
from lab.ui.rater.screens_frame import Frame

LETTERS = {"left": "A", "right": "B"}


@dataclass(frozen=True)
class Side:
    """One answer on the screen."""

    name: str  # left | right
    text: str
    alone: bool  # no other stands beside it

    @property
    def letter(self) -> str:
        return LETTERS[self.name]


def sides(left: str, right: str) -> tuple[Side, ...]:
    """The answers on the screen; `right` "" when there is one."""
    return (Side("left", left, False), Side("right", right, False)) if right else (Side("left", left, True),)


def shown(frame: Frame, text: str) -> Html:
    """A question or an answer as it was written. One function for both sides of every unit."""
    return frame.said("div", text.strip(), cls="text")


def scales(frame: Frame, side: Side, given: Verdict | None) -> list[Html]:
    """Fluency, where it is asked, and the round's further criteria for one answer."""
    design, words = frame.design, frame.words
    fields = []
    if design.asks_fluency:
        chosen = getattr(given, f"fluency_{side.name}") if given else None
        legend = words("unit.fluency_one") if side.alone else words("unit.fluency", letter=side.letter)
        label = words("field.fluency_one" if side.alone else f"field.fluency_{side.name}")
        fields.append(scale(frame, f"fluency_{side.name}", tag("legend", legend), label, (design.anchors, chosen)))
    for name in design.criteria:
        own = criteria()[name].words(design.language)
        scores = given.criteria.get(name, (None, None)) if given else (None, None)
        label = words("field.criterion_one" if side.alone else "field.criterion", title=own.title, letter=side.letter)
        legend = tag("legend", frame.said("span", tag("b", own.title), " ", tag("small", own.question)))
        ends = (own.low, "", "", "", own.high)
        fields.append(scale(frame, f"criteria.{name}.{side.name}", legend, label,
                            (ends, scores[side.name == "right"])))
    return fields


def scale(frame: Frame, name: str, legend: Html, label: str, values: tuple[Sequence[str], object]) -> Html:
    """Five radio buttons. `values`: what the scores mean in words (some may be empty), and the one that is chosen."""
    meanings, chosen = values
    options = (_option(name, value, value, chosen, f"{value}: {meaning}" if meaning else None, meaning)
               for value, meaning in enumerate(meanings, start=1))
    ends = tag("div", tag("span", f"1 · {_brief(meanings[0])}"), tag("span", f"5 · {_brief(meanings[-1])}"), cls="ends",
               aria_hidden="true")
    told = frame.said("div", ends, tag("p", cls="meaning", aria_hidden="true"), cls="meanings")
    return tag("fieldset", legend, frame.said("div", *options, cls="scale"), told, cls="field", data_field=name,
               data_label=label)


def preference(frame: Frame, chosen: object) -> Html:
    """Which of two reads better. On a phone the answers stand below each other, so they are named by letter there."""
    design, own = frame.design, wording(frame.design.language)
    options = [_sided(frame, "preference", value, own.preferences[value], chosen) for value in design.preferences]
    return tag("fieldset", frame.said("legend", design.preference_question),
               tag("div", *options, cls=f"choice of-{len(options)}"), cls="field prefer", data_field="preference",
               data_label=frame.words("field.preference"))


def guess_fields(frame: Frame, alone: bool) -> list[Html]:
    """Which text is whose, and how sure the rater is."""
    own, words = wording(frame.design.language), frame.words
    asked = own.guess_one if alone else own.guess
    build = _plain if alone else _sided
    options = [build(frame, "said", choice.value, choice.text, None) for choice in asked.choices]
    said = tag("fieldset", frame.said("legend", frame.design.guess_question),
               tag("div", *options, cls=f"choice of-{len(options)}"), cls="field", data_field="said",
               data_label=words("field.guess"))
    sure = [_plain(frame, "sureness", choice.value, choice.text, None) for choice in own.sureness.choices]
    sureness = tag("fieldset", frame.said("legend", own.sureness.text), tag("div", *sure, cls="choice of-3"),
                   cls="field", data_field="sureness", data_label=words("field.sureness"), data_unless="said=unsure")
    return [said, sureness]


def question(frame: Frame, asked: Question, given: Mapping[str, str]) -> Html:
    """A question about the rater or the session: radio buttons below each other, or a box to write in."""
    chosen = given.get(asked.name)
    if not asked.choices:
        mark = f"field-{asked.name}"
        name = frame.said("label", asked.text, " ", tag("small", frame.words("closing.optional"),
                          lang=frame.words.language), for_=mark, cls="asked")
        return tag("div", name, tag("textarea", chosen or "", id=mark, name=asked.name, rows=3, maxlength=2000),
                   cls="field written", data_written=asked.name)
    options = (_listed(asked.name, choice, chosen) for choice in asked.choices)
    return frame.said("fieldset", tag("legend", asked.text), tag("div", *options, cls="list"), cls="field",
                      data_field=asked.name, data_label=asked.text)


def anchor_list(frame: Frame, design: RoundSpec) -> Html:
    """The scale in words."""
    rows = (tag("li", tag("b", score), tag("span", words)) for score, words in enumerate(design.anchors, start=1))
    return frame.said("ol", *rows, cls="anchors")


def _brief(meaning: str) -> str:
    """What stands before the first colon: 'Effortless: natural throughout' is 'Effortless' at the end of a scale."""
    return meaning.partition(":")[0].strip()


def _option(name: str, value: object, text: object, chosen: object, spoken: str | None = None,
            meaning: str | None = None) -> Html:
    box = tag("input", type="radio", name=name, value=value, checked=str(value) == str(chosen), aria_label=spoken)
    return tag("label", box, tag("span", text), data_meaning=meaning or None)


def _sided(frame: Frame, name: str, value: str, text: str, chosen: object) -> Html:
    """An option that points at a side: by the round's words where they stand side by side, else by letter."""
    letter = LETTERS.get(value)
    if letter is None:
        return _plain(frame, name, value, text, chosen)
    words = join([tag("b", letter, cls="wide letter"), frame.said("span", text, cls="wide"),
                  tag("span", frame.words("unit.answer", letter=letter), cls="narrow")])
    return _option(name, value, words, chosen, f"{letter}: {text}")


def _plain(frame: Frame, name: str, value: str, text: str, chosen: object) -> Html:
    return _option(name, value, frame.said("span", text), chosen)


def _listed(name: str, choice: Choice, chosen: object) -> Html:
    box = tag("input", type="radio", name=name, value=choice.value, checked=choice.value == chosen)
    return tag("label", box, tag("span", choice.text))
