"""Subscriptions and what they bring (2030.5-2018 8.7)."""

from typing import TypeAlias

from dersim.ieee2030_5.declare import Attr, Element, Extra, Since2023, resource
from dersim.ieee2030_5.resources.identification import List, Resource
from dersim.ieee2030_5.resources.simple import AnyURI, Int48, String16, TimeType, UInt8, UInt32


@resource()
class Condition(Element):
    attributeIdentifier: UInt8
    lowerThreshold: Int48
    upperThreshold: Int48
    extra: tuple[Extra, ...] = ()


_Condition: TypeAlias = Condition


@resource()
class SubscriptionBase(Resource):
    subscribedResource: AnyURI


@resource(root=True)
class Subscription(SubscriptionBase):
    """encoding 0: XML. limit 0: only the news that something changed."""

    Condition: _Condition | None = None
    encoding: UInt8
    level: String16
    limit: UInt32
    notificationURI: AnyURI


_Subscription: TypeAlias = Subscription


@resource(root=True)
class SubscriptionList(List):
    pollRate: Attr[UInt32 | None] = None
    Subscription: tuple[_Subscription, ...] = ()


_Resource: TypeAlias = Resource


@resource(root=True)
class Notification(SubscriptionBase):
    """Resource is any resource; on the wire xsi:type names its class. status 0: still subscribed."""

    createdDateTime: Since2023[TimeType | None] = None
    newResourceURI: AnyURI | None = None
    Resource: _Resource | None = None
    status: UInt8
    subscriptionURI: AnyURI


_Notification: TypeAlias = Notification


@resource(root=True)
class NotificationList(List):
    Notification: tuple[_Notification, ...] = ()
