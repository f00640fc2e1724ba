"""The task of a shard: the only function that Dask pickles.

Nothing of dersim is imported with this module, so that a worker with another dersim can load it and be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dersim.fleet_run.messages import Run, Summary
    from dersim.fleet_run.plan import Shard


def run_shard(shard: Shard, files: Mapping[str, bytes], run: Run) -> Summary:
    """Run the DERs of a shard in this thread of a worker until it is stopped.

    files: certificates and other files by name. No error leaves it: an exception group does not pickle.
    """
    from dersim.fleet_run.life import Life  # noqa: PLC0415 - see the head
    from dersim.fleet_run.running import run_until_stopped  # noqa: PLC0415

    life = Life(run, shard.name)
    return run_until_stopped(shard, files, life)
