"""Tasks that run at once: the first failure of one is that of all."""


def first_failure(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give the first error of a task group, however deep it lies."""
    first = failures.exceptions[0]
    return first_failure(first) if isinstance(first, BaseExceptionGroup) else first
