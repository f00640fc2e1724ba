"""Binding a port: the addresses that come of it, and errors that say what to do."""

import errno

import pytest
import trio

from dersim import http11
from dersim.errors import ConfigError, root_cause
from dersim.http11.listen import _reason


async def close(listeners):
    for listener in listeners:
        await listener.aclose()


async def test_a_name_with_two_addresses_listens_on_one_free_port():
    listeners = await http11.bind("localhost", 0)
    host, port = http11.address(listeners)
    assert (len(listeners), host in ("127.0.0.1", "::1")) == (1, True)
    assert port > 0
    await close(listeners)


async def test_a_busy_port_names_the_flag():
    listeners = await http11.bind("127.0.0.1", 0)
    _, port = http11.address(listeners)
    with pytest.raises(ConfigError, match=rf"^--port 127\.0\.0\.1:{port}: cannot listen: the port is busy"):
        await http11.bind("127.0.0.1", port, flag="--port")
    await close(listeners)


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", 70000, "a port is 0 to 65535"),
        ("192.0.2.1", 0, "the address is not one of this machine; give a local one"),
        ("no.such.host.invalid", 0, "no such host"),
    ],
)
async def test_what_cannot_be_is_said(host, port, reason):
    with pytest.raises(ConfigError, match=reason):
        await http11.bind(host, port)


def test_other_errors_of_the_system_are_in_plain_words():
    assert "ports below 1024 need rights" in _reason(OSError(errno.EACCES, "Permission denied"))
    assert _reason(OSError(errno.ENOBUFS, "No buffer space available")) == "no buffer space available"


class ShortOfFiles(trio.abc.Listener):
    """A listener that fails as the system does: once with each of `errors`, then it waits."""

    def __init__(self, *errors):
        self._errors = list(errors)

    async def accept(self):
        await trio.lowlevel.checkpoint()
        if self._errors:
            raise OSError(self._errors.pop(0), "Too many open files")
        await trio.sleep_forever()

    async def aclose(self):
        await trio.lowlevel.checkpoint()


async def ok(_request):
    return http11.Response(200)


async def test_without_free_file_descriptors_the_server_waits_and_says_so(autojump_clock):
    lines = []
    with trio.move_on_after(5):
        await http11.serve(ok, [ShortOfFiles(errno.EMFILE, errno.ENFILE)], log=lines.append)
    assert lines == ["connections refused: Too many open files"]


async def test_another_error_of_the_listener_goes_up_to_the_caller(autojump_clock):
    with pytest.raises(ExceptionGroup) as caught:
        await http11.serve(ok, [ShortOfFiles(errno.EBADF)])
    assert isinstance(root_cause(caught.value), OSError)
