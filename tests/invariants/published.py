"""Documents of a server, as bytes."""

from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r


def programs(*rows, one_mrid=False):
    """A DERProgramList: (list of controls, primacy, default). one_mrid: as of a server that lies."""
    return encode(
        r.DERProgramList(
            all=len(rows),
            results=len(rows),
            DERProgram=tuple(
                r.DERProgram(
                    mRID=f"{0 if one_mrid else index:032X}",
                    primacy=primacy,
                    DERControlListLink=r.ListLink(href=listed),
                    DefaultDERControlLink=r.Link(href=default),
                )
                for index, (listed, primacy, default) in enumerate(rows)
            ),
        ),
        Edition.E2018,
    )


def assignments(*lists, total=None):
    """A FunctionSetAssignmentsList that assigns these lists of programs. total: its `all`."""
    return encode(
        r.FunctionSetAssignmentsList(
            all=len(lists) if total is None else total,
            results=len(lists),
            FunctionSetAssignments=tuple(
                r.FunctionSetAssignments(mRID=f"{index:032X}", DERProgramListLink=r.ListLink(href=href))
                for index, href in enumerate(lists)
            ),
        ),
        Edition.E2018,
    )


def control(mrid, start, duration, *, percent, status=0, randomize_start=None, required=None):
    """A DERControl that limits P to a percentage."""
    return r.DERControl(
        mRID=mrid,
        href=f"/derc/{mrid}",
        replyTo="/rsps/1/rsp" if required else None,
        responseRequired=required,
        creationTime=0,
        EventStatus=r.EventStatus(currentStatus=status, dateTime=0, potentiallySuperseded=False),
        interval=r.DateTimeInterval(start=start, duration=duration),
        randomizeStart=randomize_start,
        DERControlBase=r.DERControlBase(opModMaxLimW=percent * 100),
    )


def controls(*items):
    """The DERControlList of these."""
    listed = r.DERControlList(all=len(items), results=len(items), DERControl=tuple(items))
    return encode(listed, Edition.E2018)


def default(percent):
    """A DefaultDERControl that limits P to a percentage."""
    base = r.DERControlBase(opModMaxLimW=percent * 100)
    return encode(r.DefaultDERControl(mRID="DD", DERControlBase=base), Edition.E2018)


def readings(role_flags=0x49, taken=None, **values):
    """A MirrorUsagePoint with the total W or VAr, named by unit; by default of a DER. taken: server time."""
    period = None if taken is None else r.DateTimeInterval(duration=0, start=taken)
    uoms = {"w": 38, "var": 63}
    point = r.MirrorUsagePoint(
        mRID="AA00",
        roleFlags=role_flags,
        serviceCategoryKind=0,
        status=1,
        deviceLFDI="0" * 40,
        MirrorMeterReading=tuple(
            r.MirrorMeterReading(
                mRID=f"AA{role_flags:02X}{uoms[name]:02d}",
                Reading=r.Reading(value=value, timePeriod=period),
                ReadingType=r.ReadingType(powerOfTenMultiplier=0, uom=uoms[name], phase=0),
            )
            for name, value in values.items()
        ),
    )
    return encode(point, Edition.E2018)
