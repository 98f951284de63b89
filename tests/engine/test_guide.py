"""The snippets of docs/guide/engine.md, run as they stand against a scripted engine."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.bases.cards import bases
from lab.core.types import ModelSource
from lab.engine.protocol import EngineClient
from lab.engine.scripted import scripted_engine
from lab.engine.vllm import Serving, command

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "engine.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
CURL = [command for _, text in BLOCKS for command in re.findall(r"^curl .*?(?=^curl |\Z)", text, re.M | re.S)]


@pytest.fixture(scope="module")
def url():
    with scripted_engine("demo-llama") as url:
        source = ModelSource(ref="t", label="demo-trace", base="demo-llama", folder="/t", kind="adapter")
        EngineClient(url).load(source)
        yield url


@pytest.mark.parametrize("snippet", PYTHON)
def test_a_python_snippet_runs(url, snippet, capsys):
    exec(compile(snippet.replace("http://127.0.0.1:8123", url), "docs/guide/engine.md", "exec"), {})
    assert capsys.readouterr().out.strip()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("snippet", CURL)
def test_a_curl_snippet_runs(url, snippet):
    words = shlex.split(snippet.replace("http://127.0.0.1:8123", url))
    done = subprocess.run([*words, "--noproxy", "*", "--fail"], capture_output=True, text=True, check=True)
    assert "demo-llama" in done.stdout or "[DONE]" in done.stdout


def test_the_guide_has_snippets_of_both_kinds():
    assert len(PYTHON) == 2 and len(CURL) == 4


def test_the_vllm_command_in_the_guide_is_the_one_that_is_rendered():
    shown = next(text for _, text in BLOCKS if text.startswith("vllm serve"))
    assert shown.split() == command(Serving(bases()["qwen2.5-7b-instruct"], 8123))
