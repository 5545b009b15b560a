"""The browser that the tests drive: found, or installed where that is possible.

``python -m deploy.browser`` installs it; status 1 with a clear message where it cannot be had and CI=true.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_SHELL = "chromium-headless-shell"  # draws pages as Chromium does, without its windows, for a third of the CPU time
_PROGRAMS = (_SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


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
        for way in _ways():
            if all(map(_succeeds, way)):
                break
        found = find()
    return found


def _ways() -> list[list[list[str]]]:
    """Return the commands of each way to install one, the best way first."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        take = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        return [[["apt-get", "update", "-qq"], [*take, _SHELL]], [[*take, "chromium"]]]
    return [[[sys.executable, "-m", "playwright", "install", "chromium"]]]


def _succeeds(command: list[str]) -> bool:
    print("+", *command, flush=True)
    return subprocess.run(command, check=False).returncode == 0


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
