"""Raters without a browser, over real HTTP: whole sessions with double submits, reloads, second tabs, undos and skips.

One `Crowd` is all raters of a round at one address. It keeps what was acknowledged and how long each submit took; what
the store holds afterwards is compared with it by `account`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from sqlmodel import select

from lab.rating.wording import wording
from storage.database import Store
from storage.queries.ratings import progress
from storage.tables import Assignment, Rater, Rating, Unit

KEY = re.compile(r'data-key="([^"]+)"')
GIVE_UP_S = 180


@dataclass(frozen=True)
class Manners:
    """How raters behave: mean seconds of thought, and how often they do what nobody should."""

    think_s: float = 0.3
    twice: float = 0.3  # the same submit sent twice at the same time
    reload: float = 0.1
    other_tab: float = 0.1  # the same unit submitted from a second tab, with another verdict
    undo: float = 0.05
    skip: float = 0.03


@dataclass
class Crowd:
    """Raters at one address."""

    url: str
    expected: dict[str, dict[str, Any]]  # question of a practice unit → what is right
    manners: Manners = field(default_factory=Manners)
    submit_s: list[float] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)  # keys whose submit was answered
    lost_calls: int = 0  # calls that the server did not answer, sent again
    odd: list[str] = field(default_factory=list)  # screens that nobody should see
    component: int | None = None

    async def run(self, tokens: list[str], connections: int = 50) -> None:
        """Every rater's whole session, all at once."""
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        async with httpx.AsyncClient(base_url=self.url, limits=limits, timeout=30) as client:
            config = (await client.get("/rate/config")).json()
            (self.component,) = [c["id"] for c in config["components"] if c["type"] == "html"]
            await asyncio.gather(*(self._session(client, token, Random(token)) for token in tokens))

    async def _session(self, client: httpx.AsyncClient, token: str, random: Random) -> None:
        await asyncio.sleep(random.random() * 4 * self.manners.think_s)
        reply = await self._call(client, token, "open")
        while (screen := reply["screen"]) not in ("end", "closed"):
            if screen in ("fault", "unknown", "wait", "blocked"):
                self.odd.append(screen)
                return
            reply = await getattr(self, f"_on_{screen}", self._on_other)(client, token, reply, random)

    async def _on_consent(self, client: httpx.AsyncClient, token: str, _reply: Any, _random: Random) -> Any:
        return await self._call(client, token, "agree")

    async def _on_about(self, client: httpx.AsyncClient, token: str, _reply: Any, _random: Random) -> Any:
        answers = {question.name: question.choices[0].value for question in wording("en").background}
        return await self._call(client, token, "about", answers=answers)

    async def _on_instructions(self, client: httpx.AsyncClient, token: str, _reply: Any, _random: Random) -> Any:
        return await self._call(client, token, "start")

    async def _on_practice(self, client: httpx.AsyncClient, token: str, reply: Any, _random: Random) -> Any:
        right = next(e for question, e in self.expected.items() if question[:30] in reply["html"])
        side = {"a": "left", "b": "right", "tie": "tie"}[right["preference"]]
        return await self._call(client, token, "practice", key=_key(reply), fluency_left=right["fluency_a"],
                                fluency_right=right["fluency_b"], preference=side)

    async def _on_rest(self, client: httpx.AsyncClient, token: str, _reply: Any, _random: Random) -> Any:
        return await self._call(client, token, "resume")

    async def _on_guess(self, client: httpx.AsyncClient, token: str, reply: Any, random: Random) -> Any:
        said = random.choice(("left", "right", "unsure"))
        return await self._call(client, token, "guess", key=_key(reply), said=said, sureness=2)

    async def _on_closing(self, client: httpx.AsyncClient, token: str, _reply: Any, _random: Random) -> Any:
        answers = {question.name: question.choices[0].value for question in wording("en").closing if question.choices}
        return await self._call(client, token, "close", answers=answers)

    async def _on_other(self, client: httpx.AsyncClient, token: str, _reply: Any, _random: Random) -> Any:
        return await self._call(client, token, "open")  # after feedback, or a message in between

    async def _on_unit(self, client: httpx.AsyncClient, token: str, reply: Any, random: Random) -> Any:
        manners, key = self.manners, _key(reply)
        await asyncio.sleep(random.expovariate(1 / manners.think_s) if manners.think_s else 0)
        if random.random() < manners.reload:
            again = await self._call(client, token, "open")
            if _key(again) != key:  # only a second tab of the same rater could have moved on, and there is none
                self.odd.append("another unit after a reload")
            reply = again
        if random.random() < manners.skip:
            return await self._call(client, token, "skip", key=key, reason="technical")
        sent = [self._submit(client, token, key, _verdict(random))]
        if random.random() < manners.twice:
            sent.append(self._submit(client, token, key, _verdict(random)))
        if random.random() < manners.other_tab:
            sent.append(self._call(client, token, "open"))
            sent.append(self._submit(client, token, key, _verdict(random)))
        await asyncio.gather(*sent)
        if random.random() < manners.undo:
            await self._call(client, token, "undo")
        return await self._call(client, token, "open")

    async def _submit(self, client: httpx.AsyncClient, token: str, key: str, verdict: dict[str, Any]) -> Any:
        start = time.perf_counter()
        before = self.lost_calls
        reply = await self._call(client, token, "submit", key=key, **verdict)
        if self.lost_calls == before:
            self.submit_s.append(time.perf_counter() - start)
        self.acknowledged.add(key)
        return reply

    async def _call(self, client: httpx.AsyncClient, token: str, action: str, **more: Any) -> Any:
        """As the page sends it; a call without an answer is sent again, as the page's button does."""
        body = {"component_id": self.component, "fn_name": "step", "session_hash": token[-8:],
                "data": {"token": token, "action": action, **more}}
        deadline = time.monotonic() + GIVE_UP_S
        while True:
            try:
                answered = await client.post("/rate/gradio_api/component_server/", json=body)
                if answered.status_code == 200:
                    return answered.json()
                self.odd.append(f"HTTP {answered.status_code}")
            except httpx.TransportError:
                self.lost_calls += 1
            if time.monotonic() > deadline:
                raise TimeoutError("the lab did not come back")
            await asyncio.sleep(0.3)


