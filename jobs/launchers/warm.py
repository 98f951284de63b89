"""Start jobs from a warm process that has torch and its company imported: the worker's side of `forkserver.py`.

Nothing here waits for the server to warm up, and a request to fork takes two seconds at the worst: where there is no
ready server the answer is None, and the caller starts the job cold.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jobs.launchers.memory import available_mib
from jobs.launchers.order import Order
from jobs.processes import MARK, Identity
from storage.files import Home

State = Literal["off", "warming", "ready", "failed"]
SERVER = Path(__file__).with_name("forkserver.py")
# What training, benchmarks and the chat engine import, down to what their libraries load only when it is first used.
IMPORTS = (
    "torch", "datasets", "transformers", "transformers.models.llama.modeling_llama",
    "transformers.models.qwen2.modeling_qwen2", "trl.trainer.sft_trainer", "peft", "fastapi", "uvicorn", "httpx",
    "peft.utils.transformers_weight_conversion",
    # peft loads bitsandbytes for every adapter, which decorates with torch.compile, which loads these: seconds.
    "torch._inductor.compile_fx", "torch._dynamo.repro.after_dynamo", "torch._inductor.compiler_bisector",
)
LATER = ("bitsandbytes",)  # peft imports it, and where there is a GPU it initialises CUDA
ROOM_FOR_UID = 64  # bytes
LEAST_MIB = 3072  # the server itself holds a few hundred; a machine with less has better use for them
WARM_UP_S = 180.0
ANSWER_S = 1.5
END_S = 0.5
STARTS, WITHIN_S = 3, 600.0  # a server that keeps dying is left alone for a while


@dataclass(frozen=True)
class Server:
    """A running fork server and our end of its socket."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    started: float


class WarmLauncher:
    """Owns at most one fork server. Not for several threads: it belongs to the worker's loop."""

    def __init__(self, home: Home, imports: Sequence[str] = IMPORTS):
        self.reason = "not started"  # why there is no ready server
        self._log, self._imports = home.path / "warm.log", tuple(imports)
        self._server: Server | None = None
        self._state: State = "off"
        self._refused = False
        self._starts: deque[float] = deque(maxlen=STARTS)

    @property
    def age_s(self) -> float | None:
        """How long the server has lived."""
        return None if self._server is None else time.monotonic() - self._server.started

    @property
    def pid(self) -> int | None:
        return None if self._server is None else self._server.process.pid

    def start(self) -> None:
        """Have a server warm up if there is none and there may be one. Cheap: meant for every turn of the loop."""
        if self.state() in ("warming", "ready"):
            return
        hindrance = self._hindrance()
        if hindrance:
            self._state = "off" if self._state == "off" else "failed"
            self.reason = hindrance
            return
        self._starts.append(time.monotonic())
        try:
            self._server = _spawn(self._log, self._imports)
        except OSError as error:
            self._state, self.reason = "failed", f"the fork server could not be started: {error}"
            return
        self._state, self.reason = "warming", "it is importing"

    def state(self) -> State:
        """What there is now; never waits."""
        if self._server is not None:
            if self._state == "warming":
                self._hear()
            elif (code := self._server.process.poll()) is not None:
                self._drop(f"the fork server ended with code {code}; see {self._log.name}")
        return self._state

    def fork(self, order: Order) -> Identity | None:
        """Start the job as a child of the server. None: there is no ready server, start it cold.

        Raises OSError when the job's log cannot be opened, as a cold start does.
        """
        if self.state() != "ready" or self._server is None:
            return None
        order.folder.log.open("ab").close()
        channel = self._server.channel
        try:
            channel.settimeout(ANSWER_S)
            channel.send(json.dumps(_request(order)).encode())
            answer = channel.recv(4096)
            channel.setblocking(False)
        except OSError:  # no answer in time, a server that has just died, an environment too long for one message
            answer = self._end()
            self._drop("the fork server did not answer")
        told = json.loads(answer) if answer else {"fault": "it ended"}
        return None if "fault" in told else Identity(**told)

    def stop(self) -> None:
        """End the server. Its jobs go on."""
        if self._server is not None:
            self._end()
        self._server, self._state, self.reason = None, "off", "stopped"

    def _hindrance(self) -> str | None:
        """Why no server may be started now."""
        if self._refused:
            return self.reason
        if len(self._starts) == STARTS and time.monotonic() - self._starts[0] < WITHIN_S:
            return f"the fork server ended {STARTS} times within {WITHIN_S / 60:.0f} minutes; see {self._log.name}"
        free = available_mib()
        return f"only {free} MiB of memory are free, a warm start wants {LEAST_MIB}" if free < LEAST_MIB else None

    def _hear(self) -> None:
        """The first word of a server that has been warming up, if it has spoken."""
        assert self._server is not None
        try:
            message = self._server.channel.recv(4096)
        except BlockingIOError:
            if time.monotonic() - self._server.started > WARM_UP_S:
                self._end()
                self._drop(f"the fork server was not ready after {WARM_UP_S:.0f} s")
            return
        except OSError:
            message = b""
        fault = json.loads(message)["fault"] if message else None
        if message and fault is None:
            self._state, self.reason = "ready", ""
            return
        self._refused = fault is not None  # it would say the same again
        self._end()
        self._drop(fault or f"the fork server could not import what it should; see {self._log.name}")

    def _end(self) -> bytes:
        """Kill the server and return the answer it may have left: then its job runs, and otherwise it never will."""
        assert self._server is not None
        process, channel = self._server.process, self._server.channel
        process.kill()
        try:
            process.wait(END_S)
            channel.setblocking(False)
            return channel.recv(4096)
        except (OSError, subprocess.TimeoutExpired):
            return b""
        finally:
            channel.close()

    def _drop(self, reason: str) -> None:
        if self._server is not None:
            self._server.channel.close()
        self._server, self._state, self.reason = None, "failed", reason


def _spawn(log: Path, imports: Sequence[str]) -> Server:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    order = {"socket": theirs.fileno(), "mark": MARK, "imports": imports, "later": LATER}
    with theirs, log.open("ab") as output:
        process = subprocess.Popen(
            # -P: the server's own folder is no place to import from.
            [sys.executable, "-P", str(SERVER), json.dumps(order)], stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True, pass_fds=[theirs.fileno()], env=_environment(os.environ),
        )
    return Server(process, ours, time.monotonic())


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` with room for a job's mark, and with what keeps imports from starting threads and from touching a GPU."""
    quiet = {
        "PYTORCH_NVML_BASED_CUDA_CHECK": "1", "OPENBLAS_NUM_THREADS": "1",
        "JE_ARROW_MALLOC_CONF": "background_thread:false", "PYTHONUNBUFFERED": "1",
    }
    return {"OMP_NUM_THREADS": "1", **env, **quiet, MARK: "_" * ROOM_FOR_UID}


def _request(order: Order) -> dict[str, Any]:
    _, module, *arguments = order.command
    return {
        "module": module, "arguments": arguments, "environment": order.environment(), "cwd": os.getcwd(),
        "log": str(order.folder.log.absolute()), "exit": str(order.folder.exit.absolute()),
    }
