"""A request, sealed: its digest covers everything that will run and who asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core import canonical
from bot.core.action import Action
from bot.core.parameter import Value
from bot.core.principal import Who


@dataclass(frozen=True)
class Request:
    """What a principal asks. Scripts are SHA-256 in hex; `credentials` maps names to `reference@version`."""

    requester: Who
    action: str
    arguments: Mapping[str, Value]
    target: str
    script: str
    interpreter: str
    policy_version: str
    expires_at: datetime
    nonce: str
    door: str
    libraries: Mapping[str, str] = field(default_factory=dict)
    verify: str | None = None
    definition: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    break_glass: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON (RFC 8785) of all that was asked; what approvals vote on."""
        return canonical.sha256(self.sealed())

    def sealed(self) -> dict[str, canonical.Json]:
        """Return the fields under the seal, in JSON's types. Names of persons are no part of it."""
        return {
            "tenant": self.requester.tenant.lower(),
            "requester": self.requester.oid.lower(),
            "action": self.action,
            "arguments": dict(self.arguments),
            "target": self.target,
            "script": self.script,
            "libraries": dict(self.libraries),
            "verify": self.verify,
            "definition": self.definition,
            "interpreter": self.interpreter,
            "credentials": dict(self.credentials),
            "policy_version": self.policy_version,
            "expires_at": self.expires_at.isoformat(),
            "nonce": self.nonce,
            "door": self.door,
            "reason": self.reason,
            "break_glass": self.break_glass,
        }


def changes(request: Request, now: "Request") -> tuple[str, ...]:
    """Name in words what differs between a sealed request and the same request made now."""
    words = {
        "script": "the script",
        "libraries": "a library of the script",
        "verify": "the script's check",
        "definition": "the action's description",
        "interpreter": "the interpreter",
        "credentials": "a credential",
        "policy_version": "the policies",
        "target": "the target",
        "arguments": "an argument",
    }
    before, after = request.sealed(), now.sealed()
    return tuple(word for name, word in words.items() if before[name] != after[name])


def script_hashes(action: Action) -> tuple[str, dict[str, str], str | None]:
    """Return the hashes of an action's script, libraries and check, as a request seals them."""
    libraries = {library.name: library.sha for library in action.libraries}
    return action.script.sha, libraries, action.verify.sha if action.verify else None
