"""``python -m origin``: serve the booking system."""

from origin.app import create_app
from origin.config import OriginConfig
from shared import logs
from shared.server import serve
from shared.settings import load


def main() -> None:
    """Read the settings, serve until SIGTERM or SIGINT, let requests under way finish."""
    config = load(OriginConfig)
    logs.configure("origin")
    serve(create_app(config), host=config.origin_host, port=config.origin_port)


if __name__ == "__main__":
    main()
