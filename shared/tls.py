"""What certificates are checked against, once per process: reading all authorities keeps an event loop for 20 ms."""

import ssl
from functools import cache

import httpx


@cache
def context(*, trust_env: bool = True) -> ssl.SSLContext:
    """Return the context for every httpx client of this process; with ``trust_env``, ``SSL_CERT_FILE`` has a say."""
    return httpx.create_ssl_context(trust_env=trust_env)
