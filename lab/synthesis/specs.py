"""What can be asked of synthesis. No torch, no network: forms and the command line read these."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from lab.bases.resolving import check_base_name
from lab.core.errors import Fault, LabError
from lab.core.spec import Spec
from lab.data.noted import resolve_any
from lab.data.resolving import check_dataset_name
from lab.data.texts import check_texts_name
from lab.synthesis.prompts import check_prompts

EMBEDDED = "demo-teacher"  # lab.synthesis.embedded: solves the demo problems and makes mistakes
RULE = "rule"  # as a verifier: no model, but the row's own verifier (lab.verify)
ELSEWHERE = ("variant:", "job:", "remote:")


class TeacherSettings(Spec):
    """What every synthesis asks with, and how far it may go."""

    name: str = Field("", max_length=60, description="Name of what is made; empty: from the source and the teacher.")
    teacher: str = Field(
        EMBEDDED, min_length=1,
        description="Who writes: demo-teacher (embedded, for the demo data only), a base's name, 'variant:<name>', "
        "'job:<uid>', or 'remote:<name>' of an OpenAI-compatible endpoint."
    )
    at_once: int = Field(16, ge=1, le=1024, description="Requests that wait for a reply at the same time.")
    max_new_tokens: int = Field(2048, ge=16, le=32768, description="Most tokens of a reply, thinking included.")
    temperature: float = Field(0.8, ge=0, le=2, description="Of what the teacher writes; verdicts are greedy.")
    top_p: float = Field(0.95, gt=0, le=1, description="Of what the teacher writes.")
    format_tries: int = Field(
        2, ge=1, le=5, description="How often a request whose reply cannot be read is made, in all."
    )
    timeout_s: float = Field(600, ge=1, le=86400, description="Longest wait for one reply, in seconds.")
    patience_s: float = Field(
        600, ge=0, le=86400, description="How long an endpoint that is busy, fails or is gone is asked again before "
        "the job stops, in seconds. What was made is kept; resume goes on."
    )
    budget_tokens: int = Field(0, ge=0, description="Most tokens that may be paid for, prompt and reply; 0: no limit.")
    budget_usd: float = Field(0, ge=0, description="Most that may be spent, in USD, by the prices below; 0: no limit.")
    usd_per_million_prompt: float = Field(0, ge=0, description="Price of a million prompt tokens, in USD.")
    usd_per_million_completion: float = Field(0, ge=0, description="Price of a million tokens of replies, in USD.")
    use_cache: bool = Field(
        True, description="Take a reply that this lab has had to the same request before. An endpoint is known by its "
        "address and model name: switch this off when another model answers there now."
    )
    prompts: str = Field("", description="Folder of prompt templates of your own (.md, by the names of the lab's).")
    max_items: int = Field(0, ge=0, description="Only the first so many items; 0: all.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Decides strategies, orders and the seed of each request.")

    def check_teachers(self) -> list[Fault]:
        faults = check_teacher("teacher", self.teacher) + check_prompts("prompts", self.prompts)
        prices = self.usd_per_million_prompt + self.usd_per_million_completion
        if self.budget_usd and not prices:
            faults.append(Fault("budget_usd", "needs the prices: set usd_per_million_prompt and "
                                "usd_per_million_completion", self.budget_usd))
        return faults


def check_teacher(field: str, ref: str, *also: str) -> list[Fault]:
    """A base's name, the embedded teacher, one of `also`, or a reference that the queue looks up in the store."""
    known = (EMBEDDED, *also)
    return [] if ref in known or ref.startswith(ELSEWHERE) else check_base_name(field, ref)


class ProblemsSpec(TeacherSettings):
    """Exam questions become verifiable problems (HuatuoGPT-o1, arXiv 2412.18925, section 2.1)."""

    kind: ClassVar[str] = "problems"
    dataset: str = Field(
        "demo-exam", min_length=1, description="Exam questions with options and a key: a dataset, as training names it."
    )
    min_words: int = Field(15, ge=0, le=1000, description="Shorter questions are left out.")
    min_chars: int = Field(100, ge=0, le=10000, description="Shorter questions are left out, too.")
    solvers: tuple[str, ...] = Field(
        (), max_length=8, description="Small models: a question that all of them answer is too easy, and left out."
    )
    filter: bool = Field(True, description="Ask the teacher whether a question can train reasoning.")
    decontaminate: bool = Field(
        True, description="Leave out what shares 64 characters or 13 words in a row with a benchmark of the lab."
    )
    benchmarks: tuple[str, ...] = Field(
        (), max_length=50, description="Benchmarks to stay clear of; none named: every benchmark whose questions are "
        "on this machine. Those that are not are named in the result."
    )
    rl_share: float = Field(0.5, ge=0, le=1, description="Share kept for reinforcement learning, split by hash.")

    def check_names(self) -> list[Fault]:
        faults = self.check_teachers() + check_dataset_name("dataset", self.dataset)
        return faults + [f for i, ref in enumerate(self.solvers) for f in check_teacher(f"solvers.{i}", ref)]


