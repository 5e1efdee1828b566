"""What every use case is given: the store, the settings, who asks, the clock, and where progress goes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from issbox.config import Settings
from issbox.model import Actor
from issbox.progress import Progress
from issbox.store import Store


@dataclass(frozen=True, slots=True)
class Context:
    """One request's surroundings. Cheap to make; the store in it may be shared between threads."""

    store: Store
    settings: Settings
    actor: Actor
    clock: Callable[[], datetime]
    """Gives the present time, aware UTC."""
    progress: Progress

    def audit(
        self, action: str, subject: str, *, organization: str | None = None, details: dict[str, object] | None = None
    ) -> None:
        """Append an audit entry; call it inside the transaction of the change it tells of."""
        self.store.audit.append(
            at=self.clock(),
            actor=self.actor,
            action=action,
            subject=subject,
            organization=organization,
            details=details or {},
        )
