"""The shipped nginx configuration, run in front of web processes of a test."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.servers import free_port

CONFIGURATION = Path(__file__).parents[1] / "deploy/nginx/chatsite.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SHIPPED_PORTS = ("8001", "8002")
MAIN = """
daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {site}
}}
"""


@contextmanager
def nginx(directory: Path, ports: Sequence[int]) -> Iterator[int]:
    """Runs it before the web processes on these two ports; yields its own port."""
    port = free_port()
    text = CONFIGURATION.read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    for shipped, ours in zip(SHIPPED_PORTS, ports, strict=True):
        assert f"127.0.0.1:{shipped};" in text
        text = text.replace(f"127.0.0.1:{shipped};", f"127.0.0.1:{ours};")
    (directory / "nginx.conf").write_text(MAIN.format(site=text))
    command = [str(NGINX), "-p", str(directory), "-c", "nginx.conf", "-e", "error.log"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(5)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
