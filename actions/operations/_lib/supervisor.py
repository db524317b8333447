"""supervisord's XML-RPC interface (supervisord.org/api.html), with its faults as sentences."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit
from xmlrpc.client import Error, Fault, ProtocolError, SafeTransport, ServerProxy, Transport

FIELDS = ("url", "username", "password")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SECONDS = 90  # stopProcess and startProcess answer only when it is done
SENTENCES = {
    6: "The service supervisor is shutting down. Ask again when it is back.",
    10: "There is no service of that name. list-services shows all of them.",
    20: "The service's program isn't there, so it is stopped now. Its senior engineers must look at it.",
    21: "The service's program can't be executed, so it is stopped now. Its senior engineers must look at it.",
    40: "The service ended right after it was started, so it is down now. Its log says why.",
    50: "The service could not be started, so it is down now. Its log says why.",
    60: "The service was started by somebody else at the same time. Look with list-services.",
    70: "The service was stopped by somebody else at the same time. Look with list-services.",
}


class _Transport(Transport):
    def make_connection(self, host: Any) -> HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = SECONDS
        return connection


class _SafeTransport(SafeTransport):
    def make_connection(self, host: Any) -> Any:
        connection = super().make_connection(host)
        connection.timeout = SECONDS
        return connection


@contextmanager
def connect(credential: Mapping[str, str]) -> Iterator[Any]:
    """Give a block the `supervisor` methods, with a credential of `url`, `username` and `password`."""
    missing = [name for name in FIELDS if not credential.get(name)]
    if missing:
        raise SystemExit(
            f"The service supervisor's credential lacks {' and '.join(missing)}. Store it again, complete."
        )
    parts = urlsplit(credential["url"])
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise SystemExit(
            f"The service supervisor's url is “{credential['url']}”, which would send its password unprotected, "
            "so nothing was done. Store the credential with an https:// url, or one on this machine."
        )
    pair = base64.b64encode(f"{credential['username']}:{credential['password']}".encode()).decode()
    headers = [("Authorization", f"Basic {pair}")]
    transport = (_SafeTransport if parts.scheme == "https" else _Transport)(headers=headers)
    try:
        with ServerProxy(f"{parts.scheme}://{parts.netloc}/RPC2", transport=transport) as proxy:
            yield proxy.supervisor
    except (Error, HTTPException, OSError) as error:
        raise SystemExit(_sentence(error, parts.netloc)) from None


def service_name(info: Mapping[str, Any]) -> str:
    """Return what supervisord calls a process: `name`, or `group:name` where it is one of a group."""
    name, group = str(info["name"]), str(info["group"])
    return name if name == group else f"{group}:{name}"


def _sentence(error: Exception, place: str) -> str:
    if isinstance(error, Fault):
        return SENTENCES.get(error.faultCode, f"The service supervisor refused: {error.faultString}.")
    if isinstance(error, ProtocolError) and error.errcode == 401:
        return (
            "The service supervisor doesn't accept Deputy's credential. Store its current password in the vault."
        )
    if isinstance(error, TimeoutError):
        return f"The service supervisor was silent for {SECONDS} seconds. Look with list-services how it stands."
    return f"The service supervisor at {place} can't be reached. Ask again when it is back."
