"""A model in memory for a job: loaded once, kept where it fits, and asked elsewhere where it is remote."""

from __future__ import annotations

import subprocess
import sys

from lab.core.types import ModelSource
from lab.engine.protocol import EngineClient
from lab.engine.remote import RemoteEngine
from lab.engine.scripted import scripted_engine
from lab.engine.warming import warm_engine


def test_importing_it_loads_no_torch():
    script = "import sys, lab.engine.warming; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_base_is_loaded_once_for_itself_and_its_variants(tiny_registered):
    card, sources = tiny_registered
    engine = warm_engine(ModelSource(ref=card.name, label=card.name, base=card.name))
    variant = next(iter(sources.values()))
    assert warm_engine(variant, engine) is engine and {card.name, variant.label} <= set(engine.labels())


def test_a_remote_model_is_asked_where_it_is():
    with scripted_engine() as url:
        client = EngineClient(url)
        client.load(ModelSource(ref="j", label="j", base="scripted", folder="there", kind="adapter"))
        client.close()
        source = ModelSource(ref="remote:j", label="j", base="j", kind="remote", url=f"{url}/v1", remote_model="j")
        engine = warm_engine(source)
        assert isinstance(engine, RemoteEngine) and engine.labels() == ["j"]
        engine.close()
