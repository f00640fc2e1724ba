"""`dersim sim --record FILE`: the recorder of a run, made of its flags."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dersim.cli import sim_options
from dersim.cli.redaction import redacted
from dersim.plugin.services import PeersService
from dersim.recorded.encoding import Encoder
from dersim.recorded.flags import kept_files, kept_words, number_words
from dersim.recorded.heads import HeadMaker
from dersim.recorded.recorder import Recorder
from dersim.recorded.writer import RecordWriter

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.engine.simulator import Simulator
    from dersim.logbuffer import LogBuffer
    from dersim.plugin.registry import Registry


def recorder_of(
    path: Path,
    options: Namespace,
    registry: Registry,
    simulator: Simulator,
    clock: SimClock,
    log: LogBuffer,
    *,
    words: list[str],
    time: Literal["real", "virtual"] = "real",
    inner: PeersService | None = None,
    keeps: bool = False,
) -> Recorder:
    """Open the file, and offer the recorder to the clients. words: of the command line, as kept.

    ConfigError where the file cannot be written, or does not hold what a replay needs.
    """
    files = kept_files(options, registry, redacted)
    maker = HeadMaker(options, time, words, files, keeps=keeps or options.state is not None)
    writer = RecordWriter(path, Encoder(maker.pins, redacted).lines)
    simulator.buffers["record"] = writer.size
    recorder = Recorder(writer, clock, log, lambda lfdis: maker.head(simulator, clock.start_s, lfdis), inner)
    simulator.services.offer(PeersService, recorder)
    simulator.on_start.append(partial(recorder.begin, simulator.fleet.devices))
    simulator.on_stop.append(recorder.end)
    return recorder


def recorder_for(
    args: Sequence[str],
    options: Namespace,
    registry: Registry,
    simulator: Simulator,
    clock: SimClock,
    log: LogBuffer,
    *,
    time: Literal["real", "virtual"] = "real",
) -> Recorder | None:
    """The recorder that `--record` asks for, see `recorder_of`."""
    if options.record is None:
        return None
    flags = sim_options.make_parser(args)[0].flags
    words = [redacted(word) for word in (*kept_words(args, flags), *number_words(options))]
    return recorder_of(options.record, options, registry, simulator, clock, log, words=words, time=time)
