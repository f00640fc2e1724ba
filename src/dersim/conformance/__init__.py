"""The CSIP conformance procedures as data and code: `dersim conformance`.

`procedure` says what a procedure is, `stage` is the server's side of one run, `evidence` what was seen on the
wire and at the terminals, `checks` judge it, `procedures` hold the definitions, one table an area.
"""
