"""Bodies of 2030.5 clients to resources: valid in one edition, apart from what nobody knows.

Elements and attributes that neither the standard nor a plug-in declares are reported as violations
(2030.5-2023 4.9), so that a vendor's additions do not hide the rest of a document; the elements are kept in
`extra` of their resource. So is a list without `all` and `results`. Everything else that the schema refuses
is refused. (The 2023 schema has places for foreign elements; there they are no violation.)
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5.edition import Edition
from dersim.ieee2030_5.unknown import repaired
from dersim.utility.refusal import BAD_FORM, RequestRefused

T = TypeVar("T")


class Body(NamedTuple, Generic[T]):
    """A resource, the edition it is valid in, and one text per thing that was unknown or left out."""

    resource: T
    edition: Edition
    unknown: tuple[str, ...] = ()


def read(body: bytes, expected: tuple[type[T], ...], *, strict: bool) -> Body[T]:
    """Read a body as one of the `expected` resources; RequestRefused (400) says why it is not.

    strict: refuse these, too.
    """
    claimed = edition_of(body)
    try:
        return Body(decode(body, expected, strict=True, edition=claimed).resource, claimed)
    except RemoteProtocolError as error:
        refused = RequestRefused(400, str(error), code=BAD_FORM)
    known, unknown = repaired(body)
    if unknown and strict:
        raise refused
    for edition in (claimed, Edition.E2018 if claimed is Edition.E2023 else Edition.E2023):
        try:
            resource = decode(known, expected, strict=True, edition=edition).resource
            if unknown:  # it is valid without them; now keep them
                resource = decode(body, expected, edition=edition).resource
        except RemoteProtocolError:
            continue
        return Body(resource, edition, unknown)
    raise refused


def edition_of(body: bytes) -> Edition:
    """The edition that a body claims: schemaVer on the root came with 2023, and 2018 forbids it."""
    start = body.find(b"<", body.find(b"?>") + 1)
    return Edition.E2023 if b"schemaVer" in body[start : body.find(b">", start)] else Edition.E2018
