"""Lists the services of the program manager."""

from supervisor import connect, service_name


def main(*, supervisor: dict[str, str]) -> list[dict[str, str]]:
    """Return every service and how it stands."""
    with connect(supervisor) as manager:
        return [
            {
                "service": service_name(info),
                "state": str(info["statename"]).lower(),
                "about": str(info["description"]),
            }
            for info in manager.getAllProcessInfo()
        ]
