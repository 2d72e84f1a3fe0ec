"""Reads `cargo metadata` from standard input; refuses dependencies that are not permissive."""

import json
import re
import sys

PERMISSIVE = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause",
    "BSL-1.0", "CC0-1.0", "CDLA-Permissive-2.0", "ISC", "MIT", "MIT-0", "Unicode-3.0", "Unlicense",
    "Zlib",
}


def permits(expression: str) -> bool:
    """Whether an SPDX expression can be met with permissive licences alone."""
    expression = expression.replace("/", " OR ").strip()
    while expression.startswith("(") and expression.endswith(")"):
        expression = expression[1:-1].strip()
    for operator, met in (("AND", all), ("OR", any)):
        parts = split(expression, operator)
        if len(parts) > 1:
            return met(permits(part) for part in parts)
    return expression in PERMISSIVE


def split(expression: str, operator: str) -> list[str]:
    """The parts of an expression around an operator that is not inside parentheses."""
    parts, depth, part = [], 0, ""
    for token in re.split(rf"(\(|\)|\b{operator}\b)", expression):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == operator and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += token
    return [piece.strip() for piece in [*parts, part]]


packages = json.load(sys.stdin)["packages"]
refused = [
    f"{package['name']} {package['version']}: {package['license'] or 'no licence'}"
    for package in packages
    if not permits(package["license"] or "")
]
for line in refused:
    print(f"error: not a permissive licence: {line}", file=sys.stderr)
print(f"{len(packages)} packages, {len(refused)} refused")
sys.exit(bool(refused))
