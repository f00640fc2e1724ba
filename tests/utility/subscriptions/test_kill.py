"""SIGKILL: a subscriber is told each change once, whichever life of the server tells it."""

import http.server
import os
import queue
import signal
import threading

import pytest
from tests.utility.state.test_kill import LFDI, Lives
from tests.utility.subscriptions.subscribing import wish

from dersim.ieee2030_5 import decode, identity
from dersim.ieee2030_5 import resources as r

PATIENCE_S = 20


class Listening(http.server.BaseHTTPRequestHandler):
    """Answers 201 and hands the Notification on."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.told.put(decode(body, r.Notification, strict=True).resource)
        self.send_response(201)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def listener():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listening) as listener:
        listener.told = queue.Queue()
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


def wait_for_commit(server, sent):
    """The server has the answer to the last Notification, and has written that to its file."""
    while server.admin_get("/api/utility/subscriptions")[0]["sent"] < sent:
        pass
    server.admin.request(
        "PUT", "/api/utility/poll-rates", '{"mup": 61}', {"content-type": "application/json"}
    )
    assert server.admin.getresponse().read()


@pytest.mark.slow  # test_keeping.py has the same without processes
def test_a_subscription_survives_a_kill_and_only_news_are_told(tmp_path, listener):
    lives = Lives(tmp_path / "state.db")
    server = lives.begin()
    server.send("/edev", r.EndDevice(lFDI=LFDI, sFDI=identity.sfdi(LFDI), changedTime=0))
    uri = f"http://127.0.0.1:{listener.server_port}/"
    server.send("/edev/1/sub", wish("/derp/2/derc", notificationURI=uri))
    for life in (1, 2, 3):
        server.publish(life)
        told = listener.told.get(timeout=PATIENCE_S)
        assert (told.Resource.all, told.subscriptionURI) == (life, "/edev/1/sub/1")
        wait_for_commit(server, life)
        os.kill(server.pid, signal.SIGKILL)
        server.close()
        server = lives.begin()
    assert server.get("/edev/1/sub?l=9").all == 1
    assert listener.told.empty()
    os.kill(server.pid, signal.SIGKILL)
    server.close()
    lives.end()
