"""Reading variables: from files, in development, as URLs."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest
import redis
from django.db.backends.postgresql.base import DatabaseWrapper
from kombu import Connection

from kellexa_portal import env


def test_every_kind_of_variable_is_read_from_a_file(variables: dict[str, str], tmp_path: Path) -> None:
    expected = env.load(dict(variables))
    for name in list(variables):
        path = tmp_path / name.lower()
        path.write_text(variables.pop(name) + "\n")
        variables[f"{name}_FILE"] = str(path)

    config = env.load(variables)

    assert config == expected


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_one_line_break_at_the_end_of_a_file_is_not_part_of_the_value(
    variables: dict[str, str], tmp_path: Path, ending: str
) -> None:
    secret = variables.pop("SECRET_KEY")
    (tmp_path / "key").write_bytes((secret + ending).encode())
    variables["SECRET_KEY_FILE"] = str(tmp_path / "key")

    assert env.load(variables).secret_key == secret


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot be read"), (b"\xff\xfe", "cannot be read"), (b"", "empty file"), (b"\n", "empty file")],
)
def test_unusable_file_is_a_fault(
    variables: dict[str, str], tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    del variables["SECRET_KEY"]
    variables["SECRET_KEY_FILE"] = str(tmp_path / "key")
    if content is not None:
        (tmp_path / "key").write_bytes(content)

    with pytest.raises(env.EnvironmentFault) as caught:
        env.load(variables)

    (fault,) = caught.value.faults
    assert fault.startswith("SECRET_KEY_FILE: ")
    assert complaint in fault


def test_name_and_file_together_are_a_fault(variables: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(variables["SECRET_KEY"])
    variables["SECRET_KEY_FILE"] = str(tmp_path / "key")

    with pytest.raises(env.EnvironmentFault, match="SECRET_KEY: is set twice"):
        env.load(variables)


def test_production_is_the_default(tmp_path: Path) -> None:
    assert not env.is_development_checkout({"KELLEXA_STATE_DIR": str(tmp_path)})


def test_checkout_where_make_run_ran_is_development_until_named_otherwise(tmp_path: Path) -> None:
    variables = {"KELLEXA_STATE_DIR": str(tmp_path)}
    (tmp_path / "secrets.env").write_text("SECRET_KEY=x\n")

    assert env.is_development_checkout(variables)
    assert not env.is_development_checkout({**variables, "KELLEXA_MODE": "production"})


def test_portal_itself_never_infers_development(variables: dict[str, str], tmp_path: Path) -> None:
    del variables["KELLEXA_MODE"]
    (tmp_path / "secrets.env").write_text("SECRET_KEY=x\n")

    assert not env.load(variables).is_development


def test_no_variable_makes_a_process_the_owner(variables: dict[str, str]) -> None:
    variables["KELLEXA_DATABASE_ROLE"] = "owner"

    assert not env.load(variables).acts_as_owner


def test_development_takes_the_secrets_of_the_checkout(tmp_path: Path) -> None:
    secrets = env.generate_secrets()
    (tmp_path / "secrets.env").write_text("".join(f"{name}={value}\n" for name, value in secrets.items()))
    variables = _development(tmp_path)

    config = env.load(variables)

    assert config.secret_key == secrets["SECRET_KEY"]
    assert config.keyring.current_id == secrets["KEYRING"].partition(":")[0]


def test_development_without_secrets_makes_them_for_itself_and_its_children(tmp_path: Path) -> None:
    variables = _development(tmp_path)

    first = env.load(variables)
    child = env.load(dict(variables))

    assert first.secret_key == child.secret_key
    assert dict(first.keyring) == dict(child.keyring)
    assert not list(tmp_path.iterdir())


def test_development_answers_on_this_machine_at_its_port(tmp_path: Path) -> None:
    config = env.load({**_development(tmp_path), "PORT": "8123"})

    assert config.public_url == "http://localhost:8123"
    assert config.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert config.email() == {}


def test_generated_secrets_differ_each_time() -> None:
    assert not set(env.generate_secrets().values()) & set(env.generate_secrets().values())


def test_keyring_keeps_its_order_and_the_first_is_current(variables: dict[str, str]) -> None:
    newer, older = env.generate_secrets()["KEYRING"], variables["KEYRING"]
    variables["KEYRING"] = f"{newer}, {older}"

    config = env.load(variables)

    assert list(config.keyring) == [newer.partition(":")[0], older.partition(":")[0]]
    assert config.keyring.current_id == newer.partition(":")[0]


def test_database_behind_a_socket_keeps_the_case_of_its_folder(variables: dict[str, str]) -> None:
    variables["DATABASE_URL"] = "postgres://portal:p%40ss-Word%2F1234@%2Fsrv%2FRun%2Fpg:5433/portal"

    default = env.load(variables).databases()["default"]

    assert (default["HOST"], str(default["PORT"])) == ("/srv/Run/pg", "5433")
    assert (default["USER"], default["PASSWORD"], default["NAME"]) == ("portal", "p@ss-Word/1234", "portal")


def test_socket_may_also_stand_in_the_query(variables: dict[str, str]) -> None:
    variables["DATABASE_URL"] = "postgresql://portal@/portal?host=/srv/Run/pg"

    default = env.load(variables).databases()["default"]

    assert default["HOST"] == "/srv/Run/pg"
    assert "host" not in default["OPTIONS"]


def test_independent_database_is_the_same_one_over_a_pool_of_its_own(variables: dict[str, str]) -> None:
    variables["DB_POOL_SIZE"] = "8"

    databases = env.load(variables).databases()

    pools = {alias: entry["OPTIONS"].pop("pool")["max_size"] for alias, entry in databases.items()}
    mirror = databases["independent"].pop("TEST")
    assert pools == {"default": 8, "independent": 4}
    assert databases["independent"] == databases["default"]
    assert mirror == {"MIRROR": "default"}
    assert DatabaseWrapper({**databases["default"], "OPTIONS": {}, "TIME_ZONE": None}).alias


@pytest.mark.parametrize(
    ("url", "broker", "path"),
    [
        ("redis://:Yd7sNc3bHf9jWu5g@127.0.0.1:6380/2", None, None),
        ("unix:///srv/Run/v.sock?db=3", "redis+socket:///srv/Run/v.sock?virtual_host=3", "/srv/Run/v.sock"),
        ("unix:///srv/Run/v.sock", "redis+socket:///srv/Run/v.sock?virtual_host=0", "/srv/Run/v.sock"),
        (
            "rediss://:Yd7sNc3bHf9jWu5g@redis.internal/0",
            "rediss://:Yd7sNc3bHf9jWu5g@redis.internal/0?ssl_cert_reqs=required",
            None,
        ),
    ],
)
def test_redis_address_serves_every_client(
    variables: dict[str, str], url: str, broker: str | None, path: str | None
) -> None:
    variables["REDIS_URL"] = url

    config = env.load(variables)

    assert config.redis_url == config.cache()["LOCATION"] == url
    assert config.celery_broker_url == (broker or url)
    assert redis.ConnectionPool.from_url(config.redis_url).connection_kwargs.get("path") == path
    assert Connection(config.celery_broker_url).transport_cls is not None


def test_encrypted_broker_verifies_certificates(
    variables: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    variables["REDIS_URL"] = "rediss://:Yd7sNc3bHf9jWu5g@redis.internal/0"

    with caplog.at_level(logging.WARNING):
        broker = Connection(env.load(variables).celery_broker_url)

    assert broker.ssl["ssl_cert_reqs"] == 2
    assert "insecure" not in caplog.text.lower()


@pytest.mark.parametrize(
    ("url", "port", "encryption"),
    [
        ("smtp+tls://user:Ze1aGp6kVr8xQt4n@mail.internal", 587, "USE_TLS"),
        ("smtp+ssl://user:Ze1aGp6kVr8xQt4n@mail.internal", 465, "USE_SSL"),
        ("smtp://localhost:2525", 2525, ""),
    ],
)
def test_mail_address_becomes_djangos_settings(
    variables: dict[str, str], url: str, port: int, encryption: str
) -> None:
    variables["EMAIL_URL"] = url

    mail = env.load(variables).email()

    assert mail["PORT"] == port
    assert [name for name in ("USE_TLS", "USE_SSL") if mail[name]] == ([encryption] if encryption else [])


def test_trusted_proxies_are_canonical_networks(variables: dict[str, str]) -> None:
    variables["TRUSTED_PROXIES"] = "10.1.2.3/8, 2001:db8::1"

    assert env.load(variables).trusted_proxies == ("10.0.0.0/8", "2001:db8::1/128")


def test_reading_leaves_no_file_behind_that_others_can_read(tmp_path: Path) -> None:
    env.load(_development(tmp_path))

    assert all(not stat.S_IMODE(path.stat().st_mode) & 0o077 for path in tmp_path.iterdir())


def _development(state: Path) -> dict[str, str]:
    return {
        "KELLEXA_MODE": "development",
        "KELLEXA_STATE_DIR": str(state),
        "DATABASE_URL": os.environ["DATABASE_URL"],
        "REDIS_URL": os.environ["REDIS_URL"],
    }
