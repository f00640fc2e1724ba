"""IEEE 2030.5 without I/O: typed resources, codec, schema, identity, modes on the wire, the rules of events.

from dersim.ieee2030_5 import Edition, decode, encode, identity, resources as r

body = encode(r.Registration(dateTimeRegistered=0, pIN=111115), Edition.E2018)
resource, violations = decode(body, r.Registration)
"""

from dersim.ieee2030_5 import identity, resources
from dersim.ieee2030_5.codec import Decoded, decode
from dersim.ieee2030_5.codec_write import encode
from dersim.ieee2030_5.edition import MEDIA_TYPE, NAMESPACE, Edition

__all__ = ["MEDIA_TYPE", "NAMESPACE", "Decoded", "Edition", "decode", "encode", "identity", "resources"]
