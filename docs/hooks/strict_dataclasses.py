"""What griffe has to know of configurations: huggingface_hub's `strict` decorates dataclasses."""

from typing import Any

from griffe import Class, Decorator, Expr, ExprName, Extension

STRICT = "huggingface_hub.dataclasses.strict"


class StrictDataclasses(Extension):
    """Reads the signature of configurations off their fields."""

    def on_class_instance(self, *, cls: Class, **_: Any) -> None:
        """Decorate the class with `dataclass`, which griffe knows."""
        decorators = [value for decorator in cls.decorators if isinstance(value := decorator.value, Expr)]
        if any(value.canonical_path == STRICT for value in decorators):
            cls.decorators.append(Decorator(ExprName("dataclasses.dataclass"), lineno=None, endlineno=None))
