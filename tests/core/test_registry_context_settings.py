"""The registry's error, the context's files and the environment's reading."""

import json

import pytest

from lab.core.context import MemoryContext, write_json
from lab.core.errors import LabError, SpecError, UnknownName
from lab.core.registry import Registry, discover
from lab.core.settings import Settings
from lab.core.types import Example


def test_a_missing_name_suggests_the_nearest():
    registry = Registry("dataset", {"demo-medical": 1, "demo-general": 2})
    with pytest.raises(UnknownName, match="unknown dataset 'demo-medcal'. Did you mean 'demo-medical'"):
        registry["demo-medcal"]


def test_two_things_cannot_share_a_name():
    registry = Registry("base", {"one": 1})
    with pytest.raises(ValueError, match="two bases are called 'one'"):
        registry.add("one", 2)


def test_discover_finds_the_modules_that_declare_the_attribute_and_no_others():
    found = dict(discover("lab.data.datasets", "DATASET"))
    assert found["demo_medical"].name == "demo-medical"
    assert dict(discover("lab.core", "DATASET")) == {}


def test_write_json_leaves_no_temporary_file(tmp_path):
    path = write_json(tmp_path / "deep" / "file.json", {"a": "é"})
    assert json.loads(path.read_text()) == {"a": "é"}
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


def test_an_unresolved_model_reference_is_a_bug_and_a_base_is_itself(tmp_path):
    context = MemoryContext(tmp_path)
    assert context.model("demo-llama").kind == "base"
    with pytest.raises(LabError, match="not resolved"):
        context.model("variant:x")


def test_question_hash_ignores_case_and_spaces():
    one = Example(id="1", question="What is  2+2?", answer="4", gold="4")
    two = Example(id="2", question="what is 2+2? ", answer="4", gold="4")
    assert one.question_hash() == two.question_hash()


def test_settings_default_to_loopback_and_a_home_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({})
    assert (settings.host, settings.port, settings.worker, settings.space) == ("127.0.0.1", 7860, True, False)
    assert settings.home == tmp_path / ".lab" and settings.database_url.endswith(".lab/lab.db")


def test_lab_port_wins_over_port_and_a_space_listens_everywhere():
    assert Settings.from_env({"PORT": "8000", "LAB_PORT": "9000"}).port == 9000
    assert Settings.from_env({"PORT": "8000"}).port == 8000
    space = Settings.from_env({"SPACE_ID": "a/b"})
    assert space.space and space.host == "0.0.0.0"


def test_a_wrong_environment_names_every_variable():
    with pytest.raises(SpecError) as error:
        Settings.from_env({"LAB_PORT": "http", "LAB_WORKER": "maybe", "LAB_SLOTS": "0"})
    assert all(name in str(error.value) for name in ("LAB_PORT", "LAB_WORKER", "LAB_SLOTS"))


def test_on_zero_gpu_the_engine_is_in_the_web_process_unless_said_otherwise():
    assert Settings.from_env({}).engine == "process"
    lent = Settings.from_env({"SPACES_ZERO_GPU": "true"})
    assert lent.engine == "in-process" and lent.zero_gpu
    assert Settings.from_env({"SPACES_ZERO_GPU": "1", "LAB_ENGINE": "process"}).engine == "process"
    assert not Settings.from_env({"SPACES_ZERO_GPU": "false"}).zero_gpu


def test_how_engines_compute_is_chosen_from_what_their_spec_knows():
    from typing import get_args

    from lab.core.settings import BACKENDS, PRECISIONS
    from lab.engine.specs import EngineSpec

    fields = EngineSpec.model_fields
    assert (get_args(fields["backend"].annotation), get_args(fields["precision"].annotation)) == (BACKENDS, PRECISIONS)
    assert Settings.from_env({"LAB_ENGINE_PRECISION": "4BIT"}).engine_precision == "4bit"
    with pytest.raises(SpecError, match="LAB_ENGINE_PRECISION: should be one of auto, bf16, fp32, 4bit"):
        Settings.from_env({"LAB_ENGINE_PRECISION": "fp8"})
