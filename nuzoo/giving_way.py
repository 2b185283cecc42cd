"""The Hub's word for a task, such as "image-classification": it asks for the pipeline of our networks too."""

from typing import Any

from nuzoo.registry import ARCHITECTURES, import_object


class GivingWay:
    """Stands for a pipeline class of transformers, and gives way to ours where the network is one of ours.

    Args:
        theirs: path of the class.
    """

    def __init__(self, theirs: str):
        self.theirs = theirs

    @property
    def _load_video_processor(self) -> bool:
        """Only if theirs cannot be without: a mere try may ask whether to run code of the repository."""
        return bool(import_object(self.theirs)._load_video_processor)

    def __getattr__(self, name: str) -> Any:
        return getattr(import_object(self.theirs), name)

    def __call__(self, *, model: Any, task: str, **options: Any) -> Any:
        """Make the pipeline of a network."""
        row = ARCHITECTURES.get(model.config.model_type)
        ours = row.task_of(type(model).__name__) if row else None
        if ours is None or ours.pipeline is None or ours.pipeline_tag != task:
            return import_object(self.theirs)(model=model, task=task, **options)
        return import_object(ours.pipeline)(model=model, task=ours.pipeline_name, **options)
