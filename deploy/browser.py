"""The browser that the tests drive: found, or installed where that is possible.

``python -m deploy.browser`` installs it; status 1 with a clear message where it cannot be had and CI=true.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> Path | None:
    """Return the path of a Chromium: CHROMIUM, else one on the PATH, else Playwright's own, else None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return Path(named) if Path(named).exists() else None
    for program in _PROGRAMS:
        found = shutil.which(program)
        if found is not None:
            return Path(found)
    return _playwrights_own()


def _playwrights_own() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def install() -> Path | None:
    """Install a Chromium where there is none, and return its path; None where that fails."""
    found = find()
    if found is None:
        for command in _installers():
            print("+", *command, flush=True)
            if subprocess.run(command, check=False).returncode:
                break
        found = find()
    return found


def _installers() -> list[list[str]]:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return [
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
        ]
    return [[sys.executable, "-m", "playwright", "install", "chromium"]]


def main() -> None:
    """Install; where it fails, say what to do, and fail where CI=true."""
    if install() is not None:
        return
    print(
        "No Chromium, and it could not be installed: the browser tests cannot run.\n"
        "Install Chromium with your package manager, or set CHROMIUM to its path.",
        file=sys.stderr,
    )
    if os.environ.get("CI") == "true":
        sys.exit(1)


if __name__ == "__main__":
    main()
