"""Lists the groups that accounts can be put into."""

from directory import connect


def main(*, directory: dict[str, str]) -> list[dict[str, str | None]]:
    """Return every group but those that give an administrator's rights, which add-to-group refuses."""
    with connect(directory) as session:
        groups = [group for group in session.groups() if not group.protected]
    return [{"group": group.name, "description": group.text("description") or None} for group in groups]
