"""``python -m edge``: serve the waiting room."""

import gc
import sys

from edge.app import create_app
from edge.config import ConfigError, EdgeConfig, EdgeSettings
from edge.events.webhook import WebhookError
from shared import logs
from shared.keys import KeyRingError
from shared.server import serve
from shared.settings import load
from shared.web.theme import ThemeError


def main() -> None:
    """Read the settings, serve until SIGTERM or SIGINT, let requests under way finish."""
    settings = load(EdgeSettings)
    logs.configure("edge")
    try:
        config = EdgeConfig.load(settings)
    except (ConfigError, KeyRingError, ThemeError, WebhookError) as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(2)
    app = create_app(config)
    # What is there now stays for ever: the collector need not look at it again, nor at every few hundred new objects
    # while thousands of requests wait for the store.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    # uvicorn would believe whoever connects from this machine; see edge.guard.addresses
    serve(app, host=settings.edge_host, port=settings.edge_port)


if __name__ == "__main__":
    main()
