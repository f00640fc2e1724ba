"""Dask as the command uses it: a cluster of its own on this machine, or one that exists.

Every method blocks and is called in a thread of its own; callbacks come in threads of Dask.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Any, NamedTuple

from dersim.errors import ConfigError, DersimError
from dersim.fleet_run.messages import NOBODY, Done, NoContactError, Run
from dersim.fleet_run.plan import Shard
from dersim.fleet_run.shard import run_shard

try:
    # Read at import, and inherited by the workers: what it logs of lost workers, this command tells itself.
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")
    import dask
    import psutil
    from distributed import Client, KilledWorker, LocalCluster, Security, Variable
    from distributed.client import ClosedClientError, FutureCancelledError
    from distributed.system import MEMORY_LIMIT
except ImportError as error:
    raise ConfigError(
        f"dersim fleet needs Dask distributed, which is not installed ({error}); "
        f"install it with: pip install 'dersim[cluster]'"
    ) from None

#: Deaths of workers that a shard survives. Dask counts those of every shard on the worker.
_ALLOWED_FAILURES = 20
#: A worker of our own that was silent for so long is lost, s.
_WORKER_TTL_S = 10
#: The longest wait for a scheduler, s.
_CONNECT_S = 10
#: The longest wait for an answer of the scheduler, s.
_ANSWER_S = 2
#: A worker of a cluster takes no more tasks beyond this part of its memory limit.
_PAUSES_AT = 0.8


class TlsFiles(NamedTuple):
    """PEM files for a tls:// scheduler; None where a flag was not given."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None


def machine_bytes() -> float:
    """What is free on this machine, or in this container."""
    return float(min(psutil.virtual_memory().available, MEMORY_LIMIT))


@contextlib.contextmanager
def _contact() -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError, RuntimeError, AttributeError, ClosedClientError) as error:
        # AttributeError: of a client that has closed itself after ten seconds without its scheduler.
        raise NoContactError(f"the scheduler does not answer: {error}") from None


def _be_quiet() -> None:
    """What Dask logs of a lost scheduler or worker, this command tells itself."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


class Cluster:
    """A connected client of Dask. local: the cluster that ends with it."""

    def __init__(self, client: Any, run: Run, local: Any = None) -> None:
        self._client = client
        self._run = run
        self._local = local
        self._beat = Variable(run.beat, client=client)
        self._futures: dict[str, Any] = {}
        self.address = str(client.scheduler.address)
        _be_quiet()

    @classmethod
    def own(cls, workers: int, run: Run) -> Cluster:
        """Start a scheduler and `workers` processes on this machine, which nobody else may use."""
        dask.config.set({"distributed.scheduler.work-stealing": False})
        local = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            # No dashboard. Its server of health and metrics is always there, here on a free port.
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            preload=["dersim.fleet_run.worker_signals"],
            # Any user of this machine could send tasks to a port without TLS.
            protocol="tls://",
            security=Security.temporary(),
            scheduler_kwargs={
                "allowed_failures": _ALLOWED_FAILURES,
                "worker_ttl": f"{_WORKER_TTL_S}s",
                "dashboard": False,
            },
        )
        return cls(Client(local), run, local)

    @classmethod
    def existing(cls, address: str, tls: TlsFiles, run: Run) -> Cluster:
        """Connect to a scheduler. ConfigError where it does not answer."""
        try:
            security = Security(
                tls_ca_file=tls.ca,
                tls_client_cert=tls.cert,
                tls_client_key=tls.key,
                require_encryption=address.startswith("tls:"),
            )
            return cls(Client(address, security=security, timeout=_CONNECT_S), run)
        except TypeError:  # of a TLS connection without a context
            raise ConfigError(
                f"--scheduler {address}: its TLS needs files; give --tls-ca, --tls-cert and --tls-key"
            ) from None
        except (OSError, ValueError, RuntimeError) as error:
            words = " ".join(str(error).split())
            raise ConfigError(
                f"--scheduler {address}: {words}; give the address that `dask scheduler` prints"
            ) from None

    def check_versions(self) -> None:
        """ConfigError unless every worker has this dersim."""
        try:
            found = self._client.get_versions(packages=["dersim"])
        except (OSError, ValueError) as error:
            raise DersimError(f"the workers' versions cannot be read: {error}") from None
        here = found["client"]["packages"]["dersim"]
        others = {
            address: version
            for address, each in found["workers"].items()
            if (version := each["packages"]["dersim"]) != here
        }
        if others:
            told = ", ".join(f"{address} has {version or 'none'}" for address, version in others.items())
            raise ConfigError(
                f"--scheduler {self.address}: dersim {here} is here, and {told}; "
                f"install the same version on every worker"
            )

    def workers(self) -> dict[str, float]:
        """The workers' addresses, each with the bytes that its shards may take."""
        with _contact():
            found = self._client.scheduler_info(n_workers=-1)["workers"]
        return {address: _PAUSES_AT * (each.get("memory_limit") or inf) for address, each in found.items()}

    def begin(self, shards: tuple[Shard, ...], take: Callable[[dict[str, Any]], None]) -> None:
        """Before the first `submit`. take: gets what the shards tell, in a thread of Dask."""
        self.beat(0, stop=False)
        for shard in shards:  # to ask for one that was never set logs a traceback on the scheduler
            Variable(self._run.lease(shard.name), client=self._client).set(NOBODY)
            Variable(self._run.saved(shard.name), client=self._client).set(b"")
        self._client.subscribe_topic(self._run.topic, lambda event: take(event[1]))

    def submit(
        self,
        key: str,
        shard: Shard,
        files: Mapping[str, bytes],
        worker: str | None,
        done: Callable[[Done], None],
    ) -> None:
        """Run a shard, if possible on `worker`. done: called in a thread of Dask when the task has ended."""
        with _contact():
            future = self._client.submit(
                run_shard,
                shard,
                dict(files),
                self._run,
                key=key,
                pure=False,
                workers=worker and [worker],
                allow_other_workers=worker is not None,
            )
        self._futures[key] = future
        future.add_done_callback(lambda ended: done(_end_of(key, ended)))

    def forget(self, key: str) -> None:
        """A task that has ended is not needed any more."""
        self._futures.pop(key, None)

    def beat(self, n: int, *, stop: bool) -> None:
        """Show all shards that the command lives, and whether they are to stop."""
        with _contact():
            self._beat.set({"n": n, "stop": stop}, timeout=_ANSWER_S)

    def order(self, attempt: str, order: dict[str, Any]) -> None:
        """Tell one attempt of a shard what to do."""
        with _contact():
            self._client.log_event(self._run.orders(attempt), order)

    def close(self) -> None:
        """Leave the scheduler; our own cluster ends."""
        self._futures.clear()
        with contextlib.suppress(OSError, TimeoutError, RuntimeError):
            self._client.close(timeout=2)
        if self._local is not None:
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                self._local.close(timeout=5)


def _end_of(key: str, future: Any) -> Done:
    """How a task of Dask has ended: with a summary, or KilledWorker, CancelledError and their like."""
    try:
        return Done(key, future.result(timeout=5))
    except FutureCancelledError:
        return Done(key, None, "the scheduler has lost it", is_lost=True)
    except KilledWorker:
        return Done(key, None, "its workers died too often for Dask")
    except BaseException as error:  # noqa: BLE001 - CancelledError is no Exception; the shard runs again
        return Done(key, None, f"{type(error).__name__}: {' '.join(str(error).split())}")
