"""vLLM behind the lab's API: its process is a child that ends with this one, and gets token ids of the lab's template.

What vLLM cannot do is refused in a sentence: bounds on a thought, adapting to a question, full weights beside a base.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from lab.bases.cards import BaseCard
from lab.bases.tokenizers import open_tokenizer
from lab.core.children import dies_with_us
from lab.core.context import Stopped
from lab.core.errors import LabError, UnknownName
from lab.core.types import ModelSource
from lab.data.targets import THINKING_STYLES
from lab.engine.contract import check_contract, style_of
from lab.engine.protocol import ChatRequest, Chunk
from lab.engine.remote_models import Asked, RemoteModels, raw_body
from lab.engine.vllm import Serving, adapter_rank, command, environment, executable

LOOK_EVERY_S = 0.25
LAST_WORDS_S = 15.0  # between asking vLLM to end and ending it


class VllmBackend:
    """Stands behind `lab.engine.api`. `url` is where vLLM answers, without /v1."""

    def __init__(self, serving: Serving, url: str, max_new_tokens: int):
        self.base, self.max_new_tokens = serving.card.name, max_new_tokens
        self._serving, self._url = serving, url
        self._tokenizer, self._reading = open_tokenizer(serving.card), threading.Lock()
        self._remote = RemoteModels(write=self._written)
        self._kinds: dict[str, str] = {}
        self._remember(ModelSource(ref=self.base, label=self.base, base=self.base))
        for source in serving.adapters:
            self._remember(source)

    def labels(self) -> list[str]:
        return list(self._kinds)

    def models(self) -> list[dict[str, Any]]:
        """vLLM does not show logits of a prompt before an adapter, so there is no identity to check."""
        return [{"label": label, "kind": kind, "identity": None} for label, kind in self._kinds.items()]

    def load(self, source: ModelSource) -> None:
        """LabError for another base, another template than it was trained through, or what vLLM cannot serve."""
        if source.base != self.base:
            raise LabError(f"model '{source.label}' stands on '{source.base}', but this engine holds '{self.base}'")
        if source.label in self._kinds:
            return
        if source.kind != "adapter":
            raise LabError(f"model '{source.label}' is a folder of full weights, which vLLM does not serve beside a "
                           "base: use backend lab")
        with self._reading:
            check_contract(source, self._tokenizer, self._serving.card)
        if (rank := adapter_rank(source)) > self._serving.max_lora_rank:
            raise LabError(f"adapter '{source.label}' has rank {rank}, but this engine was started for "
                           f"{self._serving.max_lora_rank} at most: end it, and ask for this adapter first")
        self._post("load_lora_adapter", {"lora_name": source.label, "lora_path": source.folder})
        self._remember(source)

    def unload(self, label: str) -> None:
        if label == self.base:
            raise LabError(f"'{label}' is the base of this engine: it goes when the engine ends")
        if label not in self._kinds:
            raise UnknownName("model", label, self._kinds)
        self._post("unload_lora_adapter", {"lora_name": label})
        del self._kinds[label]
        self._remote.unload(label)

    def submit(self, request: ChatRequest, tell: Callable[[Chunk], None]) -> Callable[[], None]:
        if request.label not in self._kinds:
            raise UnknownName("model", request.label, self._kinds)
        if request.budget.bounds or request.adapt.mode != "none":
            wish = "keep a thought within bounds" if request.budget.bounds else "adapt a model to a question"
            raise LabError(f"vLLM cannot {wish}: only the lab's own engine can (backend: lab)")
        room = self._serving.card.context_tokens - len(self._ids(request))
        if room < 1:
            raise LabError(f"a prompt has {self._serving.card.context_tokens - room} tokens, but '{self.base}' holds "
                           f"{self._serving.card.context_tokens}: shorten it", "data")
        most = min(request.max_new_tokens, self.max_new_tokens, room)
        return self._remote.submit(replace(request, max_new_tokens=most), tell)

    def close(self) -> None:
        self._remote.close()

    def _remember(self, source: ModelSource) -> None:
        style = style_of(source, self._serving.card)
        self._remote.load(ModelSource(
            ref=source.ref, label=source.label, base=self.base, kind="remote", url=f"{self._url}/v1",
            remote_model=source.label, thinking_style=style,
        ))
        self._kinds[source.label] = source.kind

    def _written(self, source: ModelSource, request: ChatRequest) -> Asked:
        """Token ids instead of messages. Marks of a thought may be special tokens, so those are kept in the text."""
        ids = self._ids(request)
        body = raw_body(source, replace(request, prompt=tuple(ids)))
        body |= {"skip_special_tokens": False, "stop_token_ids": [self._tokenizer.eos_token_id]}
        mark = THINKING_STYLES[source.thinking_style or "tags"].open
        with self._reading:
            tail = self._tokenizer.decode(ids[-8:], skip_special_tokens=False).rstrip()
        opened = mark if request.prompt is None and tail.endswith(mark) else ""
        return Asked("completions", body, opened)

    def _ids(self, request: ChatRequest) -> list[int]:
        """A tokenizer is not to be used by two threads at once."""
        with self._reading:
            if isinstance(request.prompt, str):
                return list(self._tokenizer(request.prompt)["input_ids"])
            if request.prompt is not None:
                return list(request.prompt)
            chat = [dict(message) for message in request.messages]
            encoded = self._tokenizer.apply_chat_template(
                chat, tokenize=True, add_generation_prompt=True, return_dict=True
            )
            return list(encoded["input_ids"])

    def _post(self, path: str, body: dict[str, Any]) -> None:
        try:
            response = httpx.post(f"{self._url}/v1/{path}", json=body, timeout=120, trust_env=False)
        except httpx.HTTPError as error:
            raise LabError(f"vLLM did not answer ({type(error).__name__}); the engine's log says why") from None
        if response.is_error:
            told = f"({response.status_code}): {response.text[:300]}"
            raise LabError(f"vLLM refused adapter '{body['lora_name']}' {told}")


@contextmanager
def vllm_engine(
    card: BaseCard, max_new_tokens: int, stopped: Callable[[], bool] = lambda: False, **options: Any
) -> Iterator[tuple[VllmBackend, Callable[[], None]]]:
    """A backend while the block runs, and a check that raises LabError when vLLM has ended by itself.

    `options` are those of a `Serving`. Raises Stopped when `stopped` says so before vLLM answers.
    """
    serving = Serving(card, _free_port(), **options)
    words = [executable(os.environ), *command(serving)[1:]]
    # A process group of its own: vLLM has workers, and all of them must end.
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, env=environment(os.environ), process_group=0, preexec_fn=dies_with_us(),
    )
    url = f"http://127.0.0.1:{serving.port}"

    def check() -> None:
        if process.poll() is not None:
            raise LabError(f"vLLM ended with code {process.returncode}; the engine's log says why", "lost")

    try:
        _wait_ready(url, check, stopped)
        backend = VllmBackend(serving, url, max_new_tokens)
        try:
            yield backend, check
        finally:
            backend.close()
    finally:
        _end(process)


def _wait_ready(url: str, check: Callable[[], None], stopped: Callable[[], bool]) -> None:
    """As long as it takes: weights of 100 GB may come over a network, and a stop is heard meanwhile."""
    while True:
        check()
        if stopped():
            raise Stopped
        try:
            if httpx.get(f"{url}/health", timeout=5, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(LOOK_EVERY_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole group: first asked, then ended. Workers may outlive the process that started them."""
    for sign, patience_s in ((signal.SIGTERM, LAST_WORDS_S), (signal.SIGKILL, LAST_WORDS_S)):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
    process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
