"""A small provider of OpenID Connect on a free port of the loopback: it vouches for whoever `claims` says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """What it says can be changed between requests."""

    def __init__(self) -> None:
        self.issuer = ""
        self.claims: dict[str, Any] = {"sub": "42", "email": "nora@example.com", "email_verified": True}
        self.userinfo: dict[str, Any] = {}
        self.key = KEY
        self.audience = "callops"
        self.asked: dict[str, list[str]] = {}

    def answer(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            ends = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            return {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/keys",
                **{f"{name}_endpoint": f"{self.issuer}/{end}" for name, end in ends.items()},
            }
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
            return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}
        if path == "/token":
            told = {"iss": self.issuer, "aud": self.audience, "iat": int(time.time()), "exp": int(time.time()) + 300}
            token = jwt.encode({**told, **self.claims}, self.key, algorithm="RS256", headers={"kid": "one"})
            return {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": token}
        return {**self.claims, **self.userinfo}


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers until the end of the block."""
    provider = Provider()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(provider.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            provider.asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
