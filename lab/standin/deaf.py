"""A port that swallows whatever is sent to connect to it, as a firewall does that drops packets."""

import socket


def listen(port: int) -> list[socket.socket]:
    """Opens it; what is returned has to be kept.

    Nobody accepts, and connections of our own fill what the kernel holds for that: to the rest it says nothing.
    """
    server = socket.create_server(("", port), backlog=0)
    held = [server]
    for _ in range(2):
        own = socket.socket()
        own.setblocking(False)
        own.connect_ex(("127.0.0.1", port))
        held.append(own)
    return held
