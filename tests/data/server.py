"""A local HTTP server that behaves as badly as a test wants, and counts what it was asked for."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """How one request is answered. The default is a good server, with ranges."""

    status: int = 0
    """0: 200, 206 or 416, as the range wants it; another status goes without the body"""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """instead of the path's own"""
    cut: int | None = None
    """bytes sent before the connection breaks"""
    stall: float = 0
    """seconds of silence where it breaks"""
    ranges: bool = True
    shift: int = 0
    """added to the start of a range: a server that sends another one than it was asked for"""
    length: bool = True
    """says the Content-Length"""
    chunk: int = 1 << 16
    pause: float = 0
    """seconds after each chunk"""


@dataclass
class Path:
    body: bytes
    replies: list[Reply]
    """the last one stays"""
    starts: list[int] = field(default_factory=list)
    """of each request: the first byte it asks for"""
    sent: int = 0


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paths: dict[str, Path] = {}
        self.closing = threading.Event()

    def at(self, name: str, body: bytes, *replies: dict) -> str:
        """The address under which `body` is served, each request by the next one of `replies`."""
        self.paths[f"/{name}"] = Path(body, [Reply(**reply) for reply in replies] or [Reply()])
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def starts(self, name: str) -> list[int]:
        return self.paths[f"/{name}"].starts

    def handle_error(self, *_: object) -> None:
        """A client that hangs up, or is killed, is part of the test."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.server.paths[self.path]
        reply = path.replies.pop(0) if len(path.replies) > 1 else path.replies[0]
        body = path.body if reply.body is None else reply.body
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        path.starts.append(start)
        headers, status = dict(reply.headers), reply.status
        if status:
            body = b""
        elif asked and reply.ranges and start >= len(body):
            status, body = 416, b""
        elif asked and reply.ranges:
            start += reply.shift
            status, headers["Content-Range"] = 206, f"bytes {start}-{len(body) - 1}/{len(body)}"
            body = body[start:]
        self.send_response(status or 200)
        if reply.length:
            headers.setdefault("Content-Length", str(len(body)))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        last = len(body) if reply.cut is None else reply.cut
        for first in range(0, last, reply.chunk):
            data = body[first : min(first + reply.chunk, last)]
            self.wfile.write(data)
            path.sent += len(data)
            time.sleep(reply.pause)
        self.server.closing.wait(reply.stall)

    def log_message(self, *_: object) -> None:
        """Quiet."""
