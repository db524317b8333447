"""Supervises scripts, so that nothing of them stays behind: `python -I -B supervise.py SOCKET`.

Standard library only, and nothing of Deputy's but `python_main.py` beside it. This process loads what is needed,
says `.` on SOCKET, and forks a supervisor for each message that comes on it with a descriptor, the supervisor's
socket CONTROL. A fork is there in a tenth of the time that an interpreter takes to start. The end of SOCKET ends
it; the supervisors go on by themselves.

A supervisor says on CONTROL its process id and waits there for scripts, one after the other. For each there comes
a line of JSON with four descriptors: the script's standard input, its output, and the pipes RESULT and GO.

    argv       bash, its script and that one's words; empty for a Python script, whose order comes on standard
               input (python_main.py)
    env, cwd   its environment and directory
    limits     names of RLIMIT_… to numbers; PROCESSES, how many processes more there may be
    grace      seconds between TERM and KILL
    remove     directories to remove at the end

A Python script runs in a fork of this interpreter. A shell script's bash is spawned, which copies nothing of this
process and so takes half the processor time of a fork; it sets its limits, and waits for the word before it looks
at the script. The word is a `.` on GO; nothing begins where GO ends without one. RESULT is where a script gives
its result. The answer on CONTROL is a line `{"code": 0}` (128 + signal where one ended the script), or
`{"fault": "…"}` where it did not start. The end of CONTROL means stop: because the worker asks for it, or because
it is no more. Being a subreaper, a supervisor gets every orphan: setsid and double forks lead nowhere (attack
X12). When it answers, nobody is left.
"""

import ctypes
import gc
import importlib.util
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

DESCRIPTORS = 4  # that come with each script
PIECE = 65_536
GO = 200  # the descriptor on which bash waits for the word: one that is nothing else's

# bash's letters for limits, and of how many bytes each is where it isn't one (its manual, “ulimit”).
LETTERS = {"CPU": "t", "AS": "v", "FSIZE": "f", "NOFILE": "n", "CORE": "c", "NPROC": "u"}
UNITS = {"AS": 1024, "FSIZE": 1024, "CORE": 1024}

# Deaf to these (a Ctrl-C in a terminal, a service manager's TERM): the control socket alone decides.
DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BACK_TO_DEFAULT = (*DEAF_TO, signal.SIGPIPE, signal.SIGXFSZ)  # for a script; Python ignores the last two


def main(descriptor: int) -> None:
    """Fork a supervisor whenever one is wanted."""
    python = prepare()
    with socket.socket(fileno=descriptor) as wanted:
        wanted.set_inheritable(False)
        wanted.send(b".")
        while given := received(wanted, 1)[1]:
            if os.fork() == 0:
                wanted.close()
                serve(python, socket.socket(fileno=given[0]))
            os.close(given[0])


def prepare() -> ModuleType:
    """Load all that a supervisor needs, and see that the kernel can what it must; return `python_main`."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_DUMPABLE, 0)  # no script may look into what later scripts are forked from
    os.close(os.pidfd_open(os.getpid()))  # missing before Linux 5.3: better known now than with a script running
    for one in DEAF_TO:
        signal.signal(one, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for a supervisor here
    os.umask(0o077)
    spec = importlib.util.spec_from_file_location("python_main", Path(__file__).with_name("python_main.py"))
    assert spec and spec.loader  # noqa: S101 - a path that ends in .py has a loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    gc.freeze()  # a fork then shares what is loaded, and its end needn't look through it: 5 ms
    return module


def prctl(option: int, value: int) -> None:
    """Ask something of the kernel (prctl(2)). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refuses what a supervisor needs (prctl)")


def received(end: socket.socket, most: int) -> tuple[bytes, list[int]]:
    """Wait for a message and return it with its descriptors; nothing at the end."""
    data, descriptors, _, _ = socket.recv_fds(end, PIECE, most)
    for one in descriptors:
        os.set_inheritable(one, False)
    return data, descriptors


