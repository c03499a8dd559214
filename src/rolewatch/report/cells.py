"""A text in, a cell of a CSV file that no spreadsheet takes for a formula out."""

import re
from typing import Final

from rolewatch.base.sanitise import FORMULA_STARTS, csv_cell

#: Excel refuses cells of more than 32,767 characters; longer ones are cut and end with an ellipsis.
CELL_LIMIT: Final = 32_767

#: Where the list separator is a semicolon, as in much of Europe, a spreadsheet begins a new cell here.
_FORMULA_BEHIND: Final = re.compile(rf"(?<=;)(?=\s*[{re.escape(FORMULA_STARTS)}])")


def cell(text: str) -> str:
    """Make a cell."""
    made = _FORMULA_BEHIND.sub("'", csv_cell(text))
    return made if len(made) <= CELL_LIMIT else made[: CELL_LIMIT - 1] + "…"
