"""The live screen: the bytes of the VNC server's TCP port in binary WebSocket messages (what noVNC speaks)."""

from collections.abc import Awaitable, Callable

import trio
from starlette.websockets import WebSocket, WebSocketDisconnect

CHUNK_BYTES = 65_536
CLOSE_TRY_AGAIN = 1013  # RFC 6455 registry: try again later


def screen_socket(vnc_port: Callable[[], int]) -> Callable[[WebSocket], Awaitable[None]]:
    """A WebSocket endpoint that carries one viewer until either side ends."""

    async def endpoint(socket: WebSocket) -> None:
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(subprotocol="binary" if "binary" in offered else None)
        try:
            stream = await trio.open_tcp_stream("127.0.0.1", vnc_port())
        except OSError:
            await socket.close(CLOSE_TRY_AGAIN)
            return
        async with stream, trio.open_nursery() as nursery:
            nursery.start_soon(_to_viewer, stream, socket, nursery.cancel_scope)
            nursery.start_soon(_from_viewer, stream, socket, nursery.cancel_scope)

    return endpoint


async def _to_viewer(stream: trio.SocketStream, socket: WebSocket, both: trio.CancelScope) -> None:
    try:
        while piece := await stream.receive_some(CHUNK_BYTES):
            await socket.send_bytes(piece)
        await socket.close()
    except (trio.BrokenResourceError, WebSocketDisconnect):
        pass  # the other side is gone: nothing is left to carry
    both.cancel()


async def _from_viewer(stream: trio.SocketStream, socket: WebSocket, both: trio.CancelScope) -> None:
    try:
        while True:
            await stream.send_all(await socket.receive_bytes())
    except (trio.BrokenResourceError, WebSocketDisconnect, KeyError):
        pass  # KeyError: a text message, which this protocol does not have
    both.cancel()
