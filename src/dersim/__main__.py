"""`python -m dersim`."""

import sys

from dersim.cli.main import main

sys.exit(main())
