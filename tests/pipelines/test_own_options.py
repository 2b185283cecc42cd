"""What a pipeline sets itself is no option of those who call it."""

import pytest

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.pipelines.pipeline_errors import PipelineOptionError
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.registry import ARCHITECTURES, TASKS, import_object


@pytest.mark.parametrize("task", ["hit-segmentation", "particle-segmentation", "point-proposal"])
def test_options_that_are_set_already_are_not_offered(task):
    model = ARCHITECTURES["nu_point"].network_class(task)(NuPointConfig.tiny()).eval()
    processor = NuPointCloudFeatureExtractor(detector="lartpc-cube-768")
    pipeline = import_object(TASKS[task].pipeline)(model, processor=processor)
    event = processor.example_events(3)[2]
    for given in ({"return_inverse": True}, {"detecter": None}):
        with pytest.raises(PipelineOptionError) as refused:
            pipeline(event, **given)
        offered, _, got = str(refused.value).partition(", got ")
        assert offered == "expected options of the processor (detector), batch_size or num_workers"
        assert next(iter(given)) in got
    assert pipeline(event, detector="lartpc-cube-768") == pipeline(event)
