"""Answers to events, and the log of a device (2030.5-2018 10.2.3, 10.3, 12.3)."""

from typing import TypeAlias

from dersim.ieee2030_5.declare import Attr, Since2023, resource
from dersim.ieee2030_5.resources.identification import (
    IdentifiedObject,
    List,
    ListLink,
    Resource,
    SubscribableList,
)
from dersim.ieee2030_5.resources.simple import (
    DERControlType,
    DERControlType2,
    HexBinary160,
    PENType,
    String32,
    TimeType,
    UInt8,
    UInt16,
    UInt32,
    mRIDType,
)


@resource(root=True)
class Response(Resource):
    """status: 1 received, 2 started, 3 completed, 4/5 opted out/in, 6 cancelled, 7 superseded, 251-254 refused."""

    createdDateTime: TimeType | None = None
    endDeviceLFDI: HexBinary160
    status: UInt8 | None = None
    subject: mRIDType


@resource(root=True)
class DERControlResponse(Response):
    modesResponded: Since2023[DERControlType | None] = None
    modesResponded2: Since2023[DERControlType2 | None] = None


_Response: TypeAlias = Response


@resource(root=True)
class ResponseList(List):
    Response: tuple[_Response, ...] = ()


@resource(root=True)
class ResponseSet(IdentifiedObject):
    ResponseListLink: ListLink | None = None


_ResponseSet: TypeAlias = ResponseSet


@resource(root=True)
class ResponseSetList(List):
    pollRate: Attr[UInt32 | None] = None
    ResponseSet: tuple[_ResponseSet, ...] = ()


@resource(root=True)
class LogEvent(Resource):
    """For DER alarms: functionSet 11, profileID 2, code 2 x alarm bit (+ 1 when back to normal)."""

    createdDateTime: TimeType
    details: String32 | None = None
    extendedData: UInt32 | None = None
    functionSet: UInt8
    logEventCode: UInt8
    logEventID: UInt16
    logEventPEN: PENType
    profileID: UInt8


_LogEvent: TypeAlias = LogEvent


@resource(root=True)
class LogEventList(SubscribableList):
    pollRate: Attr[UInt32 | None] = None
    LogEvent: tuple[_LogEvent, ...] = ()
