"""Messages on the wire: four bytes of length (big endian), then JSON in UTF-8."""

from __future__ import annotations

import json
import struct
from typing import Any

Message = dict[str, Any]

_LENGTH = struct.Struct(">I")
#: No message is longer; pixels never go through the socket.
MOST_BYTES = 64 * 1024 * 1024


class BrokenStream(Exception):  # noqa: N818 - the name says it
    """The other side sent what is no message; the connection cannot be trusted any more."""


def encode(message: Message) -> bytes:
    """One message as bytes."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Turns a stream of bytes into messages, however it was cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Messages completed by these bytes.

        Raises:
            BrokenStream: a length over :data:`MOST_BYTES`, or a body that is no JSON object.
        """
        self._buffer += data
        messages = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MOST_BYTES:
                raise BrokenStream(f"a message of {length} bytes")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            try:
                message = json.loads(body)
            except ValueError as error:
                raise BrokenStream(str(error)) from error
            if not isinstance(message, dict):
                raise BrokenStream("not an object")
            messages.append(message)
        return messages


def request(number: int, method: str, params: Message) -> Message:
    """A request that wants an answer."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def notification(method: str, params: Message) -> Message:
    """A message that wants none."""
    return {"jsonrpc": "2.0", "method": method, "params": params}


def result(number: int, value: Message) -> Message:
    """The answer to a request."""
    return {"jsonrpc": "2.0", "id": number, "result": value}


def failure(number: int, code: str, params: Message) -> Message:
    """A request failed; ``code`` and ``params`` are those of a ``PlannerError``."""
    return {"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": code, "data": params}}
