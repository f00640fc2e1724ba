"""`python -m dersim`."""

import sys

from dersim.cli import main

sys.exit(main())
