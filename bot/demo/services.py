"""The demo's service supervisor: answers supervisord's XML-RPC (supervisord.org/api.html) on loopback.

Run as `python -m bot.demo.services`, with `serve`'s arguments as JSON on the first line of its standard
input; it prints one line of JSON when it is ready, and ends, its services with it, when its input ends.
"""

import base64
import json
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from bot.demo.program import end_with_stdin

USERNAME = "deputy"
LARGEST = 100_000
START_SECONDS = 0.1
STOP_SECONDS = 3.0
STATES = {"STOPPED": 0, "RUNNING": 20, "EXITED": 100}
# supervisord's own numbers, from its supervisor/xmlrpc.py.
BAD_NAME, SPAWN_ERROR, ALREADY_STARTED, NOT_RUNNING = 10, 50, 60, 70

Info = dict[str, str | int]


class Service:
    """A real process, started at once, that can be stopped and started again. Times are in whole seconds."""

    def __init__(self, name: str, *arguments: str, descriptors: tuple[int, ...] = ()) -> None:
        self.name = name
        self._command = [sys.executable, "-I", "-S", str(Path(__file__).with_name("program.py")), name, *arguments]
        self._descriptors = descriptors
        self.start()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def start(self) -> None:
        """Start its process, which ends with our end of its standard input."""
        self._started, self._stopped = int(time.time()), 0
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=self._descriptors
        )

    def survives(self, seconds: float) -> bool:
        """Say whether the process is still there after some seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return True
        return False

    def stop(self) -> None:
        """End its process, by force where it doesn't listen."""
        self._process.terminate()
        if self.survives(STOP_SECONDS):
            self._process.kill()
            self._process.wait()
        self._stopped = int(time.time())

    def info(self) -> Info:
        """Return what supervisord tells about a process."""
        state = "RUNNING" if self.running else "STOPPED" if self._stopped else "EXITED"
        now, pid = int(time.time()), self._process.pid if self.running else 0
        return {
            "name": self.name,
            "group": self.name,
            "state": STATES[state],
            "statename": state,
            "pid": pid,
            "now": now,
            "start": self._started,
            "stop": self._stopped,
            "description": f"pid {pid}, up {now - self._started} s" if pid else "not running",
        }


class Services:
    """The methods of supervisord's `supervisor` namespace that Deputy's actions use."""

    def __init__(self, services: Mapping[str, Service]) -> None:
        self._services = services

    def methods(self) -> list[Callable[..., Any]]:
        """Return what may be called from outside."""
        return [self.getAllProcessInfo, self.getProcessInfo, self.startProcess, self.stopProcess]

    def getAllProcessInfo(self) -> list[Info]:
        return [service.info() for service in self._services.values()]

    def getProcessInfo(self, name: str) -> Info:
        return self._service(name).info()

    def startProcess(self, name: str, wait: bool = True) -> bool:
        service = self._service(name)
        if service.running:
            raise Fault(ALREADY_STARTED, f"ALREADY_STARTED: {name}")
        service.start()
        if wait and not service.survives(START_SECONDS):
            raise Fault(SPAWN_ERROR, f"SPAWN_ERROR: {name}")
        return True

    def stopProcess(self, name: str, wait: bool = True) -> bool:
        service = self._service(name)
        if not service.running:
            raise Fault(NOT_RUNNING, f"NOT_RUNNING: {name}")
        service.stop()
        return True

    def _service(self, name: str) -> Service:
        if name not in self._services:
            raise Fault(BAD_NAME, f"BAD_NAME: {name}")
        return self._services[name]


def serve(password: str, port: int) -> None:
    """Start the services and answer until the process ends; on any port where `port` is 0 or taken."""
    with _listening(port, _handler(password)) as server:
        # The listening socket is ours and handed on, so the address stays over restarts.
        listener = socket.create_server(("127.0.0.1", 0))
        web = Service("web", str(listener.fileno()), descriptors=(listener.fileno(),))
        services = {"web": web, "mailer": Service("mailer")}
        for method in Services(services).methods():
            server.register_function(method, f"supervisor.{method.__name__}")
        ready = {
            "url": f"http://127.0.0.1:{server.server_address[1]}",
            "username": USERNAME,
            "web": f"http://127.0.0.1:{listener.getsockname()[1]}/",
        }
        print(json.dumps(ready), flush=True)
        server.serve_forever()


def _listening(port: int, handler: type[SimpleXMLRPCRequestHandler]) -> SimpleXMLRPCServer:
    try:
        return SimpleXMLRPCServer(("127.0.0.1", port), handler, logRequests=False)
    except OSError:
        return SimpleXMLRPCServer(("127.0.0.1", 0), handler, logRequests=False)


def _handler(password: str) -> type[SimpleXMLRPCRequestHandler]:
    expected = "Basic " + base64.b64encode(f"{USERNAME}:{password}".encode()).decode()

    class Handler(SimpleXMLRPCRequestHandler):
        rpc_paths = ("/RPC2",)

        def do_POST(self) -> None:
            given = self.headers.get("Authorization", "")
            if secrets.compare_digest(given.encode(), expected.encode()):
                super().do_POST()
            else:
                # An unread body would reset the connection before the answer is read.
                self.rfile.read(min(int(self.headers.get("Content-Length", 0)), LARGEST))
                self.send_error(401)

    return Handler


if __name__ == "__main__" and (first_line := sys.stdin.readline()):
    end_with_stdin()
    serve(**json.loads(first_line))
