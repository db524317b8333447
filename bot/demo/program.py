"""One of the demo's services, run by path: `program.py web DESCRIPTOR` or `program.py mailer`.

`web` answers HTTP on a listening socket it is handed; `mailer` waits for mail that never comes.
"""

import os
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


def end_with_stdin() -> None:
    """End this process when its standard input ends: that is when its parent is gone, killed or not."""

    def wait() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"The demo's web service, process {os.getpid()}.\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: nobody reads it."""


def _serve(listener: socket.socket) -> None:
    with HTTPServer(listener.getsockname(), _Page, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = listener
        server.serve_forever()


if __name__ == "__main__":
    end_with_stdin()
    if sys.argv[1] == "web":
        _serve(socket.socket(fileno=int(sys.argv[2])))
    threading.Event().wait()
