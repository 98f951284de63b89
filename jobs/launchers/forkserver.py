"""The warm fork server: it imports once what jobs need, then forks one child for each job that is asked for.

`warm.py` runs this file by its path. It imports nothing of the lab, so that a job reads the lab's code after the fork,
as it is then. It imports and does nothing else: what computes, starts a thread or touches a GPU does not survive a
fork. That is checked once everything is imported, and the server refuses to serve otherwise.

* The owner holds the other end of a socket pair, and nobody else does. However the owner ends, the server then reads
  the end of the file and ends too. The jobs go on.
* A child waits at a gate until the answer with its pid is in the owner's socket. So an owner that loses patience and
  kills the server knows: no answer, no job.
* `exit.json` is written before the child is reaped: when /proc has no such process any more, the file is there.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import importlib
import importlib.util
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
import types
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 20  # of one message; the socket's own limit is lower


class Later(types.ModuleType):
    """Stands in for a module until one of its names is used, because importing it would initialise CUDA."""

    @classmethod
    def stand_in(cls, name: str) -> None:
        spec = importlib.util.find_spec(name)
        if spec is not None:
            sys.modules[name] = cls(name)
            sys.modules[name].__spec__ = spec  # whoever asks whether it is installed looks here

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__path__", "__version__"):  # asked of every module by some tools
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        real = importlib.import_module(self.__name__)
        self.__dict__.update(real.__dict__)
        return getattr(real, name)


class Mark:
    """The value of one variable in the environment this process was started with, in its own memory.

    /proc/PID/environ shows that memory and no later change of os.environ. Written in place, the mark of a job is seen
    from outside at the child itself and at everything it forks.
    """

    def __init__(self, name: str):
        start, end = (int(_stat_fields("self")[place]) for place in (47, 48))  # env_start and env_end
        block = b"\0" + ctypes.string_at(start, end - start)
        self.name, wanted = name, f"\0{name}=".encode()
        place = block.index(wanted) + len(wanted)
        self._address, self._room = start + place - 1, block.index(b"\0", place) - place

    def write(self, value: str) -> None:
        data = value.encode()
        if len(data) > self._room:
            raise ValueError(f"{self.name} has room for {self._room} bytes, not for {len(data)}")
        ctypes.memmove(self._address, data.ljust(self._room, b"\0"), self._room)

    def works(self) -> bool:
        """Whether others see what is written: asked once, with a value that no job has."""
        self.write("trial")
        return f"{self.name}=trial".encode() in Path("/proc/self/environ").read_bytes().split(b"\0")


def _stat_fields(process: int | str) -> list[str]:
    """/proc/PID/stat from field 3 (the state) on; the name before may hold spaces and brackets."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def main(order: dict[str, Any]) -> None:
    """Import, check, say so, and serve until the owner is gone."""
    channel = socket.socket(fileno=order["socket"])
    _end_with_owner(channel, True)
    gc.disable()
    for name in order["later"]:
        Later.stand_in(name)
    for name in order["imports"]:
        importlib.import_module(name)
    mark = Mark(order["mark"])
    fault = _fault(mark)
    _end_with_owner(channel, False)
    gc.collect()
    gc.freeze()  # the collector then leaves these objects alone, and their pages stay shared with the children
    try:
        channel.send(json.dumps({"fault": fault}).encode())
    except OSError:  # the owner left meanwhile
        return
    if fault is None:
        serve(channel, mark)


