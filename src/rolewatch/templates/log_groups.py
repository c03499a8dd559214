"""A template, and which log groups deliveries belong to, in; what nothing of the template looks at out."""

from collections.abc import Mapping, Sequence

from rolewatch.templates.definitions import Notice, Place, Template


def unknown_groups(template: Template, groups: Mapping[str, Sequence[str]]) -> list[Notice]:
    """Warn of log groups (name → SOURCEs) that no metric filter or log alarm is about: nothing is counted in their records."""
    if any(not each.query.groups for each in template.log_alarms):
        return []  # it sees them all
    asked = {name for each in template.log_alarms for name in each.query.groups}
    known = sorted({each.log_group for each in template.filters} | asked)
    what = "metric filter or log alarm" if template.log_alarms else "metric filter"
    return [
        Notice("warning", f"no {what} is of the log group {name}; there are: {', '.join(known)}", Place(", ".join(sources), 0, 0, ""))
        for name, sources in groups.items()
        if name not in known
    ]  # fmt: skip