def practice_of(store: Store, round_id: int) -> dict[str, dict[str, Any]]:
    """Question → what is right, of a round's practice."""
    with store.read() as session:
        units = session.exec(select(Unit).where(Unit.round_id == round_id, Unit.role == "practice")).all()
    return {unit.question: unit.expected for unit in units}


def account(store: Store, round_id: int, crowd: Crowd) -> dict[str, Any]:
    """What the store holds against what was acknowledged. `wrong` is empty when nothing is lost or doubled."""
    with store.read() as session:
        counts = progress(session, round_id)
        given = session.exec(select(Assignment).join(Rater).where(Rater.round_id == round_id)).all()
        ratings = session.exec(select(Rating, Assignment).join(Assignment).join(Rater).where(
            Rater.round_id == round_id)).all()
    keys = Counter(rating.submit_key for rating, _ in ratings)
    main = [a for a in given if a.role == "main" and a.state == "done" and not a.surplus]
    per_unit = Counter(a.unit_id for a in main)
    versions = Counter(rating.assignment_id for rating, _ in ratings)
    faults = {
        "odd screens": Counter(crowd.odd),
        "acknowledged and not stored": len(crowd.acknowledged - set(keys)),
        "stored twice": sum(count > 1 for count in keys.values()),
        "versions beyond one correction": sum(count > 2 for count in versions.values()),
        "done without a rating": sum(a.id not in versions for a in given if a.state == "done"),
        "units not at their quota": sum(per_unit[unit] != counts.design.quota for unit in per_unit) +
        counts.n_units - len(per_unit),
        "the same unit twice to a rater": sum(n > 1 for n in Counter((a.rater_id, a.unit_id) for a in main).values()),
    }
    times = sorted(crowd.submit_s)
    return {
        "ratings": len(ratings), "main": len(main), "needed": counts.n_needed, "surplus": counts.n_surplus,
        "skipped": counts.n_skipped, "submits": len(times), "calls sent again": crowd.lost_calls,
        "submit_ms": {f"p{p}": round(1000 * times[min(len(times) - 1, len(times) * p // 100)]) for p in (50, 95, 99)}
        if times else {},
        "wrong": {name: found for name, found in faults.items() if found},
    }


def _key(reply: Any) -> str:
    found = KEY.search(reply["html"])
    return found[1] if found else ""


def _verdict(random: Random) -> dict[str, Any]:
    return {"fluency_left": random.randint(1, 5), "fluency_right": random.randint(1, 5),
            "preference": random.choice(("left", "tie", "right")), "comment": "", "visible_ms": 8000,
            "total_ms": 9000, "n_changes": 0, "trail": [{"kind": "change", "ms": 500}]}
