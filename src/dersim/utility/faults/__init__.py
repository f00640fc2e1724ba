"""Faults that the operator plants in the answers of the companion server, to see what a client does.

    forms.py        what the operator may write: one TypedDict a kind, and the JSON Schema of all
    plans.py        `fault_from(dict)`: a checked fault, not yet planted
    planted.py      one planted fault: whom it meets, how often, until when
    book.py         all planted faults; `answer` lets them act on one request
    actions.py      what an action is: before the head-end, after it, or in place of a TLS handshake
    *_faults.py     the actions: HTTP, paths, XML, lists, contents, connections

A fault acts in one place: on the request before the head-end carries it out, on the response after it, or on
a connection before TLS. It does no I/O. Whatever it does is logged as "planted fault #3", marked in the
request log and, where there is a head, in the header `X-Dersim-Planted-Fault`.

Same seed, same run: whether a fault acts on the n-th request of a device depends on seed, device and n alone.
"""
