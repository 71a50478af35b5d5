"""Running the kmslint command as a user does: a process of its own, an empty home, dummy credentials, loopback only."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("AKIAFAKEFAKEFAKE0002", "fake/secret+of/the+end+to+end+tests", "fake-session-token-of-the-end-to-end-tests")


class Ran(NamedTuple):
    """What a finished command left."""

    code: int
    stdout: str
    stderr: str

    def report(self) -> dict[str, Any]:
        """The JSON report on stdout."""
        report: dict[str, Any] = json.loads(self.stdout)
        return report

    def outcomes(self, arn: str) -> dict[str, str]:
        """The outcome of each rule on the key `arn`; FAIL where a rule has several results and one is FAIL."""
        report = self.report()
        (key,) = [key["id"] for key in report["keys"] if key["arn"] == arn]
        found: dict[str, str] = {}
        for result in report["results"]:
            if result["key"] == key and found.get(result["rule"]) != "FAIL":
                found[result["rule"]] = result["outcome"]
        return found


Scan = Callable[..., Ran]


def command() -> tuple[list[str], dict[str, str]]:
    """The installed command, or this checkout where none is installed, and the environment that it needs."""
    script = Path(sys.executable).with_name("kmslint")
    return ([str(script)], {}) if script.exists() else ([sys.executable, "-m", "kmslint"], {"PYTHONPATH": str(ROOT)})


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home and working directory."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def aws_environment(home: Path) -> Mapping[str, str]:
    """Nothing of the caller's AWS: dummy credentials, no configuration files, no instance metadata, no proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KMSLINT_"))}
    return {
        **{name: value for name, value in kept.items() if not name.lower().endswith("_proxy")},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": SECRETS[0],
        "AWS_SECRET_ACCESS_KEY": SECRETS[1],
        "AWS_SESSION_TOKEN": SECRETS[2],
    }


@pytest.fixture(scope="session")
def scan(home: Path, aws_environment: Mapping[str, str]) -> Scan:
    """`kmslint scan ARGUMENTS --endpoint-url URL --region us-east-1`, as JSON unless told otherwise."""
    program, path = command()

    def run(url: str, *arguments: str, format: str = "json", **more: str) -> Ran:
        done = subprocess.run(
            [*program, "scan", *arguments, "--endpoint-url", url, "--region", "us-east-1", "--format", format],
            cwd=home,
            env={**aws_environment, **path, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        shown = done.stdout + done.stderr
        assert [secret for secret in SECRETS if secret in shown] == []
        assert "Traceback" not in shown
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def moto_url(aws_environment: Mapping[str, str]) -> Iterator[str]:
    """moto's server, in a process of its own, on a free port of loopback."""
    pytest.importorskip("moto.server", reason="moto's server is not installed")
    code = (
        "import sys\n"
        "from moto.server import ThreadedMotoServer\n"
        "server = ThreadedMotoServer(ip_address='127.0.0.1', port=0, verbose=False)\n"
        "server.start()\n"
        "print(server.get_host_and_port()[1], flush=True)\n"
        "sys.stdin.read()\n"
        "server.stop()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=dict(aws_environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        if not port:
            pytest.skip("moto's server did not start")
        yield f"http://127.0.0.1:{port}"
        server.communicate(timeout=30)
