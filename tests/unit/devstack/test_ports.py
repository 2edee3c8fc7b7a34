import socket

import pytest

from devstack.options import DevstackError
from devstack.ports import HOST, reserve


def listen(port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((HOST, port))
    server.listen()
    return server


def test_a_server_can_listen_on_a_port_that_is_reserved_for_it() -> None:
    port = reserve(0)
    with listen(port.number) as server:
        assert server.getsockname() == (HOST, port.number)
    port.release()


def test_reservations_never_share_a_free_port() -> None:
    ports = [reserve(0) for _ in range(50)]
    assert len({port.number for port in ports}) == len(ports)
    for port in ports:
        port.release()


def test_a_port_that_somebody_listens_on_is_refused_by_number() -> None:
    with listen(0) as server:
        number = server.getsockname()[1]
        with pytest.raises(DevstackError, match=f"port {number} of 127.0.0.1 cannot be had"):
            reserve(number)


def test_a_released_port_can_be_reserved_by_number() -> None:
    port = reserve(0)
    port.release()
    again = reserve(port.number)
    assert again.number == port.number
    again.release()
