"""What a program finds around it (see ../README.md), and how it says what it found."""

import os
import sys
import traceback

import requests

ISSUER = os.environ["CLAVIGER_ISSUER"]
METADATA = requests.get(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10).json()

FAILED: list[str] = []


def management(method: str, path: str, body: dict | None = None) -> dict:
    """Asks the management API of the organization, as its administrator."""
    answer = requests.request(
        method,
        f"{ISSUER}/v1/orgs/default/{path}",
        json=body,
        headers={"Authorization": f"Bearer {os.environ['CLAVIGER_ADMIN_KEY']}"},
        timeout=10,
    )
    if not answer.ok:
        raise AssertionError(answer.text)
    return answer.json() if answer.content else {}


def check(name: str, run, *arguments) -> None:
    try:
        run(*arguments)
        print(f"ok      {name}")
    except Exception:
        FAILED.append(name)
        print(f"FAILED  {name}")
        traceback.print_exc(file=sys.stdout)


def equal(what: str, found, expected) -> None:
    if found != expected:
        raise AssertionError(f"{what} is {found!r}, expected {expected!r}")


def raises(kind: type[Exception], run) -> Exception:
    try:
        answer = run()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, got {answer!r}")
