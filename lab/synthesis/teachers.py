"""Teachers: the models a synthesis asks, by the roles they have in it; whoever they are, they are asked alike.

A model is the embedded teacher, a base or variant in this process' memory, or an endpoint elsewhere. None is loaded
before its first question, so a job whose replies are all in the cache loads nothing. A key is read from the environment
when a request is sent, and is in nothing that is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lab.bases.cards import bases
from lab.benchmarks.run_key import ENGINE_VERSION, model_style
from lab.core.context import Context
from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.engine.fingerprint import number_format, tokenizer_fingerprint, weights_fingerprint
from lab.engine.protocol import ChatRequest, Chunk, Trouble
from lab.engine.remote_faults import key_headers
from lab.engine.remote_models import RemoteModels
from lab.engine.warming import warm_engine
from lab.synthesis.cache import Paid, ReplyCache, cache_path, request_key
from lab.synthesis.machine import Ask
from lab.synthesis.specs import EMBEDDED, RULE, TeacherSettings
from lab.synthesis.spending import price

LAB = Path(__file__).parents[1]
EMBEDDED_FOLDERS = (LAB / "synthesis" / "embedded", LAB / "data" / "demo")  # its code, and what it knows
Tell = Callable[[Chunk], None]
Cancel = Callable[[], None]


class Answering(Protocol):
    """What is behind a model: every backend of the engine is like this."""

    def submit(self, request: ChatRequest, tell: Tell) -> Cancel: ...


@dataclass
class Model:
    """One model, under however many roles. `open` makes it ready, at its first question."""

    source: ModelSource
    open: Callable[[], Answering]
    identify: Callable[[], str]  # everything about it that decides a reply
    backend: Answering | None = None
    _identity: str = ""

    @property
    def is_remote(self) -> bool:
        return self.source.kind == "remote"

    def opened(self) -> Answering:
        if self.backend is None:
            self.backend = self.open()
        return self.backend

    def identity(self) -> str:
        if not self._identity:
            try:
                self._identity = self.identify()
            except LabError:  # a base that is yet to be fetched
                self.opened()
                self._identity = self.identify()
        return self._identity


@dataclass
class Roster:
    """The models of one job by role, and the cache of what they have said."""

    spec: TeacherSettings
    cache: ReplyCache
    job: str  # names the job in the cache, over all its attempts
    models: dict[str, Model] = field(default_factory=dict)
    closing: list[Callable[[], None]] = field(default_factory=list)
    tokens_before: int = 0  # of drives of this job that have ended: one budget is for all of them
    usd_before: float = 0.0

    @property
    def sources(self) -> dict[str, ModelSource]:
        return {role: model.source for role, model in self.models.items()}

    def names(self) -> dict[str, str]:
        """Role → what pages show."""
        return {role: source.label for role, source in self.sources.items()}

    def described(self) -> dict[str, dict[str, Any]]:
        """For a dataset's lineage: no word of where a key is."""
        return {role: source.model_dump(mode="json", exclude={"key_env"}) for role, source in self.sources.items()}

    def model(self, role: str) -> Model:
        if role not in self.models:
            raise UnknownName("role", role, self.models)
        return self.models[role]

    def payer(self, drive: str) -> str:
        """Under what name the cache keeps what a drive has paid for."""
        return f"{self.job}/{drive}"

    def paid(self, drive: str) -> dict[str, Paid]:
        """By role, in all attempts of the job."""
        return self.cache.paid(self.payer(drive))

    def price(self, role: str, paid: Paid) -> float:
        """In USD; what this machine computes costs none."""
        is_remote = role in self.models and self.models[role].is_remote
        return price(self.spec, paid.n_prompt_tokens, paid.n_completion_tokens) if is_remote else 0.0

    def key(self, ask: Ask) -> bytes:
        """Of the cache. A job that is to take nothing from others still has what it has paid for itself."""
        return request_key(self.model(ask.role).identity(), ask, "" if self.spec.use_cache else self.job)

    def submit(self, ask: Ask, tell: Tell) -> Cancel:
        """Ask; `tell` hears the end, or an error, from another thread. LabError: nothing can be asked of this model."""
        model = self.model(ask.role)
        backend = model.opened()
        request = ChatRequest(
            _label(model.source), ask.messages, ask.max_new_tokens, ask.temperature, ask.seed, ask.top_p, whole=True
        )

        def heard(chunk: Chunk) -> None:
            if chunk.kind in ("end", "error"):
                tell(chunk)

        try:
            return backend.submit(request, heard)
        except LabError as error:
            if model.is_remote or error.reason != "data":
                raise
            tell(Chunk("error", str(error), trouble=Trouble("refused")))  # a prompt that does not fit, as a 400 there
            return lambda: None


