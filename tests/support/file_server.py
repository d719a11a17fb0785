"""A local web server that serves files well or badly, and counts what it sends."""

import contextlib
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = 1 << 14  # bytes


@dataclass
class Served:
    """One file, and how it is served."""

    content: bytes
    tag: str = '"1"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    """After how many bytes each of the next answers is cut."""
    statuses: list[int] = field(default_factory=list)
    """What the next requests are answered instead; the last one stays if it is 400 to 499."""
    hold: int | None = None
    """After how many bytes of an answer the server waits until ``gate`` is opened."""
    gate: threading.Event = field(default_factory=threading.Event)
    block: int = BLOCK
    kind: str = "application/zip"
    chunked: bool = False
    """Sent without saying how long it is, as GitHub sends archives."""
    sent: list[int] = field(default_factory=list)
    """Bytes of each answer."""
    begins: list[int] = field(default_factory=list)
    """Where each answer began."""


class Handler(BaseHTTPRequestHandler):
    """Answers from ``server.files``."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        served = self.server.files.get(self.path)
        status = 404 if served is None else served.statuses[0] if served.statuses else 200
        if status != 200:
            if not 400 <= status < 500 and served:
                served.statuses.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._send(served)

    def _send(self, served):
        begin = self._begin(served)
        if begin >= len(served.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(served.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = served.content[begin:]
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header(
                "Content-Range", f"bytes {begin}-{len(served.content) - 1}/{len(served.content)}"
            )
        for name, value in (
            ("Transfer-Encoding", "chunked") if served.chunked else ("Content-Length", len(body)),
            ("Content-Type", served.kind),
            ("ETag", served.tag),
        ):
            self.send_header(name, str(value))
        self.end_headers()
        served.begins.append(begin)
        served.sent.append(0)
        answer = len(served.sent) - 1
        end = served.cuts.pop(0) if served.cuts else len(body)
        with contextlib.suppress(OSError):
            for at in range(0, min(end, len(body)), served.block):
                if served.hold is not None and at >= served.hold:
                    served.gate.wait()
                block = body[at : min(at + served.block, end)]
                served.sent[answer] += len(block)  # before the client has it, and may look
                self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if served.chunked else block)
            if served.chunked and end >= len(body):
                self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _begin(self, served):
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        is_same = self.headers.get("If-Range", served.tag) == served.tag
        return int(asked[1]) if asked and served.ranges and is_same else 0

    def log_message(self, *given):
        pass


@contextlib.contextmanager
def serving(files):
    """Serve files by their paths; yields the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.files, server.daemon_threads = files, True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        for served in files.values():
            served.gate.set()
        server.shutdown()
