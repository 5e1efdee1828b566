"""Coming in: by password, with attempts limited; by token; and the SSH keys that an administrator adds."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher, extract_parameters

from issbox.config import load_settings
from issbox.errors import (
    AlreadyExistsError,
    AuthenticationFailedError,
    InvalidValueError,
    NotFoundError,
    NotPermittedError,
    TooManyAttemptsError,
)
from issbox.model import Actor, Role
from issbox.progress import Silent
from issbox.store import Store
from issbox.workflows.content import catalog
from issbox.workflows.context import Context
from issbox.workflows.people import passwords, ssh_keys, tokens, users

PASSWORD = "correct horse battery"
ORIGIN = "192.0.2.7"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr ann@desk"


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = field(default=datetime(2026, 11, 1, 12, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admin(store: Store, tmp_path: Path, clock: Clock) -> Context:
    """The local administrator of a box with the users ann, an org-admin of ACME, and bob."""
    settings = load_settings({"ISSBOX_STATE_DIR": str(store.state_dir), "XDG_CONFIG_HOME": str(tmp_path)})
    ctx = Context(store, settings, Actor("root", "local"), clock, Silent())
    catalog.create_organization(ctx, label="ACME", name="ACME")
    for name in ("ann", "bob"):
        users.create_user(ctx, name=name)
    users.grant_role(ctx, "ann", Role.ORG_ADMIN, organization="ACME")
    return ctx


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash with the least memory that Argon2 takes; one test looks at the real parameters."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobody.cache_clear()


def actions(ctx: Context) -> list[str]:
    return [entry.action for entry in ctx.store.audit.list()]


def fail(ctx: Context, name: str = "ann", password: str = "wrong wrong wrong") -> AuthenticationFailedError:
    with pytest.raises(AuthenticationFailedError) as caught:
        passwords.enter_by_password(ctx, name, password, ORIGIN)
    return caught.value


def test_the_right_password_lets_in_as_that_user(admin: Context) -> None:
    passwords.set_password(admin, "ann", PASSWORD)
    ctx = passwords.enter_by_password(admin, "ann", PASSWORD, ORIGIN)
    assert (ctx.user, ctx.actor) == ("ann", Actor("ann", ORIGIN))
    assert [each.label for each in catalog.list_organizations(ctx)] == ["ACME"]
    assert PASSWORD not in str(admin.store.audit.list())
    assert actions(admin)[-1] == "user.password-set"


def test_only_a_hash_of_good_strength_is_kept(admin: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    passwords.set_password(admin, "ann", PASSWORD)
    kept = admin.store.passwords.get("ann") or ""
    parameters = extract_parameters(kept)
    assert (parameters.type.name, parameters.memory_cost, parameters.time_cost) == ("ID", 65536, 3)
    assert PASSWORD not in kept
    passwords.enter_by_password(admin, "ann", PASSWORD, ORIGIN)


def test_a_weak_hash_is_made_anew_at_the_next_entry(admin: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords.set_password(admin, "ann", PASSWORD)
    before = admin.store.passwords.get("ann")
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    for _ in range(2):
        passwords.enter_by_password(admin, "ann", PASSWORD, ORIGIN)
    after = admin.store.passwords.get("ann") or ""
    assert after != before
    assert extract_parameters(after).time_cost == 2


def test_all_failures_look_alike(admin: Context) -> None:
    passwords.set_password(admin, "ann", PASSWORD)
    passwords.set_password(admin, "bob", PASSWORD)
    users.update_user(admin, "bob", disabled=True)
    users.create_user(admin, name="cat")
    tried = [("ann", "wrong"), ("bob", PASSWORD), ("cat", ""), ("eve", PASSWORD), ("", ""), ("\udcff", "x" * 10**6)]
    said = {(str(error), error.code, error.hint) for error in (fail(admin, *each) for each in tried)}
    assert len(said) == 1


def test_failures_are_written_down_without_what_was_typed(admin: Context) -> None:
    fail(admin, "eve", "my secret word")
    fail(admin, "my secret word", "")
    fail(admin, "ann", "my secret word")
    entries = [entry for entry in admin.store.audit.list() if entry.action == "user.password-refuse"]
    assert [entry.actor for entry in entries] == [Actor("unknown", ORIGIN)] * 2 + [Actor("ann", ORIGIN)]
    assert "secret" not in str(entries)


@pytest.mark.parametrize("name", ["ann", "nobody-has-this-name"])
def test_attempts_are_limited_and_the_limit_ends(admin: Context, clock: Clock, name: str) -> None:
    passwords.set_password(admin, "ann", PASSWORD)
    for _ in range(5):
        assert fail(admin, name).code == "authentication-failed"
    assert fail(admin, name).code == "too-many-attempts"
    if name == "ann":
        with pytest.raises(TooManyAttemptsError, match="2026-11-01T12:00:01Z"):
            passwords.enter_by_password(admin, "ann", PASSWORD, ORIGIN)
    clock.forward(1)
    assert fail(admin, name).code == "authentication-failed"
    clock.forward(1)
    assert fail(admin, name).code == "too-many-attempts"
    clock.forward(1)
    if name == "ann":
        passwords.enter_by_password(admin, "ann", PASSWORD, ORIGIN)
        assert fail(admin).code == "authentication-failed"


def test_one_user_does_not_lock_out_another(admin: Context) -> None:
    passwords.set_password(admin, "ann", PASSWORD)
    for _ in range(6):
        fail(admin, "bob")
    passwords.enter_by_password(admin, "ann", PASSWORD, ORIGIN)


def test_guessing_names_fills_no_table(admin: Context, clock: Clock) -> None:
    for number in range(300):
        fail(admin, f"name{number}")
    kept = [f"?{group:02x}" for group in range(256)]
    assert sum(admin.store.passwords.attempts(each).failures for each in kept) == 300
    assert admin.store.passwords.attempts("name1").failures == 0


def test_attempts_at_once_are_counted_before_the_password_is_looked_at(admin: Context) -> None:
    passwords.set_password(admin, "ann", PASSWORD)
    codes: list[str] = []

    def attempt() -> None:
        try:
            passwords.enter_by_password(admin, "ann", "wrong", ORIGIN)
        except AuthenticationFailedError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["authentication-failed"] * 5 + ["too-many-attempts"] * 3


def test_everybody_may_change_the_own_password_only(admin: Context) -> None:
    bob = admin.acting_as("bob", ORIGIN)
    passwords.set_password(bob, "bob", PASSWORD)
    passwords.remove_password(bob, "bob")
    fail(admin, "bob", PASSWORD)
    with pytest.raises(NotPermittedError):
        passwords.set_password(bob, "ann", PASSWORD)
    with pytest.raises(NotPermittedError):
        passwords.remove_password(bob, "ann")
    with pytest.raises(InvalidValueError):
        passwords.set_password(bob, "bob", "short")
    with pytest.raises(NotFoundError):
        passwords.set_password(admin, "eve", PASSWORD)


def test_a_token_lets_in_until_it_expires_or_is_revoked(admin: Context, clock: Clock) -> None:
    made = tokens.create_token(admin, "ann", "backup", expires_at=clock.now + timedelta(hours=2))
    assert len(made.secret) == len("issbox_") + 43
    ctx = tokens.enter_by_token(admin, made.secret, ORIGIN)
    assert (ctx.user, ctx.actor) == ("ann", Actor("ann", ORIGIN))
    for wrong in ("", "issbox_", made.secret[:-1], made.secret + "A", made.secret.upper(), "\udcff" * 50):
        with pytest.raises(AuthenticationFailedError):
            tokens.enter_by_token(admin, wrong, ORIGIN)
    clock.forward(7200)
    with pytest.raises(AuthenticationFailedError):
        tokens.enter_by_token(admin, made.secret, ORIGIN)
    lasting = tokens.create_token(admin, "ann", "lasting")
    tokens.enter_by_token(admin, lasting.secret, ORIGIN)
    assert tokens.revoke_token(admin, "ann", "lasting").name == "lasting"
    with pytest.raises(AuthenticationFailedError):
        tokens.enter_by_token(admin, lasting.secret, ORIGIN)


def test_the_secret_of_a_token_is_nowhere(admin: Context) -> None:
    made = tokens.create_token(admin, "ann", "backup")
    again = tokens.create_token(admin, "ann", "another")
    assert made.secret != again.secret
    database = admin.store.state_dir / "issbox.db"
    if database.exists():
        files = [database, *admin.store.state_dir.glob("issbox.db-*")]
        assert not any(made.secret.encode() in path.read_bytes() for path in files)
    assert made.secret not in str(admin.store.audit.list())
    assert [each.name for each in tokens.list_tokens(admin, "ann")] == ["another", "backup"]


def test_the_use_of_a_token_is_noted_once_an_hour(admin: Context, clock: Clock) -> None:
    made = tokens.create_token(admin, "ann", "backup")
    used = []
    for seconds in (0, 1800, 1800, 7200):
        clock.forward(seconds)
        tokens.enter_by_token(admin, made.secret, ORIGIN)
        used.append(tokens.list_tokens(admin, "ann")[0].used_at)
    start = used[0]
    assert start is not None
    assert used == [start, start, start + timedelta(hours=1), start + timedelta(hours=3)]


def test_tokens_of_a_disabled_user_sleep(admin: Context) -> None:
    made = tokens.create_token(admin, "ann", "backup")
    users.update_user(admin, "ann", disabled=True)
    with pytest.raises(AuthenticationFailedError):
        tokens.enter_by_token(admin, made.secret, ORIGIN)
    users.update_user(admin, "ann", disabled=False)
    tokens.enter_by_token(admin, made.secret, ORIGIN)


def test_which_tokens_may_be_made(admin: Context, clock: Clock) -> None:
    bob = admin.acting_as("bob", ORIGIN)
    tokens.create_token(bob, "bob", "own")
    with pytest.raises(AlreadyExistsError):
        tokens.create_token(bob, "bob", "own")
    with pytest.raises(NotFoundError):
        tokens.revoke_token(bob, "bob", "none")
    with pytest.raises(InvalidValueError, match="over"):
        tokens.create_token(admin, "ann", "late", expires_at=clock.now)
    with pytest.raises(InvalidValueError):
        tokens.create_token(admin, "ann", "no label")
    for act in (tokens.list_tokens, lambda ctx, user: tokens.create_token(ctx, user, "x")):
        with pytest.raises(NotPermittedError):
            act(bob, "ann")
    with pytest.raises(NotPermittedError):
        tokens.revoke_token(bob, "ann", "own")


def test_ssh_keys(admin: Context) -> None:
    owned = ssh_keys.add_ssh_key(admin, "ann", KEY)
    assert owned.key.line == KEY
    with pytest.raises(AlreadyExistsError, match="ann"):
        ssh_keys.add_ssh_key(admin, "bob", KEY.replace("ann@desk", "another comment"))
    assert ssh_keys.list_ssh_keys(admin) == ssh_keys.list_ssh_keys(admin, "ann") == [owned]
    bob, ann = admin.acting_as("bob", ORIGIN), admin.acting_as("ann", ORIGIN)
    assert ssh_keys.list_ssh_keys(ann, "ann") == [owned]
    refused: list[Callable[[], object]] = [
        lambda: ssh_keys.list_ssh_keys(bob),
        lambda: ssh_keys.list_ssh_keys(bob, "ann"),
        lambda: ssh_keys.add_ssh_key(bob, "bob", KEY),
        lambda: ssh_keys.remove_ssh_key(ann, "ann", owned.key.fingerprint),
    ]
    for act in refused:
        with pytest.raises(NotPermittedError):
            act()
    for user, fingerprint in (("bob", owned.key.fingerprint), ("ann", "SHA256:none")):
        with pytest.raises(NotFoundError):
            ssh_keys.remove_ssh_key(admin, user, fingerprint)
    assert ssh_keys.remove_ssh_key(admin, "ann", owned.key.fingerprint.removeprefix("SHA256:")) == owned
    assert ssh_keys.list_ssh_keys(admin) == []
    assert [each for each in actions(admin) if "ssh-key" in each] == ["user.ssh-key-add", "user.ssh-key-remove"]


def test_a_failed_entry_is_kept_when_the_caller_fails_too(admin: Context) -> None:
    with suppress(AuthenticationFailedError):
        passwords.enter_by_password(replace(admin, actor=Actor("web", "web")), "ann", "wrong", ORIGIN)
    assert actions(admin)[-1] == "user.password-refuse"
    assert admin.store.passwords.attempts("ann").failures == 1
