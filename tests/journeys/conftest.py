"""JupyterLab in a real browser, as a user meets it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.servers import unavailable

ROOT = Path(__file__).parents[2]
# Kept for people to look at; git does not.
SCREENSHOTS = ROOT / "tests" / "screenshots"
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What a user finds in the menus, without their animations.
EXECUTE = "command => window.jupyterapp.commands.execute(command)"
# The name of another kernelspec, to try another kernel.
KERNEL = os.environ.get("DJ_TEST_KERNEL", "python3")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """JupyterLab on a copy of the notebooks; its address."""
    folder = tmp_path / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder, ignore=shutil.ignore_patterns("*.db*"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--expose-app-in-browser", f"--port={port}", "--ip=127.0.0.1", "--port-retries=0"),
        *("--IdentityProvider.token=", "--ServerApp.password=", f"--notebook-dir={folder}"),
    ]
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(_settings(tmp_path / "settings")),
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", process, tmp_path / "log")
        yield f"http://127.0.0.1:{port}/lab"
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:  # it waits for a kernel that ends no more
            process.kill()
            process.wait()


def _settings(folder: Path) -> Path:
    """Let JupyterLab draw all cells, not only those on screen, and ask nothing."""
    for plugin, settings in {
        "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
        "@jupyterlab/apputils-extension/notification": {"fetchNews": "false"},
    }.items():
        file = folder / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    return folder


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=60)
            return
        except urllib.error.URLError:
            # Refused at once while the server starts: asking again costs nothing.
            continue
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture
def browser_page() -> Iterator[Page]:
    """A page in Debian's Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        unavailable("chromium", "there is no chromium: `apt-get install chromium` on Debian")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_OPTIONS)
        yield browser.new_page(viewport={"width": 1200, "height": 1600})
        browser.close()
