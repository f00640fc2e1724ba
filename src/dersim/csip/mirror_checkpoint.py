"""The part of `Metering` that gives the place of its mirror to a checkpoint, and finds the mirror again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dersim.csip.session import RequestRefused

if TYPE_CHECKING:
    from dersim.ieee2030_5.resources import MirrorUsagePoint


class KeepsMirror:
    """Checkpoint and restore of one mirror: not every server knows one that is posted twice by its mRID."""

    href: str | None
    _was_at: str | None = None

    def checkpoint(self) -> list[str | None]:
        """Where the mirror is."""
        return [self.href or self._was_at]

    def restore(self, hrefs: list[str | None]) -> None:
        """Look for the mirror of that run before one is created."""
        self._was_at = next(iter(hrefs), None)

    async def _find(self, mirrors_href: str) -> MirrorUsagePoint | None:
        raise NotImplementedError

    def _use(self, point: MirrorUsagePoint) -> None:
        raise NotImplementedError

    async def _is_listed(self, mirrors_href: str) -> bool:
        """Whether the server has the mirror of an earlier run; that is used then."""
        try:
            known = await self._find(mirrors_href)
        except RequestRefused as error:
            if error.retry_after_s is not None:
                raise
            known = None
        self._was_at = None
        if known is not None:
            self._use(known)
        return known is not None
