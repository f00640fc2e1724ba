"""The TLS of many clients of a process: one OpenSSL context for all that trust the same root.

An SSLContext takes 31 KiB. What differs between the DERs of a fleet is the certificate with its key, and the
sessions that may be resumed. OpenSSL copies the pair of a context into each connection when the connection is
made. So the pair of a client is loaded into the shared context just before its connection is made, with
nothing in between. The files are read once; OpenSSL reads a pair from memory (`_as_file`).
"""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from dersim.errors import CertificateError
from dersim.tls import files
from dersim.tls.context import CheckedContext, prepare
from dersim.tls.reasons import explain

#: Sessions that a client keeps, by endpoint; most have one server.
SESSIONS = 16
#: Where an open file has a path.
_DESCRIPTORS = Path("/proc/self/fd")


class SharedContext(CheckedContext):
    """An OpenSSL context without a pair of its own. loaded: the client whose pair is in it.

    without_pair: one that has none, for connections that are made.
    """

    def __init__(self, _protocol: int) -> None:
        self.loaded: weakref.ref[ClientContext] | None = None
        self.without_pair = CheckedContext(ssl.PROTOCOL_TLS_CLIENT)
        self.chains: dict[bytes, bytes] = {}


class SharedContexts:
    """The OpenSSL contexts of the clients of one run; one that no client uses any more is forgotten.

    For one thread: two threads would load their pairs in between each other.
    """

    def __init__(self) -> None:
        self._held: weakref.WeakValueDictionary[tuple[bytes, bool], SharedContext] = (
            weakref.WeakValueDictionary()
        )

    def find(self, root: Path, *, check_hostname: bool) -> SharedContext:
        """The context that trusts the certificates in `root`; CertificateError names a bad file."""
        what = "the CA certificates that we trust"
        key = files.read(root, what), check_hostname
        if (known := self._held.get(key)) is not None:
            return known
        context = SharedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = check_hostname
        prepare(context)
        prepare(context.without_pair)
        files.load_certificates(root, what)
        try:
            context.load_verify_locations(root)
        except (ssl.SSLError, OSError) as error:
            raise CertificateError(f"{root}: OpenSSL refuses it: {_reason(error)}") from None
        self._held[key] = context
        return context


class ClientContext:
    """One client's side of TLS: its certificate and key, and the sessions that it may resume, by endpoint.

    certificate_der: its certificate. shared: the OpenSSL context, which other clients may use too.
    """

    __slots__ = ("__weakref__", "_chain", "_key", "_most", "_sessions", "certificate_der", "shared")

    def __init__(self, pair: files.CheckedPair, shared: SharedContext, sessions: int = SESSIONS) -> None:
        self.certificate_der = pair.leaf.public_bytes(Encoding.DER)
        self.shared = shared
        chain = pair.chain_pem()
        self._chain = shared.chains.setdefault(chain, chain)
        self._key = pair.key_pem()
        self._most = sessions
        self._sessions: dict[str, ssl.SSLSession | ssl.SSLObject] = {}

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As in ssl.SSLContext, with this client's certificate; OSError where no more files may be open."""
        self.load()
        wrapped: ssl.SSLObject = self.shared.wrap_bio(
            incoming, outgoing, server_side, server_hostname, session=session
        )
        return wrapped

    def load(self) -> None:
        """Put our pair into the shared context; ssl.SSLError where OpenSSL refuses it."""
        shared = self.shared
        if shared.loaded is not None and shared.loaded() is self:
            return
        shared.loaded = None
        certificate = ssl.DER_cert_to_PEM_cert(self.certificate_der).encode()
        with _as_file(certificate + self._chain + self._key) as path:
            shared.load_cert_chain(path)
        shared.loaded = weakref.ref(self)

    def take_pair(self, connection: ssl.SSLObject) -> None:
        """Take our pair out of a connection that is made, where it would only take 12 KiB."""
        connection.context = self.shared.without_pair

    def give_pair(self, connection: ssl.SSLObject) -> None:
        """Give it back: the server renegotiates and may ask for it. OSError as for `wrap_bio`."""
        self.load()
        connection.context = self.shared

    def session(self, endpoint: str) -> ssl.SSLSession | None:
        """The session to resume with `endpoint` ("host:port"), or None."""
        held = self._sessions.get(endpoint)
        return self._session_of(held) if isinstance(held, ssl.SSLObject) else held

    def keep_session(self, endpoint: str, connection: ssl.SSLObject) -> None:
        """Keep the session of a connection whose chain has passed the check.

        An SSLSession is a copy of 6 KiB. It is made when the connection ends (`connection_ends`).
        """
        self._sessions.pop(endpoint, None)
        self._sessions[endpoint] = connection
        if len(self._sessions) > self._most:
            del self._sessions[next(iter(self._sessions))]

    def connection_ends(self, connection: ssl.SSLObject) -> None:
        """Keep the session alone, unless it was forgotten."""
        for endpoint, held in list(self._sessions.items()):
            if held is connection:
                if session := self._session_of(connection):
                    self._sessions[endpoint] = session
                else:
                    del self._sessions[endpoint]

    def _session_of(self, connection: ssl.SSLObject) -> ssl.SSLSession | None:
        connection.context = self.shared  # the context in which the session may be resumed
        session = connection.session
        self.take_pair(connection)
        return session

    def forget_session(self, endpoint: str) -> None:
        """Make the next handshake with `endpoint` a full one."""
        self._sessions.pop(endpoint, None)


def client_context(
    cert: Path | str,
    key: Path | str,
    root: Path | str,
    *,
    check_hostname: bool = False,
    contexts: SharedContexts | None = None,
    sessions: int = SESSIONS,
) -> ClientContext:
    """A client's TLS from PEM files: certificate with chain, its key, and the trusted roots.

    `check_hostname` is off by default: 2030.5 certificates name no host. contexts: what clients of one run
    share; None: nothing. sessions: how many are kept to be resumed. CertificateError names the bad file.
    """
    cert, key, root = Path(cert), Path(key), Path(root)
    pair = files.check_pair(cert, key)
    shared = (contexts or SharedContexts()).find(root, check_hostname=check_hostname)
    made = ClientContext(pair, shared, sessions)
    try:
        made.load()
    except (ssl.SSLError, OSError) as error:
        raise CertificateError(f"{cert}, {key}: OpenSSL refuses them: {_reason(error)}") from None
    return made


def _reason(error: OSError) -> str | None:
    return explain(error) if isinstance(error, ssl.SSLError) else error.strerror


@contextlib.contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """A path where `data` can be read within the block: in memory, or a file that only this user may read."""
    if hasattr(os, "memfd_create") and _DESCRIPTORS.is_dir():
        with os.fdopen(os.memfd_create("pair"), "wb") as file:
            file.write(data)
            file.flush()
            yield str(_DESCRIPTORS / str(file.fileno()))
        return
    descriptor, name = tempfile.mkstemp()  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        yield name
    finally:
        Path(name).unlink()
