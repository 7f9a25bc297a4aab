"""Records kept by column: quick to send to another process, and quick to store."""

import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar, overload

from geo.intake.records import Record

T = TypeVar("T")
ATTRIBUTES = "attributes"


class _Listed(Sequence[T], Generic[T], ABC):
    """A sequence that makes its list when first asked for more than its length."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._made: list[T] | None = None

    @abstractmethod
    def _make(self) -> list[T]: ...

    @property
    def _items(self) -> list[T]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._items[index]


class Packed(_Listed[T]):
    """A list as bytes, for what is rarely needed: the rows as read, to show the refused ones."""

    def __init__(self, items: Sequence[T]) -> None:
        super().__init__(len(items))
        self._bytes = pickle.dumps(list(items), pickle.HIGHEST_PROTOCOL)

    def _make(self) -> list[T]:
        made: list[T] = pickle.loads(self._bytes)  # noqa: S301 - packed above  # nosec B301
        return made


class Columns(_Listed[Record]):
    """Records of one model as columns; single records are made again when asked for."""

    def __init__(self, model: type[Record], records: Sequence[Record]) -> None:
        super().__init__(len(records))
        self._model = model
        content = [record.__dict__ for record in records]
        self._columns = {
            name: _shortened([fields[name] for fields in content]) for name in model.model_fields
        }
        self._columns[ATTRIBUTES] = _shortened([record.attributes for record in records])

    def column(self, name: str) -> list[object]:
        """One field of all records; None where the model has no such field."""
        values = self._columns.get(name, [None])
        return values * self._length if len(values) == 1 else values

    def _make(self) -> list[Record]:
        names = list(self._model.model_fields)
        columns = [self.column(name) for name in names]
        made = []
        for attributes, *values in zip(self.column(ATTRIBUTES), *columns, strict=True):
            record = self._model.__new__(self._model)
            # As pydantic itself unpickles; checking again would cost as much as the first time.
            record.__setstate__(
                {
                    "__dict__": dict(zip(names, values, strict=True)),
                    "__pydantic_extra__": attributes,
                    "__pydantic_fields_set__": set(names),
                    "__pydantic_private__": None,
                }
            )
            made.append(record)
        return made


def _shortened(values: list[object]) -> list[object]:
    """A column in which all is the same as its first value alone.

    Only for values whose equals are the same: 0.0 equals -0.0, {"a": 1} equals {"a": True}.
    """
    first = values[0] if values else None
    exact = first is None or first == {} or isinstance(first, str | bool)
    return [first] if exact and values.count(first) == len(values) else values