@contextmanager
def open_roster(roles: Mapping[str, str], spec: TeacherSettings, context: Context) -> Iterator[Roster]:
    """The models of `roles` (role → as the spec names it) while the block lasts. A role without a model is left out.

    LabError for a key that the environment lacks, before anything is asked.
    """
    cache = ReplyCache(cache_path())
    job = hashlib.sha256(str(context.checkpoints.folder.absolute()).encode()).hexdigest()[:16]
    roster = Roster(spec, cache, job)
    try:
        openers, made = _Openers(spec, roster.closing), dict[str, Model]()
        for role, ref in roles.items():
            if ref and ref != RULE:
                made[ref] = made.get(ref) or openers.model(ref, context)
                roster.models[role] = made[ref]
        yield roster
    finally:
        for close in reversed(roster.closing):
            close()
        cache.close()


class _Openers:
    """How each kind of model is made ready. Endpoints share one thread, the variants of a base its memory."""

    def __init__(self, spec: TeacherSettings, closing: list[Callable[[], None]]):
        self._spec, self._closing = spec, closing
        self._endpoints: RemoteModels | None = None
        self._engines: dict[str, Any] = {}

    def model(self, ref: str, context: Context) -> Model:
        if ref == EMBEDDED:
            source = ModelSource(ref=EMBEDDED, label=EMBEDDED, base=EMBEDDED)
            return Model(source, self._embedded, _embedded_identity)
        source = context.model(ref)
        if source.kind == "remote":
            key_headers(source)
            return Model(source, lambda: self._remote(source), lambda: _remote_identity(source))
        return Model(source, lambda: self._local(source, context), lambda: _local_identity(source))

    def _embedded(self) -> Answering:
        from lab.synthesis.embedded.backend import SolverBackend

        backend = SolverBackend()
        self._closing.append(backend.close)
        return backend

    def _remote(self, source: ModelSource) -> Answering:
        if self._endpoints is None:
            # Whoever drives has one back-off for all requests: a request of its own is made once.
            self._endpoints = RemoteModels(timeout_s=self._spec.timeout_s, pauses_s=())
            self._closing.append(self._endpoints.close)
        self._endpoints.load(source.model_copy(update={"label": _label(source)}))
        return self._endpoints

    def _local(self, source: ModelSource, context: Context) -> Answering:
        context.log(f"loading {source.label}")
        engine = warm_engine(source, self._engines.get(source.base))
        engine.max_new_tokens = max(engine.max_new_tokens, self._spec.max_new_tokens)
        if not self._engines:
            self._closing.append(self._engines.clear)
        self._engines[source.base] = engine
        return engine


def _label(source: ModelSource) -> str:
    """Two endpoints may be shown alike; what a spec calls them is unique."""
    return source.ref if source.kind == "remote" else source.label


def _embedded_identity() -> str:
    """By its code: a solver that was changed says something else."""
    from lab.synthesis.embedded.settings import Settings

    code = hashlib.sha256()
    for folder in EMBEDDED_FOLDERS:
        for path in sorted(folder.glob("*.py")):
            code.update(path.read_bytes())
    return json.dumps(["embedded", repr(Settings()), code.hexdigest()])


def _remote_identity(source: ModelSource) -> str:
    """Its address and name. The style decides where a thought ends and the reply begins."""
    return json.dumps(["remote", source.url.rstrip("/"), source.remote_model, model_style(source)])


def _local_identity(source: ModelSource) -> str:
    """By content, as benchmarks name a model: the same weights in another folder have said the same."""
    card = bases()[source.base]
    weights, tokenizer = weights_fingerprint(card, source), tokenizer_fingerprint(card)
    parts = ["local", ENGINE_VERSION, weights, tokenizer, source.template_sha, model_style(source)]
    return json.dumps([*parts, *number_format()])

