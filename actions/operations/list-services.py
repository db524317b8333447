"""Lists the services that supervisord looks after."""

from supervisor import connect, service_name


def main(*, supervisor: dict[str, str]) -> list[dict[str, str]]:
    """Return every service and how it stands."""
    with connect(supervisor) as services:
        return [
            {
                "service": service_name(info),
                "state": str(info["statename"]).lower(),
                "about": str(info["description"]),
            }
            for info in services.getAllProcessInfo()
        ]
