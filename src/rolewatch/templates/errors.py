"""What is wrong with a template or a test file, in the service's words where it has any, and where."""

from rolewatch.base.errors import UsageError
from rolewatch.templates.definitions import Notice, Place


class TemplateError(UsageError):
    """A template, a description or a test file that makes no sense; `text` is the message without the place."""

    def __init__(self, text: str, place: Place, *, remedy: str | None = None) -> None:
        super().__init__(f"{place}: {text}", remedy=remedy)
        self.text = text
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with all fields."""
        return _remade, (type(self), self.text, self.place, self.remedy)

    def notice(self, level: str = "error") -> Notice:
        """Tell it without ending: the resource is left out, or (as a warning) a part of it."""
        return Notice(level, f"{self.text} ({self.remedy})" if self.remedy else self.text, self.place)


class MissingParameterError(TemplateError):
    """A parameter is used that has neither a default nor a given value; `name` is its name."""

    def __init__(self, text: str, place: Place, *, remedy: str | None = None, name: str = "") -> None:
        super().__init__(text, place, remedy=remedy)
        self.name = name


def _remade(kind: type[TemplateError], text: str, place: Place, remedy: str | None) -> TemplateError:
    return kind(text, place, remedy=remedy)
