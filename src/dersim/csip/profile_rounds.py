"""What a profile changes of one client: its mirrors, its settings at first, and its visits in the rounds."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

from dersim.csip.config import CsipConfig, warn_of_pin
from dersim.csip.mirror import OF_DER, MirrorKind
from dersim.csip.profile_access import ProfileAccess
from dersim.csip.site_mirror import OF_SITE
from dersim.plugin.csip_profile import PLAIN, CsipProfile

if TYPE_CHECKING:
    from dersim.csip.client_context import ClientContext
    from dersim.csip.session import Session
    from dersim.csip.tree import Tree
    from dersim.plugin.extension import FrontendContext

_PREFIX = "visit of "


class ProfileRounds:
    """What a profile does in each discovery and between."""

    def __init__(self, profile: CsipProfile = PLAIN, access: ProfileAccess | None = None) -> None:
        self._access = access
        self._entry = profile.entry
        self._visits = {_PREFIX + each.name: each.visit for each in profile.visits}

    async def entry(self) -> str | None:
        """Where the profile finds the DeviceCapability; None: it does not look for it, or finds nothing."""
        if self._entry is None or self._access is None:
            return None
        return await self._entry(self._access)

    def __iter__(self) -> Iterator[str]:
        """The items of the schedule."""
        return iter(self._visits)

    def has(self, key: Hashable) -> bool:
        """Whether this is an item of ours."""
        return key in self._visits

    async def visit(self, key: Hashable) -> float | None:
        """Do one; returns in how many seconds it is due again."""
        if self._access is None:
            return None
        return await self._visits[str(key)](self._access)


def rounds_of(context: ClientContext, session: Session, tree: Tree) -> ProfileRounds:
    """Those of the profile of a run, for one client."""
    profile = context.frontend.csip_profile
    access = ProfileAccess(context.device, session, tree, context.say, profile.name)
    return ProfileRounds(profile, access)


def kinds_of_mirrors(context: ClientContext) -> Sequence[MirrorKind]:
    """That of the DER, and with a load behind its meter that of the site; or those of the profile."""
    has_load = context.device.inputs.site is not None
    own = context.frontend.csip_profile.mirrors
    if own is not None:
        return own(context.device.nameplate, has_load)
    return (OF_DER, OF_SITE) if has_load else (OF_DER,)


def begin(context: FrontendContext) -> CsipConfig:
    """Give the DER the settings that its profile begins with; what its flags say.

    A state that is restored later has its own settings. ConfigError for a bad flag.
    """
    config, device, profile = CsipConfig.from_options(context.options), context.device, context.csip_profile
    if device is not None and profile.settings is not None:
        device.settings.update(profile.settings(device))
    if device is not None and device is context.fleet.devices[0]:
        warn_of_pin(config, context)
    return config
