"""For all tests and their processes: a failing front-end fails the test; pipes have no colours.

The fixtures of `dersim.testing` are there also where the installed distribution does not name the plug-in.
"""

import os

from dersim.cli import watching
from dersim.cli.sim_options import FAIL_FAST_VARIABLE
from dersim.testing import plugin

os.environ.setdefault(FAIL_FAST_VARIABLE, "yes")
os.environ.setdefault(watching.VARIABLE, "yes")  # `dersim sim` then ends with 1 where one is violated
os.environ.pop("FORCE_COLOR", None)  # a build machine's, for pytest itself


def pytest_configure(config):
    """Register the plug-in, unless its entry point has done it."""
    if not config.pluginmanager.is_registered(plugin):
        config.pluginmanager.register(plugin, "dersim")


def pytest_xdist_auto_num_workers() -> int:
    """Two more than the cores: several tests mostly wait for processes. A browser does not."""
    return (os.cpu_count() or 1) + (1 if os.environ.get("DERSIM_STAGE") == "browser" else 2)
