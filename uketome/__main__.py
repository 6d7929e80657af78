"""`python -m uketome`: the command, from whichever folder one stands in."""

import sys

from uketome.cli import main

sys.exit(main())