class ReasoningSpec(TeacherSettings):
    """Complex chains of thought, found by a search with a verifier (HuatuoGPT-o1, section 2.2 and appendix)."""

    kind: ClassVar[str] = "reasoning"
    problems: str = Field(
        "demo-medical", min_length=1,
        description="Verifiable problems: a dataset with short true answers, or 'job:<uid>' of a job of kind problems "
        "(its half for supervised training)."
    )
    verifier: str = Field(
        "", description="Who compares a conclusion with the true answer: empty: the teacher; 'rule': the problem's own "
        "rule, no model; or a model as above."
    )
    attempts: int = Field(3, ge=1, le=10, description="Most attempts from scratch.")
    rethinks: int = Field(3, ge=0, le=10, description="Most rethinks of one attempt.")
    show_label: bool = Field(
        False, description="Problems that stay unsolved: show the true answer and have the reasoning made up. Marked "
        "label_shown in every row; off, as it teaches no search."
    )
    ablation: bool = Field(
        False, description="Also simple chains of thought and direct answers of the same problems, each verified, for "
        "the paper's ablation."
    )

    def check_names(self) -> list[Fault]:
        faults = self.check_teachers() + check_teacher("verifier", self.verifier or EMBEDDED, RULE)
        return faults if self.problems.startswith("job:") else faults + check_dataset_name("problems", self.problems)


class InstructionsSpec(TeacherSettings):
    """Texts become graded, classified, preference-paired instructions (FineMedLM-o1, arXiv 2501.09213, section 3)."""

    kind: ClassVar[str] = "instructions"
    texts: str = Field(
        "demo-texts", min_length=1,
        description="Texts: a folder of .txt and .md, a table with a column 'text', 'hub:org/name', or demo-texts."
    )
    max_text_chars: int = Field(24000, ge=200, le=400000, description="A longer text is cut there, and counted.")
    thinker: str = Field(
        "", description="Who writes the long reasoning to complex instructions; empty: the teacher."
    )
    complex_above: int = Field(8, ge=1, le=10, description="Instructions graded more complex than this get long "
                               "reasoning and become pairs.")
    min_quality: int = Field(1, ge=1, le=10, description="Instructions graded lower are left out.")
    min_relevance: int = Field(1, ge=1, le=6, description="Instructions graded less relevant to medicine are left out.")
    departments: bool = Field(True, description="Classify by department: six, then 29 within them.")
    rejected: Literal["direct", "wrong"] = Field(
        "direct", description="What a pair rejects: the direct answer, or, where the judge finds one, a worse of "
        "several."
    )
    samples: int = Field(1, ge=1, le=4, description="Long answers to choose the best of, by the judge.")
    judge: str = Field(
        "", description="Who compares answers, in both orders; empty: nobody, and the long answer is preferred unread."
    )

    def check_names(self) -> list[Fault]:
        faults = self.check_teachers() + check_texts_name("texts", self.texts)
        faults += [f for name in ("thinker", "judge") for f in check_teacher(name, getattr(self, name) or EMBEDDED)]
        if not self.judge and (self.samples > 1 or self.rejected == "wrong"):
            faults.append(Fault("judge", "is required to choose among answers: name a model"))
        if self.samples > 1 and not self.temperature:
            faults.append(Fault("samples", "greedy samples are all the same: raise temperature, or take one"))
        return faults


class MapSpec(Spec):
    """A map of a dataset's questions: each row as a point, by what it says."""

    kind: ClassVar[str] = "map"
    dataset: str = Field("demo-medical", min_length=1, description="A dataset or pairs, as training names it.")
    embedder: str = Field(
        "BAAI/bge-large-en-v1.5", min_length=1,
        description="Sentence encoder (folder or hub id), or 'tfidf', which needs no download."
    )
    fall_back: bool = Field(
        True, description="Take tfidf where the encoder is not on this machine and cannot be fetched; the map says so."
    )
    method: Literal["both", "pca", "tsne"] = Field("both", description="PCA is fast; t-SNE shows groups.")
    per_group: int = Field(1000, ge=10, le=5000, description="Most rows of one department or subject.")
    perplexity: float = Field(25, ge=2, le=200, description="Of t-SNE, as the paper.")
    steps: int = Field(1000, ge=250, le=10000, description="Of t-SNE, as the paper.")
    seed: int = Field(4, ge=0, le=2**31 - 1, description="Of the draw and of t-SNE, as the paper.")

    def check_names(self) -> list[Fault]:
        try:
            resolve_any(self.dataset)
        except LabError as error:
            return [Fault("dataset", str(error), self.dataset)]
        return []
