"""`serve`: an engine of a base, found or started through the queue, or in this terminal; prints its address."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from jobs.engines import LOOK_S, waiting_words
from jobs.keeper import spawn_worker
from jobs.queue import ENGINE_WISH, ensure_engine, submit
from lab.bases.cards import bases
from lab.core.errors import Fault, LabError, SpecError
from lab.core.settings import Settings
from lab.core.spec import load_spec
from lab.core.types import ModelSource
from lab.engine.protocol import EngineClient
from lab.engine.specs import EngineSpec
from storage.database import Store, open_store
from storage.queries.jobs import get_job, workers
from storage.queries.queue import is_paused
from storage.queries.studies import model_source
from storage.tables import ENDED, Job

SAME = ("base", "backend", "precision")  # in which a running engine has to agree with what is asked for


def serve(options: argparse.Namespace) -> int:
    """Exit 0 once the engine answers and holds the models; when it has ended if only this command keeps a worker."""
    spec = _spec(options)
    if options.here:
        return _serve_here(spec, options)
    store, settings = open_store(), Settings.from_env()
    sources = _sources(spec, options.models, store)
    own_worker = spawn_worker(settings)
    job = _engine(store, spec, settings, options.idle is not None)
    url = _wait_for_url(store, job)
    client = EngineClient(url)
    for source in sources:
        client.load(source)
    models = [{"label": label} for label in client.health()["models"]]
    how = f"job {job.id}; it ends by itself when nobody asks, or now with: python -m jobs cancel {job.id}"
    if own_worker is not None:  # it would end the engine soon after the last process that wants it has gone
        how += "\nNo lab and no worker run here, so this command stays with it; Ctrl-C ends it."
    _tell(options, url, models, how, job=job.id)
    while own_worker is not None and not _has_ended(store, job):
        time.sleep(LOOK_S)
    return 0


def _spec(options: argparse.Namespace) -> EngineSpec:
    """Faults of all options at once. What is not said is as the environment says."""
    settings = Settings.from_env()
    values: dict[str, Any] = {
        "base": options.base, "backend": options.backend or settings.engine_backend,
        "precision": options.precision or settings.engine_precision,
    }
    if options.idle is not None:
        values["idle_timeout_s"] = options.idle
    if options.port is not None and not options.here:
        raise SpecError([Fault("--port", "goes with --here: an engine of the queue takes any free port",
                               options.port)], "serve")
    if options.here and values["backend"] != "lab":
        raise SpecError([Fault("--here", "runs the lab's own engine; leave it off to start vLLM through the queue",
                               values["backend"])], "serve")
    return load_spec(EngineSpec, values, "serve")


def _engine(store: Store, spec: EngineSpec, settings: Settings, own_idle: bool) -> Job:
    """The engine that is there, or a new one. One that runs already keeps its own idle time."""
    asked = replace(settings, engine_backend=spec.backend, engine_precision=spec.precision)
    if own_idle and not _found(store, spec):
        return submit(store, "engine", spec.as_dict(), ENGINE_WISH).jobs[0]
    return ensure_engine(store, spec.base, asked)


def _found(store: Store, spec: EngineSpec) -> bool:
    """Whether such an engine runs or waits."""
    with store.read() as session:
        query = select(Job).where(Job.kind == "engine", Job.desired == "run", col(Job.state).not_in(ENDED))
        return any(all(job.spec.get(name) == getattr(spec, name) for name in SAME) for job in session.exec(query))


def _wait_for_url(store: Store, job: Job) -> str:
    """Until it answers; what is being waited for goes to stderr. LabError when it ends instead."""
    started, told = time.monotonic(), ""
    while True:
        with store.read() as session:
            job = get_job(session, job.id)
            words = waiting_words(job, len(workers(session)), time.monotonic() - started, is_paused(session))
        if job.state in ENDED:
            raise LabError(f"the engine of {job.spec['base']} {job.state}: {job.message or job.reason or 'no reason'} "
                           f"(python -m jobs logs {job.id})")
        if job.state == "running" and (url := job.facts.get("url")) and _answers(url):
            return str(url)
        if (text := words.rpartition(" (")[0] or words) != told:  # without its seconds
            told = text
            print(words, file=sys.stderr, flush=True)
        time.sleep(LOOK_S)


def _has_ended(store: Store, job: Job) -> bool:
    with store.read() as session:
        return get_job(session, job.id).state in ENDED


def _answers(url: str) -> bool:
    try:
        EngineClient(url).health()
    except LabError:
        return False
    return True


def _sources(spec: EngineSpec, refs: list[str], store: Store | None) -> list[ModelSource]:
    """Each model, or all faults at once. Without a store only folders of adapters are known."""
    faults, sources = [], []
    for index, ref in enumerate(refs):
        try:
            source = _source(spec, ref, store)
            if source.base != spec.base:
                raise LabError(f"'{ref}' stands on {source.base}, not on {spec.base}")
            sources.append(source)
        except LabError as error:
            faults.append(Fault(f"models.{index}", str(error), ref))
    if faults:
        raise SpecError(faults, "serve")
    return sources


def _source(spec: EngineSpec, ref: str, store: Store | None) -> ModelSource:
    folder = Path(ref).expanduser()
    if folder.is_dir():
        kind = "adapter" if (folder / "adapter_config.json").is_file() else "full"
        return ModelSource(ref=ref, label=folder.resolve().name, base=spec.base, folder=str(folder.resolve()),
                           kind=kind, arm="trace")
    store = store or open_store()
    with store.read() as session:
        return model_source(session, store.home, ref)


def _serve_here(spec: EngineSpec, options: argparse.Namespace) -> int:
    """Until Ctrl-C or SIGTERM, or until nobody has asked for as long as --idle says."""
    from lab.engine._hf import LoadedBase
    from lab.engine.api import build_app
    from lab.engine.listening import listening
    from lab.engine.running import Activity

    sources = _sources(spec, options.models, None)
    print(f"loading {spec.base}", file=sys.stderr, flush=True)
    engine = LoadedBase(bases()[spec.base], spec.max_new_tokens, precision=spec.precision, max_rows=spec.max_rows)
    for source in sources:
        engine.load(source)
    activity, stop = Activity(), threading.Event()
    with ExitStack() as held:
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.signal(number, lambda *_: stop.set())
            held.callback(signal.signal, number, before)
        url = held.enter_context(listening(build_app(engine, activity), options.port or 0))
        _tell(options, url, engine.models(), "Ctrl-C ends it")
        while not stop.wait(LOOK_S) and (options.idle is None or activity.idle_s < options.idle):
            pass
    return 0


def _tell(options: argparse.Namespace, url: str, models: list[dict[str, Any]], how: str, **more: Any) -> None:
    address = f"{url}/v1"
    if options.json:
        print(json.dumps({"url": address, "models": models, **more}), flush=True)
        return
    print(address)
    for model in models:
        print(f"  {model['label']}")
    print(how, file=sys.stderr, flush=True)
