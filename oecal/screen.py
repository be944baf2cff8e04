"""python -m oecal.screen: the command of oecal.screening.command."""

import sys

from oecal.screening.command import main

if __name__ == "__main__":
    sys.exit(main())
