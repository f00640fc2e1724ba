"""Companion servers that go on from the state file of one another."""

import contextlib

import pytest
import trio
from tests.utility.conftest import Lab


class Runs:
    """One server after the other with the same file; each is a `Lab` whose state is open."""

    def __init__(self, path):
        self.path = path
        self.now = None

    @contextlib.asynccontextmanager
    async def run(self, *, kill=False, **config):
        """A server; at the end everything is committed, or with `kill` only what was committed before."""
        lab = Lab(state=self.path, **config)
        if self.now is not None:
            lab.now = self.now
        await lab.server.state.open()
        lab.head_end.start()
        lab.server.state.collect()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lab.server.state.run)
            yield lab
            self.now = lab.now
            if kill:
                lab.head_end.journal.take()
                lab.head_end.journal.on = False
            nursery.cancel_scope.cancel()


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "state.db")
