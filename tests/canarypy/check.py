"""Drives the unchanged client of CanaryPy, library and command line, against CANARYPY_URL."""

import json
import os
from unittest import mock

import requests
from canarypy.cli.main import cli
from canarypy.client import CanaryPyClient
from click.testing import CliRunner

NAME = "my-etl"
VERSION = "3.10-bullseye"
ARTIFACT_URL = "https://artifacts.example/my-etl"


def run(*arguments):
    """Runs the command line; gives the JSON that it printed."""
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def refused(status, call):
    """Sees a call fail with this status, and a `detail` that is a text."""
    try:
        call()
    except requests.HTTPError as error:
        assert error.response.status_code == status, error.response.text
        assert isinstance(error.response.json()["detail"], str), error.response.text
    else:
        raise AssertionError(f"{status} was expected")


def signal_create(status):
    return run(
        *("signal", "create", "--status", status, "--description", "from the command line"),
        *("--instance-id", "host-1", "--semver-version", VERSION, "--artifact-url", ARTIFACT_URL),
    )


def main():
    answers = {
        "name": NAME,
        "repository_url": "https://git.example/my-etl",
        "artifact_url": ARTIFACT_URL,
    }
    with mock.patch("canarypy.cli.main.prompt", return_value=answers):
        product = run("product", "create")
        assert product["name"] == NAME and product["id"], product
        refused(409, lambda: run("product", "create"))

    client = CanaryPyClient(base_url=os.environ["CANARYPY_URL"])
    refused(404, lambda: client.get_latest_stable_version(NAME))
    refused(404, lambda: client.get_latest_stable_version("nobody"))

    release_create = ("release", "create", "--semver-version", VERSION)
    release = run(*release_create, "--artifact-url", ARTIFACT_URL)
    assert release["id"], release
    again = run(*release_create, "--artifact-url", ARTIFACT_URL)
    assert isinstance(again["detail"], str) and again["status"] == 409, again

    # The base URL may come from the environment as well.
    for client in (client, CanaryPyClient()):
        assert client.get_latest_stable_version(NAME) == VERSION

    client.send_signal_to_canary(ARTIFACT_URL, VERSION, "host-1", "a run", "success")
    assert signal_create("success")["id"]
    assert signal_create("failed")["id"]
    assert signal_create("upstream_failed")["id"]
    send = client.send_signal_to_canary
    refused(404, lambda: send(ARTIFACT_URL, "0.0.0", "host-1", "a run", "success"))
    refused(404, lambda: send("https://nobody", VERSION, "host-1", "a run", "success"))
    refused(422, lambda: send(ARTIFACT_URL, VERSION, "host-1", "a run", "great"))


if __name__ == "__main__":
    main()
