"""The extra is off unless it is switched on; with it, tests of their own run in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from callops.accounts.admission import Admission, Rules, admit
from callops.people.roles import Role
from callops.site import account_shapes, environment
from tests.settings import MADE_UP

ROOT = Path(__file__).resolve().parents[2]
INSIDE = sorted(str(path) for path in Path(__file__).parent.glob("with_*.py"))


def test_what_the_extra_promises_holds_where_it_is_switched_on() -> None:
    words = [sys.executable, "-m", "pytest", "-q", "--ds=tests.accounts.settings", "-p", "no:cacheprovider", *INSIDE]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]


def test_without_the_extra_allauth_is_never_imported() -> None:
    code = "import sys, callops.site.asgi; sys.exit(any('allauth' in name for name in sys.modules))"
    told = {**os.environ, **MADE_UP, "ACCOUNTS": "", "DJANGO_SETTINGS_MODULE": "callops.site.settings"}

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=told, check=False).returncode == 0


def problems(**given: str) -> list[str]:
    with pytest.raises(environment.EnvironmentProblems) as found:
        environment.read({**MADE_UP, **given})
    return found.value.problems


def test_the_extra_without_its_package_is_an_error_that_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_shapes, "find_spec", lambda name: None)

    (problem,) = problems(ACCOUNTS="allauth")

    assert "pip install --require-hashes --requirement requirements/accounts.txt" in problem


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"ACCOUNTS": "yes"}, ["ACCOUNTS"]),
        ({"MFA_REQUIRED_ROLES": "administrator"}, ["ACCOUNTS"]),
        ({"ACCOUNTS": "allauth", "MFA_REQUIRED_ROLES": "boss"}, ["MFA_REQUIRED_ROLES"]),
        ({"ACCOUNTS": "allauth", "OIDC_DOMAINS": "example.com"}, ["OIDC_ISSUER"]),
        ({"OIDC_ISSUER": "https://x.example"}, ["ACCOUNTS", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET"]),
        (
            {
                "ACCOUNTS": "allauth",
                "OIDC_ISSUER": "http://x.example",
                "OIDC_CLIENT_ID": "x",
                "OIDC_CLIENT_SECRET": "s",
            },
            ["OIDC_ISSUER"],
        ),
    ],
)
def test_settings_of_the_extra_that_do_not_go_together_are_named(given: dict[str, str], named: list[str]) -> None:
    assert [problem.split()[0] for problem in problems(**given)] == named


def test_the_settings_of_the_extra_are_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3\n")
    oidc = {"OIDC_ISSUER": "https://x.example/", "OIDC_CLIENT_ID": "x", "OIDC_CLIENT_SECRET_FILE": str(secret)}
    read = environment.read(
        {**MADE_UP, **oidc, "ACCOUNTS": "allauth", "OIDC_ROLES": "phone desk=supervisor, a=analyst"}
    )

    assert read.accounts
    assert read.oidc_client_secret == "s3"
    assert read.oidc_issuer == "https://x.example"
    assert read.oidc_roles == (("phone desk", "supervisor"), ("a", "analyst"))
    assert "s3" not in repr(read)


NORA = {"email": "Nora@example.com", "email_verified": True, "groups": ["desk", "boss"]}
ROLES = (("desk", "supervisor"), ("boss", "administrator"))


@pytest.mark.parametrize(
    ("claims", "domains", "roles", "wanted"),
    [
        (NORA, (), (), Admission("nora@example.com")),
        (NORA, ("example.com",), (), Admission("nora@example.com", None, may_be_new=True)),
        (NORA, (), ROLES, Admission("nora@example.com", Role.ADMINISTRATOR, may_be_new=True)),
        ({**NORA, "groups": "desk"}, (), ROLES, Admission("nora@example.com", Role.SUPERVISOR, may_be_new=True)),
        ({**NORA, "groups": []}, ("example.com",), ROLES, Admission("nora@example.com", None, may_be_new=True)),
    ],
)
def test_the_settings_say_who_may_come_in(claims: dict, domains: tuple, roles: tuple, wanted: Admission) -> None:
    assert admit(claims, Rules(domains, roles, "groups")) == wanted


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {**NORA, "email_verified": False},
        {"email": "nora@example.com"},
        {**NORA, "email": "nora@example.com.evil.test", "groups": {"desk": 1}},
        {**NORA, "email": "nora", "groups": ["desk"]},
    ],
)
def test_who_is_not_vouched_for_stays_out(claims: dict) -> None:
    assert admit(claims, Rules(("example.com",), ROLES, "groups")).why_not
