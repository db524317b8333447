"""A sealed request beside what lies there now: in what they differ, and its end where they do."""

from bot.core.action import Action
from bot.core.errors import DeputyError
from bot.core.lifecycle import Event, Happening, advance
from bot.core.request import Request, changes
from bot.core.run import Run
from bot.ports import Ports
from bot.service.authorise import seal
from bot.service.background import since_sealed
from bot.service.record import record


async def broken_seal(ports: Ports, run: Run, action: Action) -> tuple[str, ...]:
    """Compare a sealed request with the same request made now; say in words what no longer holds.

    `action` is what the catalogue has now under the name that was asked for.
    """
    if run.request.digest != run.digest:
        return ("The stored request is not the one that was sealed, so it will not run. Ask for it again.",)
    try:
        now = await sealed_now(ports, run, action)
    except DeputyError as error:
        return (f"What was asked for can't be run any more: {error}",)
    changed = changes(run.request, now)
    if not changed:
        return ()
    what = " and ".join(changed)
    verb = "have" if len(changed) > 1 or what.endswith("policies") else "has"
    return (
        f"{what[0].upper()}{what[1:]} {verb} changed since it was asked for, so nothing runs. Ask for it again.",
    )


async def sealed_now(ports: Ports, run: Run, action: Action) -> Request:
    """Build the request that the same asking would give now."""
    request = run.request
    return await seal(
        ports,
        request.requester,
        action,
        request.arguments,
        door=request.door,
        reason=request.reason,
        nonce=request.nonce,
        expires_at=request.expires_at,
        policy_version=ports.policy.version(),
        break_glass=request.break_glass,
    )


async def refuse_changed(ports: Ports, run: Run, action: Action, reasons: tuple[str, ...]) -> None:
    """End a run whose seal is broken; its card shows how the scripts differ, with both versions kept."""
    changed = await since_sealed(ports, run, action)
    happening = Happening(Event.REFUSE, reasons=reasons, background=changed if changed.changes else None)
    await record(ports, advance(run, happening, ports.clock.now()), scripts=action.scripts)
