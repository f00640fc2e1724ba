"""The two editions of IEEE 2030.5 that dersim supports, and how their documents' roots differ."""

from __future__ import annotations

from enum import Enum


class Edition(Enum):
    """E2018: schema 2.1.0 (what CSIP 2.1 is written against). E2023: schema 2.2."""

    E2018 = "2018"
    E2023 = "2023"

    @property
    def schema_ver(self) -> str | None:
        """The root's schemaVer attribute: required in 2023 (5.5), forbidden by the 2018 schema."""
        return "2.2" if self is Edition.E2023 else None


#: The namespace of both editions.
NAMESPACE = "urn:ieee:std:2030.5:ns"

#: That of the drafts of 2013, still sent by old servers; nothing in it can be relied on (other bit orders).
DRAFT_NAMESPACE = "http://ieee.org/2030.5"

XSI = "http://www.w3.org/2001/XMLSchema-instance"
MEDIA_TYPE = "application/sep+xml"
