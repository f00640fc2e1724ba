"""What is wrong with a document, for people: they wait for the schema checker, the event loop does not."""

from __future__ import annotations

import trio

from dersim.ieee2030_5 import schema


async def explainer_ready() -> None:
    """Have xmlschema ready before a document is judged for somebody who looks at it."""
    if not schema.is_ready():
        await trio.to_thread.run_sync(schema.make_ready)


def explainer_ready_here() -> None:
    """The same in a thread, which may wait."""
    if not schema.is_ready():
        schema.make_ready()
