"""Asks a web address and shows how it answers."""

import ipaddress
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, quote, urlsplit

from sizes import size

SECONDS = 10
MOST = 10_000_000
METADATA = ("fd00:ec2::254", "100.100.100.200")


def main(url: str) -> dict[str, str | int]:
    """Return status, time and size of the answer to one GET; redirects are shown, not followed.

    Args:
        url: The address, beginning with http:// or https://.
    """
    parts = _parts(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    began = time.monotonic()
    try:
        connection.connect()
        _refuse_metadata(connection)
        days = _days_left(connection)
        connection.request("GET", _path(parts), headers={"User-Agent": "deputy"})
        answer = connection.getresponse()
        length = len(answer.read(MOST))
        return _facts(url, answer, time.monotonic() - began, length, days)
    except ssl.SSLCertVerificationError as error:
        raise SystemExit(f"The certificate of {parts.hostname} isn't valid: {error.verify_message}.") from None
    except TimeoutError:
        raise SystemExit(f"{parts.hostname} didn't answer within {SECONDS} seconds.") from None
    except (OSError, HTTPException) as error:
        raise SystemExit(f"{parts.hostname} can't be asked: {error or type(error).__name__}.") from None
    finally:
        connection.close()


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc:
            parts.hostname.encode("idna")
            return parts
    except ValueError:
        pass
    raise SystemExit(
        f"“{url}” is not an address to check. Give one such as https://www.example.com, without a password in it."
    )


def _path(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    return f"{path}?{quote(parts.query, safe='/%:@!$&()*+,;=~?')}" if parts.query else path


def _refuse_metadata(connection: HTTPConnection) -> None:
    # Clouds hand out credentials at these addresses. Who is connected doesn't change, as a name's address can.
    peer = ipaddress.ip_address(connection.sock.getpeername()[0].partition("%")[0])
    peer = getattr(peer, "ipv4_mapped", None) or peer
    if peer.is_link_local or str(peer) in METADATA:
        asked = connection.host if connection.host == str(peer) else f"{connection.host} ({peer})"
        raise SystemExit(f"At {asked} clouds hand out credentials, so it was not asked.")


def _days_left(connection: HTTPConnection) -> int | None:
    if not isinstance(connection.sock, ssl.SSLSocket):
        return None
    ends = str((connection.sock.getpeercert() or {})["notAfter"])
    return int((ssl.cert_time_to_seconds(ends) - time.time()) // 86_400)


def _facts(url: str, answer: HTTPResponse, seconds: float, length: int, days: int | None) -> dict[str, str | int]:
    to = answer.headers.get("Location")
    return {
        "url": url,
        "status": f"{answer.status} {answer.reason}",
        "time": f"{1000 * seconds:.0f} ms",
        "size": f"{'at least ' if length == MOST else ''}{size(length)}",
        **({"redirects_to": to} if to else {}),
        **({"certificate_days_left": days} if days is not None else {}),
    }
