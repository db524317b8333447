"""Restarts a service that supervisord looks after."""

from supervisor import connect

UP = ("RUNNING", "STARTING")


def main(service: str, *, supervisor: dict[str, str]) -> dict[str, str | int]:
    """Stop the service where it runs, start it, and return its old and new process.

    Args:
        service: The service to restart.
    """
    with connect(supervisor) as services:
        before = services.getProcessInfo(service)
        if before["statename"] in UP:
            print(f"Stopping {service} (process {before['pid']}).")
            services.stopProcess(service)
        print(f"Starting {service}.")
        services.startProcess(service)
        after = services.getProcessInfo(service)
    return {
        "service": service,
        "state": str(after["statename"]).lower(),
        "process_before": before["pid"] or "not running",
        "process_now": after["pid"],
    }
