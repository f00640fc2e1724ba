"""The configuration of the companion server, and the poll rates that can change while it runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from dersim.errors import ConfigError
from dersim.ieee2030_5.edition import Edition
from dersim.numeric import shown
from dersim.plugin.server_parts import PenForm, Rule, ServerProfile
from dersim.utility.event_status import ENDED_LISTED_S
from dersim.utility.mrids import PEN

RegistrationMode = Literal["open", "inband", "known"]
#: Where Notifications may go: to the address that the Subscription came from, or to any.
NotifyHosts = Literal["own", "anywhere"]
DEFAULT_PIN = 111115
DEFAULT_STATE_DAYS = 30
#: At most one Notification of a resource to a client in so long, seconds (2030.5-2018 8.7.3.4 k).
DEFAULT_NOTIFY_GAP_S = 30.0
MAX_POLL_RATE_S = 86_400


@dataclass(slots=True)
class PollRates:
    """The poll rates that the server advertises, in seconds.

    mup: of the MirrorUsagePointList. post: the postRate of mirrors; None takes `mup`.
    """

    dcap: int = 30
    edev: int = 10
    fsa: int = 10
    derp: int = 10
    der: int = 10
    mup: int = 60
    post: int | None = None

    @property
    def post_s(self) -> int:
        """The postRate of mirrors."""
        return self.mup if self.post is None else self.post

    def change(self, data: Any) -> None:
        """Change some rates, `{"derp": 5}`; ConfigError names a bad key or value and changes nothing."""
        names = [item.name for item in fields(self)]
        if not isinstance(data, dict) or not data:
            raise ConfigError(f"poll rates: an object with some of {', '.join(names)} is needed")
        for name, value in data.items():
            if name not in names:
                raise ConfigError(f"{name[:40]}: is no poll rate; known are {', '.join(names)}")
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_POLL_RATE_S:
                raise ConfigError(
                    f"{name}: whole seconds from 1 to {MAX_POLL_RATE_S} are needed, not {shown(value)}"
                )
        for name, value in data.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, int]:
        """All rates by name; without `post` where it is that of `mup`."""
        rates = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: rate for name, rate in rates.items() if rate is not None}


@dataclass(slots=True)
class UtilityConfig:
    """The configuration of one companion server.

    host, port: of the 2030.5 side. Port 0 takes a free one.
    admin_host, admin_port, admin_token: of the operator's side; with a token it answers nobody without it.
    certificate, key, root: required if `encrypted`. strict: refuse bodies that violate the standard; refused:
    those that violate these rules.
    personality: the edition of all answers; None: that of each client's last body.
    own_programs: begin with the programs `system` and `operator`; without them a scenario makes all.
    pen, pen_form: the private enterprise number in the mRIDs made here, and how their last digits give it.
    ended_listed_s: how long a control stays listed after its end. latency_s: by which each answer to a
    2030.5 client comes later. advertise: by DNS-SD.
    subscriptions: offer them. notify_gap_s: between two Notifications of one Subscription; notify_hosts:
    where they may go; notify_http: also without TLS.
    state: the file in which everything is kept, None for nothing; state_days: how long readings are.
    """

    host: str = "127.0.0.1"
    port: int = 8443
    admin_host: str = "127.0.0.1"
    admin_port: int = 8444
    admin_token: str | None = field(default=None, repr=False)
    encrypted: bool = True
    certificate: Path | None = None
    key: Path | None = None
    root: Path | None = None
    registration: RegistrationMode = "open"
    pin: int = DEFAULT_PIN
    cycle: bool = False
    own_programs: bool = True
    personality: Edition | None = None
    strict: bool = False
    refused: frozenset[Rule] = frozenset()
    pen: int = PEN
    pen_form: PenForm = "hexadecimal"
    ended_listed_s: int = ENDED_LISTED_S
    latency_s: float = 0.0
    advertise: bool = False
    poll_rates: PollRates = field(default_factory=PollRates)
    subscriptions: bool = True
    notify_gap_s: float = DEFAULT_NOTIFY_GAP_S
    notify_hosts: NotifyHosts = "own"
    notify_http: bool = False
    state: Path | None = None
    state_days: int = DEFAULT_STATE_DAYS

    def follow(self, profile: ServerProfile, given: Collection[str] = ()) -> None:
        """Do as the profile asks. given: the names of the options that the user has set, which win."""
        self.pen_form = profile.pen_form or self.pen_form
        self.refused |= frozenset(profile.refuses)
        if profile.ended_listed_s is not None and "ended_listed" not in given:
            self.ended_listed_s = profile.ended_listed_s
