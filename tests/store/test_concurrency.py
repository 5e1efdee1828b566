"""A big draft and short writes at the same time: nobody is told that the database is locked."""

import threading
import time

from makers.stores import KEY, NOW, Library, Place, package, repository

from issbox.model import Actor, ImportState, Product
from issbox.store import create_store


def test_short_writes_go_on_beside_a_big_draft(place: Place) -> None:
    store = create_store(place.state_dir, place.database_url)
    with store.session():
        store.organizations.create("Example", "Example")
        store.products.create(Product("Example", "tools", "Tools"))
        store.repositories.create(repository())
    done, failures, waits = threading.Event(), [], []

    def fill() -> None:
        try:
            with store.session():
                Library(store).publish(package(number) for number in range(15_000))
        except Exception as error:
            failures.append(error)
        finally:
            done.set()

    def write_shortly() -> None:
        try:
            with store.session():
                row = store.imports.add("/inbox/x", inbox=True, first_seen=NOW)
                while not done.is_set():
                    began = time.monotonic()
                    with store.transaction():
                        store.imports.update(row.id, updated_at=NOW, state=ImportState.CHECKING)
                        store.audit.append(at=NOW, actor=Actor("a", "local"), action="a.b", subject="x")
                    waits.append(time.monotonic() - began)
                    time.sleep(0.005)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for work in (fill, write_shortly, write_shortly)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with store.session():
        assert store.audit.verify() == len(waits)
        assert store.versions.count_packages(KEY, 1) == 15_000
    assert len(waits) > 20
    assert sorted(waits)[len(waits) // 2] < 1
