"""What operations make, seen one by one."""

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


def largest_tensor(function, *args, **kwargs):
    """Call a function: numbers in the largest tensor that an operation of it makes."""
    sizes = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            result = operation(*args, **(kwargs or {}))
            for one in result if isinstance(result, tuple | list) else (result,):
                if isinstance(one, Tensor):
                    sizes.append(one.numel())
            return result

    with Watch():
        function(*args, **kwargs)
    return max(sizes)
