"""Find the pairs of a test PKI's folder, and make those that are missing.

`making.py` takes 60 ms to import and is needed only if something is missing.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from dersim.errors import ConfigError
from dersim.pki.folder import SERVER_HOSTS, Pair

_BUNDLED_COUNT = 10


def create(folder: Path | str, count: int = _BUNDLED_COUNT) -> Path:
    """Make a new test PKI in `folder` with `count` numbered devices; ConfigError if there is one already.

    Returns the folder.
    """
    from dersim.pki import making  # noqa: PLC0415 - see the head

    folder = Path(folder)
    making.create_authority(folder)
    ensure_device(folder, None)
    ensure_server(folder)
    for number in range(1, count + 1):
        ensure_device(folder, number)
    return folder


def ensure_device(folder: Path | str, number: int | None) -> Pair:
    """The pair of DER `number` (1-based), or with None that of `cert.pem`; made if it is missing.

    ConfigError names the missing file if the folder has no key of the test CA.
    """
    suffix = "" if number is None else f"_{number}"
    return _ensure(Path(folder), suffix, f"dersim-test-{number or 0:05d}", ())


def ensure_server(folder: Path | str) -> Pair:
    """The server's pair; made if it is missing, as for `ensure_device`."""
    return _ensure(Path(folder), "_server", "dersim-test-server", SERVER_HOSTS)


def expired_server(folder: Path, into: Path) -> Pair:
    """A pair of the server, expired an hour ago, made in `into` by the CA of the test PKI in `folder`.

    ConfigError if the folder has no key of the test CA.
    """
    if not (folder / "key_ca.pem").is_file():
        raise ConfigError(f"{folder / 'key_ca.pem'}: no such file; only a test PKI has the key of its CA")
    from dersim.pki import making  # noqa: PLC0415 - see the head

    pair = Pair(into / "cert_server.pem", into / "key_server.pem")
    try:
        making.make_expired(folder, pair, "dersim-test-server", SERVER_HOSTS)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{folder}: the test CA cannot be used: {error}") from None
    return pair


def bundled_dir() -> Path:
    """The folder of the test PKI that is used by default.

    In a checkout this is `certs/`, otherwise a folder in the user's cache that is made once.
    """
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "certs" / "cert_root.pem").is_file():
        return checkout / "certs"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dersim"
    return _made_once(cache / "test-pki")


def _made_once(folder: Path) -> Path:
    """Make the PKI in a temporary folder and rename it, so that two first runs at once end with one PKI."""
    if (folder / "cert_root.pem").is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="test-pki-", dir=folder.parent))
    except OSError as error:
        raise ConfigError(f"{folder.parent}: the test PKI cannot be made there: {error.strerror}") from None
    create(fresh)
    try:
        fresh.rename(folder)
    except OSError as error:
        if (folder / "cert_root.pem").is_file():  # another process was faster
            for path in fresh.iterdir():
                path.unlink()
            fresh.rmdir()
            return folder
        raise ConfigError(f"{folder}: the test PKI cannot be put there: {error.strerror}") from None
    return folder


def _ensure(folder: Path, suffix: str, serial: str, hosts: tuple[str, ...]) -> Pair:
    pair = Pair(folder / f"cert{suffix}.pem", folder / f"key{suffix}.pem")
    has_cert = pair.cert.is_file()  # checked first: another process writes it last
    if has_cert and pair.key.is_file():
        return pair
    missing = pair.key if has_cert else pair.cert
    if has_cert:
        raise ConfigError(
            f"{missing}: no such file, and {pair.cert.name} is there; give its key, or remove the certificate"
        )
    if not (folder / "key_ca.pem").is_file():
        raise ConfigError(
            f"{missing}: no such file; give it, or make a test PKI with `dersim pki create DIR -n COUNT`"
        )
    from dersim.pki import making  # noqa: PLC0415 - see the head

    try:
        making.make_pair(folder, pair, serial, hosts)
    except OSError as error:
        raise ConfigError(f"{missing}: cannot be made: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{folder}: the test CA cannot be used: {error}") from None
    return pair
