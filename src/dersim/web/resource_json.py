"""A 2030.5 resource as JSON, by the standard's own names; what is absent is left out, a PIN is masked."""

from __future__ import annotations

import dataclasses
from typing import Any


def resource_json(resource: Any) -> Any:
    """A resource (or a part of one) as JSON values."""
    if dataclasses.is_dataclass(resource):
        pairs = ((field.name, getattr(resource, field.name)) for field in dataclasses.fields(resource))
        return {
            name: "masked" if name == "pIN" else resource_json(value)
            for name, value in pairs
            if value is not None and value != ()
        }
    if isinstance(resource, tuple | list):
        return [resource_json(item) for item in resource]
    if isinstance(resource, bool | int | float | str):
        return resource
    return str(resource)
