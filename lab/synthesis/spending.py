"""Spending: what a synthesis has asked for and paid, by role, and whether that is within its budget."""

from __future__ import annotations

from pydantic import Field

from lab.core.types import Plain
from lab.synthesis.machine import Reply
from lab.synthesis.specs import TeacherSettings

CHARS_PER_TOKEN = 4  # where an endpoint tells no usage: a rule of thumb, so that a budget holds at all
MILLION = 1_000_000


class RoleSpent(Plain):
    """Of the replies to one role. A request counts once it is answered; one that failed and was made again does not."""

    n_requests: int = 0  # replies that were paid for
    n_cached: int = 0  # replies that had been paid for before
    n_refused: int = 0  # requests that the endpoint would not answer
    n_without_usage: int = 0  # paid replies whose tokens were not told, but are estimated
    n_prompt_tokens: int = 0  # of paid replies
    n_completion_tokens: int = 0  # thinking included
    usd: float = 0.0  # 0 for models of this machine

    @property
    def n_tokens(self) -> int:
        return self.n_prompt_tokens + self.n_completion_tokens


class Spent(RoleSpent):
    """Of one drive, over all attempts of its job. `seconds`: while it ran."""

    seconds: float = 0.0
    by_role: dict[str, RoleSpent] = Field(default_factory=dict)

    def plus(self, other: Spent) -> Spent:
        """Both together."""
        roles = {role: _sum(self.by_role.get(role, RoleSpent()), other.by_role.get(role, RoleSpent()))
                 for role in [*self.by_role, *(role for role in other.by_role if role not in self.by_role)]}
        whole = _sum(RoleSpent.model_validate(self.model_dump(include=FIELDS)), other)
        return Spent(**whole.model_dump(), seconds=self.seconds + other.seconds, by_role=roles)


FIELDS = set(RoleSpent.model_fields)


class Counter:
    """Counts replies as they come; `spent` is what they came to so far."""

    def __init__(self, spec: TeacherSettings, before: Spent):
        self._spec = spec
        self._roles = {role: each.model_dump() for role, each in before.by_role.items()}
        self._seconds = before.seconds
        self.n_tokens = sum(each.n_tokens for each in before.by_role.values())
        self.usd = sum(each.usd for each in before.by_role.values())

    @property
    def n_requests(self) -> int:
        return sum(counts["n_requests"] for counts in self._roles.values())

    def add(self, role: str, reply: Reply, *, priced: bool, told: bool = True) -> None:
        """`priced`: somebody else's machine answered. `told`: it said how many tokens that were."""
        counts = self._roles.setdefault(role, RoleSpent().model_dump())
        if reply.cached or reply.finish == "refused":
            counts["n_cached" if reply.cached else "n_refused"] += 1
            return
        usd = price(self._spec, reply.n_prompt_tokens, reply.n_completion_tokens) if priced else 0.0
        counts["n_requests"] += 1
        counts["n_without_usage"] += not told
        counts["n_prompt_tokens"] += reply.n_prompt_tokens
        counts["n_completion_tokens"] += reply.n_completion_tokens
        counts["usd"] += usd
        self.n_tokens += reply.n_prompt_tokens + reply.n_completion_tokens
        self.usd += usd

    def spent(self, seconds: float) -> Spent:
        """`seconds`: how long this attempt has run."""
        roles = {role: RoleSpent(**counts) for role, counts in self._roles.items()}
        whole = {name: sum(getattr(each, name) for each in roles.values()) for name in RoleSpent.model_fields}
        return Spent(**whole, seconds=self._seconds + seconds, by_role=roles)


def price(spec: TeacherSettings, n_prompt: int, n_completion: int) -> float:
    """In USD."""
    return (n_prompt * spec.usd_per_million_prompt + n_completion * spec.usd_per_million_completion) / MILLION


def is_spent(spec: TeacherSettings, n_tokens: int, usd: float) -> bool:
    """Whether nothing more may be asked."""
    return bool((spec.budget_tokens and n_tokens >= spec.budget_tokens)
                or (spec.budget_usd and usd >= spec.budget_usd))


def estimated_tokens(text: str) -> int:
    """For an endpoint that does not count."""
    return -(-len(text) // CHARS_PER_TOKEN)


def note_of(spent: Spent) -> tuple[str, ...]:
    """What a reader of these numbers has to know; often nothing."""
    if not spent.n_without_usage:
        return ()
    return (f"{spent.n_without_usage} of {spent.n_requests} replies came without a count of tokens: theirs are "
            f"estimated, {CHARS_PER_TOKEN} characters a token.",)


def _sum(one: RoleSpent, other: RoleSpent) -> RoleSpent:
    return RoleSpent(**{name: getattr(one, name) + getattr(other, name) for name in FIELDS})
