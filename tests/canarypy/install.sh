#!/bin/sh
# Makes a Python environment with CanaryPy's own client, and prints its interpreter:
#
#     CANARY_TEST_CANARYPY=$(tests/canarypy/install.sh target/canarypy) cargo test -p canary-tests
#
# The server side of CanaryPy pins packages that no longer install on new Pythons; the client needs
# none of them.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 FOLDER" >&2
    exit 2
fi

python3 -m venv "$1" >&2
"$1/bin/python" -m pip install --quiet --no-deps canarypy==0.0.14 >&2
"$1/bin/python" -m pip install --quiet requests click InquirerPy >&2
echo "$(cd "$1" && pwd)/bin/python"
