"""All that answers need, imported once, by the server that their processes are forked from."""

from nuzoo.app.answer import answer
from nuzoo.app.offered import offered_models
from nuzoo.quiet_libraries import quieten_libraries
from nuzoo.registry import DATASETS, MODALITIES, import_object

quieten_libraries()

for _model in offered_models().values():
    _modality = MODALITIES[_model.modality]
    _paths = [_model.task.pipeline, _model.task.explainer, _modality.reader, _modality.display]
    _paths += [DATASETS[_model.events.dataset].plan, _model.network]
    for _path in filter(None, _paths):
        import_object(_path)

__all__ = ["answer"]
