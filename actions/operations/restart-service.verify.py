"""Asks the service supervisor again: does the service run, and was it just started?"""

from supervisor import connect

# The action's own timeout, and as much again for a worker that is busy.
RECENT = 240


def main(service: str, *, supervisor: dict[str, str]) -> dict[str, str | bool]:
    """Return whether the service runs and hasn't run for longer than a restart is ago."""
    with connect(supervisor) as services:
        info = services.getProcessInfo(service)
    seconds = info["now"] - info["start"]
    if info["statename"] != "RUNNING":
        return {"ok": False, "message": f"{service} is {info['statename'].lower()}, not running."}
    return {
        "ok": seconds <= RECENT,
        "message": f"{service} is running as process {info['pid']}, started {seconds} seconds ago.",
    }
