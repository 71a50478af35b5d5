"""`python -m kmslint`."""

import sys

from kmslint.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
