from collections.abc import Iterable, Sequence

class Var:
    name: str
    bitwidth: int
    tv: Sequence[tuple[int, int]]

class _Scope:
    name: str
    def scopes(self) -> Iterable[_Scope]: ...
    def vars(self) -> Iterable[Var]: ...

class Waveform:
    def __init__(self, path: str) -> None: ...
    def scopes(self) -> Iterable[_Scope]: ...
