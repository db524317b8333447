"""The demo's directory: ldaptor serving a few people and groups over real LDAP on loopback.

Run as `python -m bot.demo.directory`, with `serve`'s arguments as JSON on the first line of its standard
input; it prints one line of JSON when it is ready, and ends when its input ends. Everything is in memory.
"""

import json
import sys
from typing import Any, cast

from ldaptor import delta
from ldaptor.protocols import pureldap
from ldaptor.protocols.ldap import ldaperrors, ldapserver
from twisted.internet import protocol, reactor
from twisted.internet.error import CannotListenError

from bot.demo.domain import BASE, SERVICE, Domain
from bot.demo.program import end_with_stdin


class Session(ldapserver.LDAPServer):  # type: ignore[misc]
    """One connection: who isn't bound may do nothing, and who is may search and change what is allowed."""

    factory: "Sessions"
    bound = False

    def handle_LDAPBindRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        self.bound = False
        if request.sasl or request.version != 3:
            raise ldaperrors.LDAPAuthMethodNotSupported("Only simple binds of LDAP 3 are answered.")
        if request.dn or request.auth:
            self.factory.domain.bind(request.dn, request.auth)
            self.bound = True
        return pureldap.LDAPBindResponse(resultCode=0)

    def handle_LDAPSearchRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        self._only_bound()
        return super().handle_LDAPSearchRequest(request, controls, reply)

    def handle_LDAPModifyRequest(self, request: Any, controls: Any, reply: Any) -> Any:
        self._only_bound()
        self.factory.domain.modify(request.object, delta.ModifyOp.fromLDAP(request).modifications)
        return pureldap.LDAPModifyResponse(resultCode=0)

    def _forbidden(self, request: Any, controls: Any, reply: Any) -> Any:
        raise ldaperrors.LDAPInsufficientAccessRights("00000005: SecErr: INSUFF_ACCESS_RIGHTS")

    handle_LDAPAddRequest = handle_LDAPDelRequest = handle_LDAPModifyDNRequest = _forbidden
    handle_LDAPCompareRequest = handle_LDAPExtendedRequest = _forbidden

    def _only_bound(self) -> None:
        if not self.bound:
            raise ldaperrors.LDAPOperationsError("000004DC: LdapErr: a successful bind must be completed first")


class Sessions(protocol.Factory):
    """Makes a session of every connection."""

    protocol = Session

    def __init__(self, domain: Domain) -> None:
        self.domain = domain

    def __conform__(self, interface: object) -> Any:
        """Give ldaptor the entry it starts from."""
        return self.domain.root


def serve(password: str, port: int) -> None:
    """Answer until the process ends; on any port where `port` is 0 or taken."""
    loop, sessions = cast(Any, reactor), Sessions(Domain(password))
    try:
        listening = loop.listenTCP(port, sessions, interface="127.0.0.1")
    except CannotListenError:
        listening = loop.listenTCP(0, sessions, interface="127.0.0.1")
    ready = {"url": f"ldap://127.0.0.1:{listening.getHost().port}", "username": SERVICE, "base_dn": BASE}
    loop.callWhenRunning(lambda: print(json.dumps(ready), flush=True))
    # Without handlers of its own, a TERM ends the process at once; there is nothing to save.
    loop.run(installSignalHandlers=False)


if __name__ == "__main__" and (first_line := sys.stdin.readline()):
    end_with_stdin()
    serve(**json.loads(first_line))
