"""What production refuses to start with."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from kellexa_portal import env

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(100, 132))).decode()


def faults_of(variables: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(env.EnvironmentFault) as caught:
        env.load(variables)
    return caught.value.faults


def test_good_environment_is_accepted(variables: dict[str, str]) -> None:
    config = env.load(variables)

    assert not config.is_development
    assert config.allowed_hosts == ["portal.kellexa.example"]
    assert config.mail_from == "Kellexa <no-reply@portal.kellexa.example>"


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "KEYRING",
        "TOKEN_PEPPERS",
        "AUDIT_SIGNING_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "EMAIL_URL",
        "PUBLIC_URL",
    ],
)
@pytest.mark.parametrize("how", ["unset", "empty"])
def test_missing_variable_is_named(variables: dict[str, str], name: str, how: str) -> None:
    if how == "unset":
        del variables[name]
    else:
        variables[name] = ""

    (fault,) = faults_of(variables)

    assert fault.startswith(f"{name}: is missing; ")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("SECRET_KEY", "k3Jf8sQm1zXw", "is weak"),
        ("SECRET_KEY", "abab" * 20, "is weak"),
        ("SECRET_KEY", "django-insecure-" + "k3Jf8sQm1zXwPq7v" * 4, "placeholder"),
        ("SECRET_KEY", "please-change-me-" + "k3Jf8sQm1zXwPq7v" * 4, "placeholder"),
        ("KEYRING", KEY, "malformed id"),
        ("KEYRING", f"Main:{KEY}", "malformed id"),
        ("KEYRING", f"{'a' * 17}:{KEY}", "malformed id"),
        ("KEYRING", f":{KEY}", "malformed id"),
        ("KEYRING", "k1:not base64!", "is not the base64 of 32 random bytes"),
        ("KEYRING", f"k1:{base64.b64encode(bytes(16)).decode()}", "is not the base64 of 32 random bytes"),
        ("KEYRING", f"k1:{base64.b64encode(bytes(32)).decode()}", "is not the base64 of 32 random bytes"),
        ("KEYRING", f"k1:{KEY},k1:{OTHER_KEY}", "key 2 repeats an id"),
        ("KEYRING", f"k1:{KEY},k2:{KEY}", "used more than once"),
        ("TOKEN_PEPPERS", f"p_1:{KEY}", "malformed id"),
        ("TOKEN_PEPPERS", f"p1:{KEY},p2:{KEY}", "used more than once"),
        ("AUDIT_SIGNING_KEY", "c2hvcnQ=", "is not the base64 of 32 random bytes"),
        ("DATABASE_URL", "postgres://portal:postgres@db/portal", "weak password"),
        ("DATABASE_URL", "postgres://portal:changeme-changeme@db/portal", "weak password"),
        ("DATABASE_URL", "mysql://portal:Xk4tTq8vLm2wRz6p@db/portal", "must begin with postgres://"),
        ("DATABASE_URL", "postgres://portal:Xk4tTq8vLm2wRz6p@db:port/portal", "is not a URL"),
        ("DATABASE_URL", "postgres://portal:Xk4tTq8vLm2wRz6p@db", "names no database"),
        ("REDIS_URL", "http://redis.internal", "must begin with redis://"),
        ("REDIS_URL", "unix://", "names no socket"),
        ("REDIS_URL", "rediss://:redis@redis.internal/0", "weak password"),
        ("REDIS_URL", "rediss://redis.internal/0", "has no password"),
        ("REDIS_URL", "redis://:Yd7sNc3bHf9jWu5g@redis.internal/0", "in clear text"),
        ("DATABASE_URL", "postgres://portal@db/portal", "has no password"),
        ("EMAIL_URL", "smtp://mailer:Ze1aGp6kVr8xQt4n@mail.internal", "in clear text"),
        ("EMAIL_URL", "smtp+tls://", "names no server"),
        ("PUBLIC_URL", "http://portal.kellexa.example", "must begin with https://"),
        ("PUBLIC_URL", "https://portal.kellexa.example/portal", "scheme and host alone"),
        ("PUBLIC_URL", "https://user@portal.kellexa.example", "scheme and host alone"),
        ("ALLOWED_HOSTS", "*", "answers to any name"),
        ("ALLOWED_HOSTS", "portal.kellexa.example,*", "answers to any name"),
        ("ALLOWED_HOSTS", "other.example", "leaves out the host of PUBLIC_URL"),
        ("TRUSTED_PROXIES", "0.0.0.0/0", "believes everyone"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy", "item 2 is neither"),
        ("DEBUG", "true", "shows the inside"),
        ("DEBUG", "maybe", "neither true nor false"),
        ("DB_POOL_SIZE", "1", "must be a whole number from 2 to 200"),
        ("DB_POOL_SIZE", "９", "must be a whole number from 2 to 200"),
        ("KELLEXA_MODE", "prod", "is unknown"),
    ],
)
def test_unsafe_value_is_refused_without_being_shown(
    variables: dict[str, str], name: str, value: str, complaint: str
) -> None:
    variables[name] = value

    (fault,) = faults_of(variables)

    assert fault.startswith(f"{name}: ")
    assert complaint in fault
    assert KEY not in fault
    assert not re.search(r"changeme|k3Jf8sQm1zXw|Xk4tTq8vLm2wRz6p|abab", fault)


def test_owner_role_must_differ_from_the_application_role(variables: dict[str, str]) -> None:
    variables["MIGRATION_DATABASE_URL"] = "postgres://portal:Kq3zVb7yTn1cLs9d@db.internal/portal"

    (fault,) = faults_of(variables)

    assert fault.startswith("MIGRATION_DATABASE_URL: uses the role of DATABASE_URL")


@pytest.mark.parametrize(
    ("name", "template", "borrowed_from"),
    [
        ("AUDIT_SIGNING_KEY", "{}", "KEYRING"),
        ("TOKEN_PEPPERS", "p1:{}", "KEYRING"),
        ("SECRET_KEY", "{}", "KEYRING"),
        ("REDIS_URL", "rediss://:{}@redis.internal/0", "DATABASE_URL"),
        ("MIGRATION_DATABASE_URL", "postgres://owner:{}@db.internal/portal", "DATABASE_URL"),
    ],
)
def test_secret_used_for_two_purposes_is_refused(
    variables: dict[str, str], name: str, template: str, borrowed_from: str
) -> None:
    password = "Xk4tTq8vLm2wRz6p"
    borrowed = password if borrowed_from == "DATABASE_URL" else variables["KEYRING"].partition(":")[2]
    variables[name] = template.format(borrowed)

    faults = [fault for fault in faults_of(variables) if "is weak" not in fault]

    assert len(faults) == 1
    assert set(faults[0].partition(":")[0].split(" and ")) == {name, borrowed_from}


@pytest.mark.parametrize("name", ["SECRET_KEY", "KEYRING", "TOKEN_PEPPERS", "AUDIT_SIGNING_KEY"])
def test_secret_of_a_development_checkout_is_refused(
    variables: dict[str, str], tmp_path: Path, name: str
) -> None:
    (tmp_path / "secrets.env").write_text(f"{name}={variables[name]}\n")

    (fault,) = faults_of(variables)

    assert fault.startswith(f"{name}: is the one that `make run` made")


def test_all_faults_are_listed_in_one_answer(tmp_path: Path) -> None:
    variables = {
        "KELLEXA_STATE_DIR": str(tmp_path),
        "PUBLIC_URL": "http://portal.example",
        "SECRET_KEY": "short",
        "ALLOWED_HOSTS": "*",
        "DEBUG": "1",
    }

    faults = faults_of(variables)

    named = {fault.partition(":")[0] for fault in faults}
    assert named == {
        "PUBLIC_URL",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DEBUG",
        "KEYRING",
        "TOKEN_PEPPERS",
        "AUDIT_SIGNING_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "EMAIL_URL",
    }


def test_repr_of_the_configuration_shows_no_value(variables: dict[str, str]) -> None:
    config = env.load(variables)

    shown = f"{config!r} {config} {config.keyring!r} {config.token_peppers!s}"

    for secret in config.secret_values():
        assert secret not in shown
