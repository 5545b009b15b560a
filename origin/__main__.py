"""``python -m origin``: serve the booking system."""

import uvicorn

from origin.app import create_app
from origin.config import OriginConfig
from shared import logs
from shared.settings import load


def main() -> None:
    """Read the settings, serve until SIGTERM or SIGINT, let requests under way finish."""
    config = load(OriginConfig)
    logs.configure("origin")
    uvicorn.run(
        create_app(config),
        host=config.origin_host,
        port=config.origin_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
