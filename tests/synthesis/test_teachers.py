"""Teachers: whoever has a role, it is asked alike; a model is loaded once, and not before its first question."""

import json
from queue import SimpleQueue

import pytest

from lab.bases.cards import bases
from lab.core.context import MemoryContext
from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.synthesis.driving import drive
from lab.synthesis.machine import Ask
from lab.synthesis.specs import EMBEDDED, RULE
from lab.synthesis.teachers import open_roster
from tests.synthesis.endpoint import Act, Endpoint, serving
from tests.synthesis.steps import Steps, items_of, spec_of

BASE = "demo-llama"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_HOME", str(tmp_path / "home"))


def ask(role="teacher", text="What is 2+2?", **values):
    return Ask(role=role, prompt="x", messages=({"role": "user", "content": text},), **{"max_new_tokens": 8} | values)


def heard(roster, asked):
    told = SimpleQueue()
    roster.submit(asked, told.put)
    return told.get(timeout=60)


def test_roles_of_one_model_share_it_and_a_role_without_a_model_is_left_out(tmp_path):
    roles = {"teacher": EMBEDDED, "solver:0": EMBEDDED, "verifier": RULE, "judge": ""}
    with open_roster(roles, spec_of(), MemoryContext(tmp_path / "job")) as roster:
        assert set(roster.models) == {"teacher", "solver:0"} and roster.model("teacher") is roster.model("solver:0")
        assert roster.names() == {"teacher": EMBEDDED, "solver:0": EMBEDDED}
        assert roster.described()["teacher"]["base"] == EMBEDDED and "key_env" not in roster.described()["teacher"]
        with pytest.raises(UnknownName, match="role 'judge'"):
            roster.key(ask("judge"))


def test_the_embedded_teacher_answers_in_one_piece(tmp_path):
    with open_roster({"teacher": EMBEDDED}, spec_of(), MemoryContext(tmp_path / "job")) as roster:
        chunk = heard(roster, ask())
    assert chunk.kind == "end" and chunk.stats.final_text


def test_a_key_that_is_missing_is_told_before_anything_is_asked(tmp_path, monkeypatch):
    monkeypatch.delenv("BIG_KEY", raising=False)
    source = Endpoint().source("http://127.0.0.1:9", key_env="BIG_KEY")
    context = MemoryContext(tmp_path / "job", models={"remote:big": source})
    with pytest.raises(LabError, match="set BIG_KEY"), open_roster({"teacher": "remote:big"}, spec_of(), context):
        pass


def test_two_endpoints_that_are_shown_alike_are_two(tmp_path):
    one, two = Endpoint(lambda *_: Act(text="one")), Endpoint(lambda *_: Act(text="two"))
    with serving(one) as first, serving(two) as second:
        models = {"remote:one": one.source(first, ref="remote:one"), "remote:two": two.source(second, ref="remote:two")}
        context = MemoryContext(tmp_path / "job", models=models)
        with open_roster({"teacher": "remote:one", "judge": "remote:two"}, spec_of(), context) as roster:
            assert roster.key(ask()) != roster.key(ask("judge"))
            said = [heard(roster, ask(role)).stats.final_text for role in ("teacher", "judge")]
    assert said == ["one", "two"]


def test_an_endpoint_is_its_address_and_its_model_and_where_a_thought_ends(tmp_path):
    def key(**facts):
        context = MemoryContext(tmp_path / "job", models={"remote:big": Endpoint().source("http://h", **facts)})
        with open_roster({"teacher": "remote:big"}, spec_of(), context) as roster:
            return roster.key(ask())

    keys = [key(), key(remote_model="other"), key(url="http://h:2/v1"), key(thinking_style="headings")]
    assert len(set(keys)) == 4 and key(label="shown otherwise") == key(url="http://h/v1/") == keys[0]


def test_variants_of_a_base_share_it_and_nothing_is_loaded_before_the_first_question(tmp_path):
    context = MemoryContext(tmp_path / "job", models={
        "variant:v": ModelSource(ref="variant:v", label="v", base=BASE, kind="full", folder=bases()[BASE].location()),
    })
    roles = {"teacher": BASE, "verifier": "variant:v"}
    with open_roster(roles, spec_of(), context) as roster:
        keys = {roster.key(ask(role)) for role in roles}
        assert context.logs == [] and len(keys) == 1, "the same weights under another name have said the same"
        said = {heard(roster, ask(role)).stats.final_text for role in roles}
        assert len(context.logs) == 2 and len(said) == 1
        assert roster.model("teacher").backend is roster.model("verifier").backend
        assert roster.model("teacher").backend.max_new_tokens == 2048, "a reply may be as long as the spec says"
        refused = heard(roster, ask(text="word " * 5000))
        assert refused.kind == "error" and refused.trouble.kind == "refused" and "tokens" in refused.text


def test_a_base_drives_items_and_costs_nothing(tmp_path):
    context = MemoryContext(tmp_path / "job")
    spec = spec_of(teacher=BASE, usd_per_million_prompt=1)
    with open_roster({"teacher": BASE}, spec, context) as roster:
        result = drive(Steps(n=2), items_of(3), roster, spec, context)
    assert [state.outcome for state in result.states] == ["made"] * 3
    assert result.spent.usd == 0 and result.spent.n_completion_tokens > 0
    with open_roster({"teacher": BASE}, spec, MemoryContext(tmp_path / "other")) as roster:
        again = drive(Steps(n=2), items_of(3), roster, spec, MemoryContext(tmp_path / "other"))
        assert roster.model("teacher").backend is None, "all was in the cache"
    assert again.spent.n_requests == 0 and json.dumps(again.spent.model_dump())
