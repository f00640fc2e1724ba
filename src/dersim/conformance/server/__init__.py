"""The CSIP conformance procedures for a server under test.

`der` plays the DER: it sends the requests of a record and keeps the bytes. `observed` and the `procedures`
judge them. What only the server's owner can do are `steps`; `admin` carries them out on a companion server by
its REST.
"""
