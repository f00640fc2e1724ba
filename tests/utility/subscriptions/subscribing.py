"""A server without sockets whose Notifications the test takes itself."""

from dersim.ieee2030_5 import Edition, decode
from dersim.ieee2030_5 import resources as r
from dersim.modes import modes_from_json
from dersim.utility.programs import ControlOrder
from dersim.utility.subscriptions.notifier import Outgoing

URI = "https://127.0.0.1:9443/ntfy"


def wish(resource, **fields):
    """A Subscription to post."""
    given = {"encoding": 0, "level": "+S1", "limit": 10, "notificationURI": URI} | fields
    return r.Subscription(subscribedResource=resource, **given)


class Subscribers:
    """Subscribes in the name of clients, and takes what is due by now, answering it with 201."""

    def __init__(self, lab):
        self.lab = lab
        self.head_end = lab.head_end
        self.notifier = lab.server.notifier

    @property
    def operator(self):
        """The program of the operator."""
        return self.head_end.programs.get(2)

    def publish(self, **order):
        given = {
            "modes": modes_from_json({"opModMaxLimW": 40}),
            "start_s": int(self.lab.now) + 60,
            "duration_s": 60,
        }
        return self.head_end.publish(self.operator, ControlOrder(**(given | order)))

    def subscribe(self, client, resource, *, device=1, **fields):
        """The path of the Subscription."""
        response = client.post(f"/edev/{device}/sub", wish(resource, **fields))
        assert response.status == 201, response
        return response.header("location")

    def raw(self):
        """The Subscriptions that are due with what is to be sent; not answered yet."""
        now_s = self.lab.now
        self.notifier.collect(now_s)
        found = []
        while (record := self.notifier.take(now_s)) is not None:
            outgoing = self.notifier.prepare(record, now_s)
            if outgoing is not None:
                found.append((record, outgoing))
        return found

    def answered(self, status=201):
        """The bodies that are due, each answered with a status."""
        bodies = []
        for record, outgoing in self.raw():
            assert isinstance(outgoing, Outgoing)
            bodies.append(outgoing.body)
            self.notifier.answered(record, outgoing, status, self.lab.now)
        return bodies

    def told(self, edition=Edition.E2018):
        """The Notifications that are due; each must be valid."""
        return [
            decode(body, r.Notification, strict=True, edition=edition).resource for body in self.answered()
        ]
