"""For all tests: a failing front-end fails the test, in processes that tests start as well."""

import os

from dersim.cli.sim_options import FAIL_FAST_VARIABLE

os.environ.setdefault(FAIL_FAST_VARIABLE, "yes")
