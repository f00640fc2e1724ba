"""Subscribers of a server without sockets."""

import pytest
from tests.utility.subscriptions.subscribing import Subscribers


@pytest.fixture
def subscribers(lab):
    return Subscribers(lab)


@pytest.fixture
def make_subscribers(make_lab):
    return lambda **config: Subscribers(make_lab(**config))
