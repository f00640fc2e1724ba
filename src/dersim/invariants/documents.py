"""I12: every body that is sent is valid in the edition of the client.

The schemas are generated from dersim's own declarations of the resources, or the official ones where
`ieee2030_5.schema.use_official` was told where they are. The verdict is libxml2's, on the bytes of the wire.
"""

from __future__ import annotations

from collections.abc import Iterator

from dersim.invariants.base import Invariant, Look, Violation


class ValidBodies(Invariant):
    """Bodies of PUT and POST against the XSD."""

    id = "I12"
    statement = "Every body sent is valid for the XSD of the chosen edition."

    def check(self, look: Look) -> Iterator[Violation]:
        """Judge each body; equal ones are judged once."""
        if look.client is None or look.conversation is None:
            return
        edition = look.client.edition.value
        for exchange in look.exchanges:
            if not exchange.request_body:
                continue
            verdict = look.conversation.verdict(exchange).request
            if verdict.word == "not judged" or edition in verdict.editions:
                continue
            what = f"{exchange.method} {exchange.url} {verdict.resource}".strip()
            others = ", ".join(verdict.editions)
            seen = f"{verdict.word}{f', but in {others}' if others else ''}"
            yield look.violation(ValidBodies, f"{what} valid in {edition}", seen)
