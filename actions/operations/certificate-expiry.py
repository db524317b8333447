"""Shows how long a server's certificate lasts."""

import socket
import ssl
from datetime import UTC, datetime

from cryptography import x509

SECONDS = 10


def main(host: str, port: int = 443) -> dict[str, str | int]:
    """Return the facts of the certificate a TLS server shows, valid or not.

    Args:
        host: The server's name, such as www.example.com.
        port: The port it listens at.
    """
    try:
        certificate = _certificate(host, port)
        trusted = _trusted(host, port)
    except TimeoutError:
        raise SystemExit(f"{host}:{port} didn't answer within {SECONDS} seconds.") from None
    except ssl.SSLError as error:
        raise SystemExit(f"{host}:{port} doesn't speak TLS: {error.reason}.") from None
    except (OSError, ValueError) as error:
        raise SystemExit(f"{host}:{port} can't be reached: {error}. Check name and port.") from None
    ends = certificate.not_valid_after_utc
    return {
        "server": f"{host}:{port}",
        "days_left": (ends - datetime.now(UTC)).days,
        "expires": ends.strftime("%-d %b %Y, %H:%M UTC"),
        "trusted_here": trusted,
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
    }


def _certificate(host: str, port: int) -> x509.Certificate:
    # Nothing is sent over this connection; an expired certificate is to be read, not trusted.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with _connected(context, host, port) as connection:
        return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")


def _trusted(host: str, port: int) -> str:
    try:
        with _connected(ssl.create_default_context(), host, port):
            return "yes"
    except ssl.SSLCertVerificationError as error:
        return f"no: {error.verify_message}"


def _connected(context: ssl.SSLContext, host: str, port: int) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection((host, port), SECONDS), server_hostname=host)
