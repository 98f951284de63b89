"""Middleware: the served pages ask no other host for anything.

Gradio's page template names a preview picture and its own site in <meta> tags for link previews. Browsers do not fetch
those, but a page that is used without internet should not name them either; and a Content-Security-Policy makes the
browser itself refuse any foreign request, whatever a widget may try.
"""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOREIGN_META = re.compile(rb'\s*<meta\s[^>]*(?:og:|twitter:)[^>]*/>')
POLICY = (
    b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    b"connect-src 'self' data: blob: ws: wss:; frame-ancestors 'self' https://huggingface.co https://*.hf.space"
)


class OwnHostOnly:
    """Pure ASGI, so that event streams pass through untouched."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Page(send).send)


class _Page:
    """Holds an HTML response back until it is whole, then sends it without foreign tags."""

    def __init__(self, send: Send):
        self.forward = send
        self.start: Message | None = None
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self.start = message
        elif message["type"] == "http.response.body" and self.start is not None:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self._flush()
        else:
            await self.forward(message)

    async def _flush(self) -> None:
        head, script, rest = self.body.partition(b"<script")  # the page's own data follows; it stays as it is
        body = FOREIGN_META.sub(b"", head) + script + rest
        headers = [(key, value) for key, value in self.start["headers"] if key != b"content-length"]
        headers += [(b"content-length", str(len(body)).encode()), (b"content-security-policy", POLICY)]
        await self.forward({**self.start, "headers": headers})
        await self.forward({"type": "http.response.body", "body": body})


def _is_html(message: Message) -> bool:
    return any(key == b"content-type" and value.startswith(b"text/html") for key, value in message["headers"])