def serve(python: ModuleType, control: socket.socket) -> NoReturn:
    """Be a supervisor: run one script after the other to its end, and say how each ended."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    control.set_inheritable(False)
    control.send(f"{os.getpid()}\n".encode())
    while True:
        order, descriptors = received(control, DESCRIPTORS)
        order += rest_of_line(control, order)
        if not order:
            os._exit(0)
        answer = run(python, control, order, descriptors)
        with suppress(BrokenPipeError):
            control.send(json.dumps(answer).encode() + b"\n")


def rest_of_line(control: socket.socket, begun: bytes) -> bytes:
    """Return what is missing of a line; nothing where its writer closed without a word."""
    rest = b""
    while begun and not (rest or begun).endswith(b"\n"):
        part = control.recv(PIECE)
        if not part:
            os._exit(0)
        rest += part
    return rest


def run(python: ModuleType, control: socket.socket, order: bytes, descriptors: list[int]) -> dict[str, Any]:
    """Run one script to its end and clear away what is left of it; return the answer."""
    spec = json.loads(order)
    pid, fault = spawned(spec, descriptors) if spec["argv"] else forked(python, control, spec, descriptors)
    answer = {"code": Script(pid).supervise(control.fileno(), spec["grace"])} if pid else {"fault": fault}
    for path in spec["remove"]:
        remove(path)
    return answer


def spawned(spec: Mapping[str, Any], descriptors: list[int]) -> tuple[int, str]:
    """Start bash, which waits for the word to begin; return its process id, or 0 and what is in the way."""
    given, output, _, go = descriptors
    places = ((given, 0), (output, 1), (output, 2), (go, GO))
    shell, *words = spec["argv"]
    try:
        os.chdir(spec["cwd"])
        pid = os.posix_spawn(
            shell,
            [shell, "-c", waiting(spec), *words],
            spec["env"],
            file_actions=[(os.POSIX_SPAWN_DUP2, one, place) for one, place in places],
            setsid=True,
            setsigdef=BACK_TO_DEFAULT,
        )
    except (OSError, ValueError) as error:
        return 0, reason(error)
    finally:
        os.chdir(os.sep)
        for one in descriptors:
            os.close(one)
    return pid, ""


def waiting(spec: Mapping[str, Any]) -> str:
    """Return what `settle` and `told` do, in bash, then its script in this very shell; nothing of it stays."""
    limits = [f"ulimit -{LETTERS[name]} {value // UNITS.get(name, 1)}" for name, value in limits_of(spec)]
    word = [f"IFS= read -rN1 -u{GO}", "read -r _ _ _ REPLY _ </proc/$$/stat", f"[[ $REPLY == {os.getpid()} ]]"]
    return " && ".join([*limits, *word, f"exec {GO}<&-", "unset REPLY", '. "$0"'])


def forked(
    python: ModuleType, control: socket.socket, spec: Mapping[str, Any], descriptors: list[int]
) -> tuple[int, str]:
    """Fork a process that waits for the word to run a Python script; return its id, or 0 and what is in the way.

    What the fork raises goes through here and ends it: nobody may catch that and go on as a second supervisor.
    """
    faults, fault = os.pipe()
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        control.close()
        os.close(faults)
        become(spec, descriptors, supervisor, python, fault)
    for one in (*descriptors, fault):
        os.close(one)
    with os.fdopen(faults, "rb") as pipe:
        why = pipe.read().decode()
    if why:
        os.waitpid(pid, 0)
    return (0, why) if why else (pid, "")


def reason(error: Exception) -> str:
    """Return what is in the way, in the system's words."""
    return getattr(error, "strerror", None) or str(error)


def detach(given: int, output: int) -> None:
    """Give this process a session and streams of its own, and the signals that a script expects."""
    os.setsid()
    for number in BACK_TO_DEFAULT:
        signal.signal(number, signal.SIG_DFL)
    for one, place in ((given, 0), (output, 1), (output, 2)):
        os.dup2(one, place)
    os.close(given)
    os.close(output)


def told(go: int, supervisor: int) -> bool:
    """Wait for the word to begin; False where it won't come, or nobody would supervise the script any more."""
    try:
        return os.read(go, 1) == b"." and os.getppid() == supervisor
    finally:
        os.close(go)


