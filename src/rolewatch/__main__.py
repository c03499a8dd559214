"""`python -m rolewatch`."""

import sys

from rolewatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
