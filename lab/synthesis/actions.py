"""Actions: the steps of a line of reasoning (HuatuoGPT-o1, arXiv 2412.18925, section 2.2): think, conclude, check.

Read from a reply in the lab's form {"steps": [{"think": title, "text": …} | {"conclude": …} | {"check": …}]} or in the
paper's {"CoT": [{"action": "Inner Thinking" | "Final Conclusion" | "Verification", "title": …, "content": …}]}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from lab.core.types import Plain
from lab.synthesis.unread import Unread

Kind = Literal["think", "conclude", "check"]
END: tuple[Kind, ...] = ("think", "conclude", "check")
OF_PAPER: dict[str, Kind] = {"Inner Thinking": "think", "Final Conclusion": "conclude", "Verification": "check"}
MOST = 200  # actions of one reply; a model that loops writes more


class Action(Plain):
    """One step."""

    kind: Kind
    text: str
    title: str = ""  # of a think


def actions_of(found: dict[str, Any], continues: bool = False) -> tuple[Action, ...] | Unread:
    """The actions of an object. The last three are a think, a conclude and a check; a continuation begins with a
    check."""
    steps = found.get("steps", found.get("CoT"))
    if len(found) != 1 or not isinstance(steps, list):
        return _wrong(f"one field 'steps' with a list was asked for, not {', '.join(found) or 'an empty object'}")
    if not 0 < len(steps) <= MOST:
        return _wrong(f"{len(steps)} steps")
    actions = []
    for place, step in enumerate(steps, start=1):
        action = _action(step) if "steps" in found else _action_of_paper(step)
        if action is None:
            return _wrong(f"step {place} is no think, conclude or check with words")
        actions.append(action)
    if tuple(action.kind for action in actions[-3:]) != END:
        return _wrong("the last three steps are not a think, a conclude and a check")
    if continues and actions[0].kind != "check":
        return _wrong("the continuation does not begin with a check")
    return tuple(actions)


def as_json(actions: Sequence[Action]) -> str:
    """What a prompt shows of a reasoning, in the form in which the reply is asked for."""
    steps = [{"think": action.title, "text": action.text} if action.kind == "think" else {action.kind: action.text}
             for action in actions]
    return json.dumps({"steps": steps}, ensure_ascii=False)


def without_check(actions: Sequence[Action]) -> tuple[Action, ...]:
    """The reasoning that is continued: its trailing check says that the conclusion holds, which it does not."""
    return tuple(actions[:-1]) if actions and actions[-1].kind == "check" else tuple(actions)


def conclusion_of(actions: Sequence[Action]) -> str:
    """What is compared with the true answer: the last conclusion alone."""
    return next((action.text for action in reversed(actions) if action.kind == "conclude"), "")


def _action(step: Any) -> Action | None:
    if not isinstance(step, dict):
        return None
    if step.keys() == {"think", "text"}:
        return _made("think", step["text"], step["think"])
    kind = next(iter(step), "")
    return _made(kind, step[kind]) if len(step) == 1 and kind in ("conclude", "check") else None


def _action_of_paper(step: Any) -> Action | None:
    if not isinstance(step, dict) or not {"action", "content"} <= step.keys() <= {"action", "content", "title"}:
        return None
    kind = OF_PAPER.get(step["action"]) if isinstance(step["action"], str) else None
    return _made(kind, step["content"], step.get("title") or "") if kind else None


def _made(kind: Any, text: Any, title: Any = "") -> Action | None:
    if not isinstance(text, str) or not isinstance(title, str) or not text.strip():
        return None
    return Action(kind=kind, text=text.strip(), title=title.strip() if kind == "think" else "")


def _wrong(why: str) -> Unread:
    return Unread(reason="wrong shape", why=why)
