"""Rows of this box's identity and of the keys it trusts."""

from issbox.errors import AlreadyExistsError, InvalidValueError, NotFoundError, NotInitializedError
from issbox.model import Box, TrustedKey
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.tables import BoxRow, TrustedKeyRow

_PREFIX = 8
"""Shortest beginning of a key id that names a key."""


class BoxIdentity(Noun):
    """Who this box is."""

    def get(self) -> Box:
        """Give the box; raises NotInitializedError before it was created."""
        row = first(BoxRow.select(BoxRow.uuid, BoxRow.name, BoxRow.key_id, BoxRow.created_at))
        if row is None:
            raise NotInitializedError("the store holds no box yet")
        return Box(*row)

    def create(self, box: Box) -> None:
        """Keep the identity, once; raises AlreadyExistsError."""
        with transaction():
            if BoxRow.select().exists():
                raise AlreadyExistsError(f"the store belongs to the box {self.get().name} already")
            BoxRow.create(id=1, uuid=box.id, name=box.name, key_id=box.key_id, created_at=box.created_at)


class TrustedKeys(Noun):
    """The public keys of boxes whose bundles are accepted."""

    def add(self, key: TrustedKey) -> TrustedKey:
        """Keep a key; raises AlreadyExistsError when its name or the key itself is there."""
        with transaction():
            for other in self.list():
                if other.key_id == key.key_id:
                    raise AlreadyExistsError(
                        f"this key is trusted already, under the name {other.name!r}", hint="There is nothing to do."
                    )
                if other.name == key.name:
                    raise AlreadyExistsError(
                        f"another trusted key has the name {key.name!r}",
                        hint="Choose another name, or remove the other key first.",
                    )
            TrustedKeyRow.create(name=key.name, key_id=key.key_id, public_key=key.public_key, added_at=key.added_at)
        return key

    def list(self) -> list[TrustedKey]:
        """Give all keys by name."""
        query = TrustedKeyRow.select(
            TrustedKeyRow.name, TrustedKeyRow.key_id, TrustedKeyRow.public_key, TrustedKeyRow.added_at
        )
        return [TrustedKey(*row) for row in rows(query.order_by(TrustedKeyRow.name))]

    def find(self, key_id: str) -> TrustedKey | None:
        """Give the key with exactly this id, or None."""
        return next((key for key in self.list() if key.key_id == key_id), None)

    def get(self, name_or_key_id: str) -> TrustedKey:
        """Give the key by name, key id or a beginning of the key id of at least 8 characters.

        Raises NotFoundError, and InvalidValueError when several keys begin so.
        """
        keys = self.list()
        for key in keys:
            if name_or_key_id in {key.name, key.key_id}:
                return key
        begins = [key for key in keys if len(name_or_key_id) >= _PREFIX and key.key_id.startswith(name_or_key_id)]
        if len(begins) > 1:
            raise InvalidValueError(f"{len(begins)} trusted keys begin with {name_or_key_id}: write more of it")
        if not begins:
            raise NotFoundError(f"there is no trusted key {name_or_key_id!r}", listed="trusted-key list")
        return begins[0]

    def remove(self, key_id: str) -> None:
        """Trust the key no longer; raises NotFoundError."""
        with transaction():
            if not TrustedKeyRow.delete().where(TrustedKeyRow.key_id == key_id).execute():
                raise NotFoundError(f"there is no trusted key {key_id!r}", listed="trusted-key list")
