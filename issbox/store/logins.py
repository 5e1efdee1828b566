"""Rows of what users prove themselves with: password hashes, failed attempts, tokens, SSH keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from issbox.errors import AlreadyExistsError, NotFoundError
from issbox.model import ApiToken, Attempts, SshKey, UserSshKey
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.tables import AttemptRow, PasswordRow, SshKeyRow, TokenRow, UserRow
from issbox.store.users import user_id


class Passwords(Noun):
    """Password hashes, and how often a wrong password was given."""

    def get(self, user: str) -> str | None:
        """Give the hash of a user's password, or None."""
        query = PasswordRow.select(PasswordRow.hash).join(UserRow).where(UserRow.name == user)
        row = first(query)
        return None if row is None else str(row[0])

    def set(self, user: str, digest: str, changed_at: datetime) -> None:
        """Keep the hash of a new password and forget failed attempts; raises NotFoundError."""
        with transaction():
            identity = user_id(user)
            PasswordRow.delete().where(PasswordRow.user == identity).execute()
            PasswordRow.insert(user=identity, hash=digest, changed_at=changed_at).execute()
            self.set_attempts(user, Attempts())

    def remove(self, user: str) -> None:
        """Take the password away; raises NotFoundError when there is none."""
        with transaction():
            if not PasswordRow.delete().where(PasswordRow.user == user_id(user)).execute():
                raise NotFoundError(f"the user {user} has no password", hint="There is nothing to do.")

    def attempts(self, subject: str) -> Attempts:
        """Give the failures in a row of a user, or of what else attempts are counted by."""
        query = AttemptRow.select(AttemptRow.failures, AttemptRow.blocked_until)
        row = first(query.where(AttemptRow.subject == subject))
        return Attempts() if row is None else Attempts(*row)

    def set_attempts(self, subject: str, attempts: Attempts) -> None:
        """Keep the failures in a row; none of them takes the row away."""
        with transaction():
            AttemptRow.delete().where(AttemptRow.subject == subject).execute()
            if attempts.failures:
                AttemptRow.insert(
                    subject=subject, failures=attempts.failures, blocked_until=attempts.blocked_until
                ).execute()


class Tokens(Noun):
    """Tokens of users."""

    def add(self, token: ApiToken, digest: str) -> ApiToken:
        """Keep a token by the SHA-256 of its secret; raises NotFoundError for the user, AlreadyExistsError."""
        with transaction():
            owner = user_id(token.user)
            if TokenRow.select().where(TokenRow.user == owner, TokenRow.name == token.name).exists():
                raise AlreadyExistsError(
                    f"the user {token.user} has a token {token.name!r} already",
                    hint="Choose another name, or revoke that one first.",
                )
            TokenRow.create(
                user=owner,
                name=token.name,
                digest=digest,
                created_at=token.created_at,
                expires_at=token.expires_at,
                used_at=token.used_at,
            )
        return token

    def list(self, user: str) -> Sequence[ApiToken]:
        """Give the tokens of a user by name; raises NotFoundError."""
        return _tokens(_token_query().where(TokenRow.user == user_id(user)).order_by(TokenRow.name))

    def find(self, digest: str) -> ApiToken | None:
        """Give the token with this SHA-256, or None."""
        return next(iter(_tokens(_token_query().where(TokenRow.digest == digest))), None)

    def mark_used(self, digest: str, at: datetime) -> None:
        """Note when a token was used."""
        with transaction():
            TokenRow.update(used_at=at).where(TokenRow.digest == digest).execute()

    def remove(self, user: str, name: str) -> None:
        """Revoke a token; raises NotFoundError."""
        with transaction():
            if not TokenRow.delete().where(TokenRow.user == user_id(user), TokenRow.name == name).execute():
                raise NotFoundError(f"the user {user} has no token {name!r}", listed="user token list")


class SshKeys(Noun):
    """SSH public keys of users."""

    def add(self, owned: UserSshKey) -> UserSshKey:
        """Keep a key; raises NotFoundError for the user, and AlreadyExistsError for a key that any user has."""
        key = owned.key
        with transaction():
            owner = user_id(owned.user)
            present = self.find(key.fingerprint)
            if present is not None:
                raise AlreadyExistsError(
                    f"the SSH key {key.fingerprint} belongs to the user {present.user} already",
                    hint="A key stands for one user: make another one with `ssh-keygen -t ed25519`.",
                )
            SshKeyRow.create(
                user=owner,
                type=key.type,
                key=key.key,
                comment=key.comment,
                fingerprint=key.fingerprint,
                added_at=owned.added_at,
            )
        return owned

    def list(self, user: str | None = None) -> Sequence[UserSshKey]:
        """Give the keys of a user, or of all, by user and time; raises NotFoundError."""
        query = _key_query()
        if user is not None:
            query = query.where(SshKeyRow.user == user_id(user))
        return _keys(query.order_by(UserRow.name, SshKeyRow.id))

    def find(self, fingerprint: str) -> UserSshKey | None:
        """Give the key with this fingerprint, or None."""
        return next(iter(_keys(_key_query().where(SshKeyRow.fingerprint == fingerprint))), None)

    def remove(self, user: str, fingerprint: str) -> None:
        """Take a key away; raises NotFoundError."""
        with transaction():
            query = SshKeyRow.delete().where(SshKeyRow.user == user_id(user), SshKeyRow.fingerprint == fingerprint)
            if not query.execute():
                raise NotFoundError(f"the user {user} has no SSH key {fingerprint}", listed="user ssh-key list")


def _token_query() -> Any:
    return TokenRow.select(
        UserRow.name, TokenRow.name, TokenRow.created_at, TokenRow.expires_at, TokenRow.used_at
    ).join(UserRow)


def _tokens(query: Any) -> list[ApiToken]:
    return [ApiToken(*row) for row in rows(query)]


def _key_query() -> Any:
    return SshKeyRow.select(
        UserRow.name,
        SshKeyRow.type,
        SshKeyRow.key,
        SshKeyRow.comment,
        SshKeyRow.fingerprint,
        SshKeyRow.added_at,
    ).join(UserRow)


def _keys(query: Any) -> list[UserSshKey]:
    return [
        UserSshKey(user, SshKey(kind, key, comment, fingerprint), added_at)
        for user, kind, key, comment, fingerprint, added_at in rows(query)
    ]
