"""CloudFormation text in, definitions of metric filters and alarms out."""

from rolewatch.templates.combination import combined
from rolewatch.templates.errors import TemplateError
from rolewatch.templates.template import read_template
from rolewatch.templates.trials import read_trials

__all__ = ["TemplateError", "combined", "read_template", "read_trials"]
