"""The control socket of one accepted call: server events in, client events out (contract OpenAI 4)."""

from collections.abc import Callable, Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Self, cast

import msgspec
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from callops.providers import identifiers
from callops.providers.exchange import USER_AGENT, elapsed_ms, receipt_of, why
from callops.providers.openai.calls import EXPECTED
from callops.providers.openai.swift_socket import MAX_FRAME_BYTES, SwiftConnection
from callops.providers.receipt import NoAnswer, Reason, Receipt, Refused

PING_INTERVAL_S = 20
PING_TIMEOUT_S = 20
ABNORMAL_CLOSURE = 1006


class NotReady(Refused):
    """The handshake was answered 404: too early, too late, wrong region or a dead call (contract OpenAI 4.1)."""


class Sideband:
    """An open sideband: its raw text frames are fed to whoever asks, events are sent; closing it ends no call.

    `close_code` and `close_reason` are None until it is closed; a drop without a close frame is 1006, and the reason
    is then our own, such as a missed ping. `receipt` is the answer to the handshake.
    """

    def __init__(self, socket: SwiftConnection, receipt: Receipt) -> None:
        self._socket = socket
        self.receipt = receipt
        self.close_code: int | None = None
        self.close_reason: str | None = None

    @classmethod
    async def connect(cls, base_url: str, api_key: str, call_id: str, *, open_timeout_s: float = 10.0) -> Self:
        """The sideband of a call that was accepted; frames sent before now are lost (contract OpenAI 4.2).

        Raises `NotReady` for 404, `Refused` for any other HTTP answer and `NoAnswer` without one. Never retries.
        """
        started = perf_counter()
        try:
            socket = await open_socket(
                _url(base_url, call_id),
                additional_headers={"Authorization": f"Bearer {api_key.strip()}"},
                user_agent_header=USER_AGENT,
                compression=None,
                open_timeout=open_timeout_s,
                ping_interval=PING_INTERVAL_S,
                ping_timeout=PING_TIMEOUT_S,
                close_timeout=2,
                max_size=MAX_FRAME_BYTES,
                create_connection=SwiftConnection,
            )
        except InvalidStatus as error:
            raise _refusal(error, started) from error
        except (InvalidHandshake, OSError, EOFError) as error:
            raise _silence(error, started) from error
        headers = _plain(socket.response.headers if socket.response else {})
        return cls(cast(SwiftConnection, socket), receipt_of(101, headers, b"", expected=EXPECTED, started=started))

    async def feed(self, take: Callable[[bytes], bool]) -> None:
        """Each frame is given to `take` as it came, in order and at once, until that returns False or the socket has
        closed, in whatever way. Raises what `take` raises. What comes afterwards waits for the next `feed`.
        """
        await self._socket.feed(take)
        if (closed := self._socket.protocol.close_exc if self._socket.is_lost else None) is not None:
            self._remember(closed)

    def pause_reading(self) -> None:
        """The sender has to wait, until `resume_reading`."""
        self._socket.pause_reading()

    def resume_reading(self) -> None:
        """What comes is read again."""
        self._socket.resume_reading()

    async def send(self, event: Mapping[str, Any]) -> None:
        """The event was handed to the socket; raises `NoAnswer` (`dropped`) when the socket has closed."""
        started = perf_counter()
        try:
            await self._socket.send(msgspec.json.encode(event), text=True)
        except ConnectionClosed as closed:
            raise NoAnswer(reason="dropped", duration_ms=elapsed_ms(started), detail="the sideband closed") from closed

    async def close(self) -> None:
        """The socket is closed and the call goes on without us; may be repeated."""
        await self._socket.close()
        if self.close_code is None:
            self.close_code, self.close_reason = self._socket.close_code, self._socket.close_reason

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _remember(self, closed: ConnectionClosed) -> None:
        told = closed.rcvd or closed.sent
        self.close_code = closed.rcvd.code if closed.rcvd else ABNORMAL_CLOSURE
        self.close_reason = told.reason if told else ""


connect = Sideband.connect


def _url(base_url: str, call_id: str) -> str:
    scheme, separator, rest = base_url.rstrip("/").partition("://")
    if not separator or scheme not in ("http", "https"):
        raise ValueError(f"the base URL must start with http:// or https://, not {base_url!r:.80}")
    socket_scheme = "wss" if scheme == "https" else "ws"
    return f"{socket_scheme}://{rest}/realtime?call_id={identifiers.checked(call_id, 'call_id')}"


def _refusal(error: InvalidStatus, started: float) -> Refused:
    answer = error.response
    content = bytes(answer.body or b"")
    receipt = receipt_of(answer.status_code, _plain(answer.headers), content, expected=EXPECTED, started=started)
    code, message = why(content, receipt.status)
    return (NotReady if receipt.status == 404 else Refused)(receipt, code=code, message=message)


def _silence(error: Exception, started: float) -> NoAnswer:
    reason: Reason = "connect"
    if isinstance(error, TimeoutError):
        reason = "timeout"
    elif isinstance(error, (ConnectionResetError, BrokenPipeError)) or not isinstance(error, OSError):
        reason = "dropped"
    return NoAnswer(reason=reason, duration_ms=elapsed_ms(started), detail=type(error).__name__)


def _plain(headers: Any) -> dict[str, str]:
    """One value a name; a repeated header keeps its last value."""
    return dict(headers.raw_items()) if headers else {}