def _end_with_owner(channel: socket.socket, armed: bool) -> None:
    """While armed, the owner's end ends this process even in the middle of a long import: SIGIO's default."""
    flags = fcntl.fcntl(channel, fcntl.F_GETFL)
    fcntl.fcntl(channel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(channel, fcntl.F_SETFL, flags | os.O_ASYNC if armed else flags & ~os.O_ASYNC)
    if select.select([channel], [], [], 0)[0]:  # the owner says nothing before it is answered: this is its end
        sys.exit()


def _fault(mark: Mark) -> str | None:
    """Why a child forked from here would not be sound."""
    if not mark.works():
        return "a job's mark cannot be made visible in /proc on this system"
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_initialized():
        return "an import has initialised CUDA, which does not survive a fork"
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    return f"imports have started threads: {', '.join(names)}" if len(names) > 1 else None


def serve(channel: socket.socket, mark: Mark) -> None:
    """Fork when asked, reap what ends; return when the owner is gone."""
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, tuple[dict[str, Any], Path]] = {}
    while True:
        ready, _, _ = select.select([channel, ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            reap(children)
        if channel in ready:
            message = channel.recv(MOST_BYTES)
            if not message:
                return
            request = json.loads(message)
            identity = fork(channel, request, mark)
            if identity:
                children[identity["pid"]] = identity, Path(request["exit"])


def fork(channel: socket.socket, request: dict[str, Any], mark: Mark) -> dict[str, Any] | None:
    """Start one child, answer with its identity, and open its gate once the answer is sent."""
    gate, opener = os.pipe()
    try:
        pid = os.fork()
    except OSError as error:  # no memory or no process left now
        os.close(gate)
        os.close(opener)
        channel.send(json.dumps({"fault": str(error)}).encode())
        return None
    if pid == 0:
        try:
            os.close(opener)
            become(request, gate, mark)
        except BaseException:  # nothing of the server may run in a child
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(gate)
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    identity = {"pid": pid, "start_ticks": int(_stat_fields(pid)[19]), "boot_id": boot_id}
    try:
        channel.send(json.dumps(identity).encode())
        os.write(opener, b"!")
    except OSError:  # the owner is gone; the child finds its gate shut, and leaves
        pass
    os.close(opener)
    return identity


def reap(children: dict[int, tuple[dict[str, Any], Path]]) -> None:
    """For each child that has ended: leave its exit code where the owner looks, then let the process go."""
    while children:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return
        code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
        identity, path = children.pop(ended.si_pid)
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            temporary.write_text(json.dumps({**identity, "code": code}))
            os.replace(temporary, path)
        except OSError as error:  # the folder is gone or its disk is full; the other jobs must not suffer
            print(f"{path}: {error}", file=sys.stderr, flush=True)
        os.waitpid(ended.si_pid, 0)


def become(request: dict[str, Any], gate: int, mark: Mark) -> None:
    """Turn this child into what `python -m MODULE ARGUMENTS` in a session of its own would be. Never returns."""
    environment = request["environment"]
    os.setsid()
    mark.write(environment[mark.name])
    if not os.read(gate, 1):
        os._exit(1)
    _only_standard_streams(request["log"])
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(request["cwd"])
    _search_modules_in(request["cwd"], environment.get("PYTHONPATH", ""))
    os.environ.clear()
    os.environ.update(environment)
    _as_if_just_imported(environment)
    gc.enable()
    sys.argv = ["-m", *request["arguments"]]
    run(request["module"])


def _only_standard_streams(log: str) -> None:
    """Input from nowhere, output to the log, and none of the server's own files."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for source, stream in ((nowhere, 0), (output, 1), (output, 2)):
        os.dup2(source, stream)
    for name in os.listdir("/proc/self/fd"):
        try:
            # NVML, which torch asks whether there is a GPU, goes on using the device files that it has opened.
            if int(name) > 2 and not os.readlink(f"/proc/self/fd/{name}").startswith("/dev/nvidia"):
                os.close(int(name))
        except OSError:  # the one that read the list
            continue


def _search_modules_in(folder: str, python_path: str) -> None:
    """sys.path as the interpreter makes it for `-m`; the server's own PYTHONPATH goes."""
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    rest = [entry for entry in sys.path if entry not in own]
    sys.path[:] = [folder, *filter(None, python_path.split(os.pathsep)), *rest]
    importlib.invalidate_caches()


def _as_if_just_imported(environment: dict[str, str]) -> None:
    """What libraries read or draw when they are first used: their number of threads, and their unseeded generators."""
    threads = (environment.get("MKL_NUM_THREADS") or environment.get("OMP_NUM_THREADS") or "").partition(",")[0]
    if "torch" in sys.modules:
        if threads.isdigit() and int(threads):
            sys.modules["torch"].set_num_threads(int(threads))
        sys.modules["torch"].default_generator.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def run(module: str) -> None:
    """`python -m MODULE` from here on: the module's own end, or Python's way to end it."""
    code: Any = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:  # what the interpreter itself does with it
        traceback.print_exc()
        code = 1
    if not isinstance(code, int):
        if code is not None:
            print(code, file=sys.stderr, flush=True)
        code = int(code is not None)
    sys.stdout.flush()
    os._exit(code & 0xFF)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
