"""Subscriptions and their Notifications (2030.5-2018 8.7).

`documents` has the SubscriptionList of each EndDevice, `book` the Subscriptions. A change only marks the
Subscriptions that may be concerned (`changes`). When one may be notified again, the document that a GET would
show is made and compared with what the client was told last (`subscribable`), so that several changes are one
Notification, and one that was taken back is none. `notifier` decides without I/O; `sender` sends.
"""
