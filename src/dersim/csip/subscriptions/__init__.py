"""Subscriptions of the CSIP client (2030.5-2018 8.7): notifications instead of polls, where they are offered.

`wanted` says what there is to subscribe to; `held` keeps what is subscribed; `subscriber` makes, renews,
checks and deletes subscriptions; `inbox` judges what the server posts to us; `polling` takes it in and slows
the polls; `parts` makes these objects. All that is without I/O of its own. `hub` shares one listener among
the DERs of a process; `listener` is that listener.
"""