def become(
    spec: Mapping[str, Any], descriptors: list[int], supervisor: int, python: ModuleType, fault: int
) -> NoReturn:
    """Be a Python script in this forked process; write to the descriptor `fault` what is in the way."""
    given, output, result, go = descriptors
    try:
        detach(given, output)
        settle(spec)
    except (OSError, ValueError) as error:
        os.write(fault, reason(error).encode())
        os._exit(127)
    os.close(fault)
    if not told(go, supervisor):
        os._exit(0)
    prctl(PR_SET_DUMPABLE, 1)  # as any process is, and as one is after an exec
    sys.exit(python.main(result))


def settle(spec: Mapping[str, Any]) -> None:
    """Give this process the script's directory, environment and limits."""
    os.chdir(spec["cwd"])
    os.environ.clear()
    os.environ.update(spec["env"])
    for name, value in limits_of(spec):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def limits_of(spec: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield the names (RLIMIT_…) and values of a script's limits; a lower one that is there stays."""
    limits = dict(spec["limits"])
    more = limits.pop("PROCESSES")
    if os.getuid() != 0:  # the kernel counts none of root's
        limits["NPROC"] = own_threads() + more
    for name, value in limits.items():
        _, hard = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
        yield name, value if hard == resource.RLIM_INFINITY else min(value, hard)


def own_threads() -> int:
    """Count the threads of all processes of this process's owner, as RLIMIT_NPROC does."""
    count = 0
    for process in processes():
        with suppress(OSError):
            threads = (process / "task").stat()
            count += threads.st_nlink - 2 if threads.st_uid == os.getuid() else 0
    return count


def processes() -> Iterator[Path]:
    """Yield the directory under /proc of every process there is."""
    return (path for path in Path("/proc").iterdir() if path.name.isdigit())


class Script:
    """A started script with all its descendants. `status` is what wait(2) said of it, once it did."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self.ended = os.pidfd_open(pid)

    def supervise(self, control: int, grace: float) -> int:
        """Wait for the end, or make one when told; leave nobody behind. Return the exit code."""
        if self.stop_comes_first(control):
            send(signal.SIGTERM, descendants())
            select.select([self.ended], [], [], grace)
        os.close(self.ended)
        while self.reap():
            send(signal.SIGKILL, children())
            time.sleep(0.002)
        code = os.waitstatus_to_exitcode(self.status or 0)
        return code if code >= 0 else 128 - code

    def stop_comes_first(self, control: int) -> bool:
        """Wait for the script's end (False) or the control socket's (True), burying orphans meanwhile."""
        while True:
            ready, _, _ = select.select([self.ended, control], [], [], 1.0)
            if self.ended in ready:
                return False
            if control in ready:
                return True
            self.reap()

    def reap(self) -> bool:
        """Bury the dead; return whether anybody is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.pid:
                self.status = status


def send(number: int, processes: list[int]) -> None:
    """Send a signal to processes, those that are no more left out."""
    for pid in processes:
        with suppress(OSError):
            os.kill(pid, number)


def children() -> list[int]:
    """Return the process ids of this process's children: killed again and again, all others become such.

    One read of the kernel's own list is quick enough to catch a process that forks and exits without end.
    """
    try:
        return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return descendants()


def descendants() -> list[int]:
    """Return the process ids of all under this one, parents first."""
    families: dict[int, list[int]] = {}
    for process in processes():
        with suppress(OSError):
            parent = int((process / "stat").read_bytes().rpartition(b")")[2].split()[1])
            families.setdefault(parent, []).append(int(process.name))
    found = [os.getpid()]
    for pid in found:
        found += families.get(pid, [])
    return found[1:]


def remove(directory: str) -> None:
    """Remove a directory with all in it, also where the script took away its own rights."""
    with suppress(OSError):
        for name in os.listdir(directory):  # noqa: PTH208 - as a rule there are only files, and a run waits for this
            os.unlink(f"{directory}/{name}")  # noqa: PTH108
        os.rmdir(directory)  # noqa: PTH106
        return
    with suppress(OSError, RecursionError):
        remove_tree(Path(directory))


def remove_tree(directory: Path) -> None:
    """Remove a directory with other directories in it. Raises OSError."""
    directory.chmod(0o700)
    for root, names, _ in os.walk(directory):
        for path in (Path(root, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)
    for root, names, files in os.walk(directory, topdown=False):
        for path in (Path(root, name) for name in (*files, *names)):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    directory.rmdir()


if __name__ == "__main__":
    main(int(sys.argv[1]))
