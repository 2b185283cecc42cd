"""What the zoo holds: four tables of names and dotted paths, and nothing else in the tree lists it.

Rows import nothing: what a path names is imported when it is asked for. A plug-in adds rows of its own
with `add`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

ANY_NETWORK = "AutoModel"
"""The Auto class of networks for tasks that transformers has none for, and of those without a head."""


def import_object(path: str) -> Any:
    """Import what a dotted path names, such as "nuzoo.registry.ARCHITECTURES"."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class Modality:
    """What an event looks like.

    Attributes:
        name: of the modality.
        schema: path of a function from a detector's geometry to the `EventSchema` of its events.
        processor: path of the class of its `EventProcessor`, unless an architecture names another.
        reader: path of a function from files of detectors to rows; see `nuzoo.datasets_scripts.readers`.
        display: path of its `EventDisplay`; see `nuzoo.evaluation.display.contract`.
        augmentation: path of the class of transformations under which an event stays one of its class.
    """

    name: str
    schema: str
    processor: str
    reader: str
    display: str
    augmentation: str


@dataclass(frozen=True)
class Task:
    """What is asked of a network, and how it is taught.

    Attributes:
        name: of the task, in recipes.
        recipe: path of the class that a recipe of it is parsed into.
        trainer: path of a function that trains by such a recipe.
        targets: columns of a row that hold the truth.
        choice_of_targets: path of a function that gives these columns by the fields of a network's
            configuration, where networks are for different ones; `targets` are the usual ones.
        takes_teacher: whether the answers of another network can be learnt beside the truth.
        auto_class: name of the Auto class that loads networks for it; None where transformers has none that
            fits: `AutoModel` then loads them.
        evaluator: path of its `TaskEvaluator`; None of a way of learning that another task measures.
        explainer: path of its `Explainer`; None where nothing says why networks for it answer as they do.
        card: its section of a model card, a template in `model_cards/tasks/` or, of a plug-in, an absolute
            path; it extends `model.md`. None takes that as it is.
        pipeline_tag: the Hub's word for the task.
        pipeline_name: what `transformers.pipeline` calls it.
        pipeline: path of the pipeline class.
        pipeline_type: transformers' word for what the pipeline reads.
    """

    name: str
    recipe: str
    trainer: str
    targets: tuple[str, ...] = ()
    choice_of_targets: str | None = None
    takes_teacher: bool = False
    auto_class: str | None = None
    evaluator: str | None = None
    explainer: str | None = None
    card: str | None = None
    pipeline_tag: str = "other"
    pipeline_name: str | None = None
    pipeline: str | None = None
    pipeline_type: str = "multimodal"

    def targets_of(self, fields: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the columns that hold the truth for a network, by the fields of its configuration."""
        return import_object(self.choice_of_targets)(fields) if self.choice_of_targets else self.targets


@dataclass(frozen=True)
class Architecture:
    """A network.

    Attributes:
        model_type: its name, in `config.json` and in file names.
        config: path of the configuration class, which has a `tiny()` for tests.
        modality: name of the modality that it reads.
        networks: for each task by name, the path of the network.
        body: path of the network without a head, which `AutoModel` loads unless a checkpoint is of a network
            for a task without an Auto class; None where that is the first of `networks`.
        processor: path of its processor class; None takes the modality's.
        transfers_from: types of networks whose checkpoints it can start from in part.
        recipes: names of the files in `training/recipes`, without suffix.
    """

    model_type: str
    config: str
    modality: str
    networks: Mapping[str, str]
    body: str | None = None
    processor: str | None = None
    transfers_from: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()

    @property
    def loaded(self) -> dict[str, tuple[str, ...]]:
        """For each Auto class by name, paths of the networks that it loads.

        It loads that one of them which wrote a checkpoint, and where that is none of them the first.
        """
        found: dict[str, list[str]] = {}
        for task, path in self.networks.items():
            found.setdefault(TASKS[task].auto_class or ANY_NETWORK, []).append(path)
        body = self.body or next(iter(self.networks.values()))
        found[ANY_NETWORK] = [body, *found.pop(ANY_NETWORK, ())]
        return {auto_class: tuple(dict.fromkeys(paths)) for auto_class, paths in found.items()}

    @property
    def models(self) -> dict[str, str]:
        """For each Auto class by name, the path of the network that it makes of a configuration."""
        return {auto_class: paths[0] for auto_class, paths in self.loaded.items()}

    @property
    def processor_path(self) -> str:
        """The path of the processor class."""
        return self.processor or MODALITIES[self.modality].processor

    @property
    def class_paths(self) -> dict[str, str]:
        """The path of every class of the architecture, by class name."""
        networks = (path for paths in self.loaded.values() for path in paths)
        return {class_name(path): path for path in (self.config, *networks, self.processor_path)}

    @property
    def tasks(self) -> list[Task]:
        """What it has a network for."""
        return [TASKS[name] for name in self.networks]

    def task_of(self, network: str) -> Task | None:
        """Find the first task whose network is of a class, by its name; None for a network without a head."""
        found = (name for name, path in self.networks.items() if class_name(path) == network)
        return next((TASKS[name] for name in found), None)

    def tiny_config(self, **kwargs: Any) -> Any:
        """Make the smallest useful configuration, with some fields set otherwise."""
        return import_object(self.config).tiny(**kwargs)

    def model_class(self, auto_class: str) -> Any:
        """Import the class of the network that an Auto class loads."""
        return import_object(self.models[auto_class])

    def network_class(self, task: str) -> Any:
        """Import the network for a task."""
        return import_object(self.networks[task])

    def processor_class(self) -> Any:
        """Import the class of the processor."""
        return import_object(self.processor_path)


@dataclass(frozen=True)
class Sample:
    """A dataset.

    Attributes:
        name: of the dataset, in commands and in its `plan.json`.
        modality: name of the modality of its events.
        tasks: names of the tasks that it is for: it has truth for them, or they need none.
        builder: path of its `datasets` builder; None where it is only ever loaded from its files.
        simulate: path of a function that simulates it into a folder; None where it cannot be simulated.
        plan: path of the class of what decides a simulated one, a `SimulationPlan`; None where `simulate` is.
        given: path of a `GivenSimulator`, which simulates it from interactions or deposits in files; None
            where none does.
        convert: path of a function that reads it from files; None where there are none.
        card: path of a function that gives the `CardWords` of its card; None takes general ones.
    """

    name: str
    modality: str
    tasks: tuple[str, ...]
    builder: str | None = None
    simulate: str | None = None
    plan: str | None = None
    given: str | None = None
    convert: str | None = None
    card: str | None = None


def class_name(path: str) -> str:
    """Return the last part of the dotted path of a class."""
    return path.rpartition(".")[2]


MODALITIES: dict[str, Modality] = {}
TASKS: dict[str, Task] = {}
ARCHITECTURES: dict[str, Architecture] = {}
DATASETS: dict[str, Sample] = {}


_TABLES: Mapping[type, dict[str, Any]]
_TABLES = {Modality: MODALITIES, Task: TASKS, Architecture: ARCHITECTURES, Sample: DATASETS}


def _enter(row: Modality | Task | Architecture | Sample) -> None:
    _TABLES[type(row)][row.model_type if isinstance(row, Architecture) else row.name] = row


def add(*rows: Modality | Task | Architecture | Sample) -> None:
    """Add rows to the tables, and make transformers know them.

    A package names the function that calls this in its entry points of the group "nuzoo": every process that
    imports nuzoo then has its rows.

    Args:
        *rows: of any table; a row of the same name is replaced.
    """
    for row in rows:
        _enter(row)
    import_object("nuzoo.registration.enter_rows")()


def public_classes() -> dict[str, str]:
    """Return the paths of the classes that are attributes of `nuzoo`, by name."""
    paths = [path for row in ARCHITECTURES.values() for path in row.class_paths.values()]
    paths += [row.pipeline for row in TASKS.values() if row.pipeline]
    paths += [row.builder for row in DATASETS.values() if row.builder]
    return {class_name(path): path for path in paths}


for _row in (
    Modality(
        name="pixel-maps",
        schema="nuzoo.files.events.pixel_map_events.pixel_map_schema",
        processor=("nuzoo.processors.pixel_maps.image_processing_nu_pixel_map.NuPixelMapImageProcessor"),
        reader="nuzoo.datasets_scripts.readers.detector_files.DetectorFiles",
        display="nuzoo.evaluation.display.pixel_maps.display.DISPLAY",
        augmentation="nuzoo.training.augmentation.pixel_maps.Augmentation",
    ),
    Modality(
        name="point-clouds",
        schema="nuzoo.files.events.point_cloud_events.point_cloud_schema",
        processor="nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud.NuPointCloudFeatureExtractor",
        reader="nuzoo.datasets_scripts.readers.point_cloud_files.PointCloudFiles",
        display="nuzoo.evaluation.display.point_clouds.display.DISPLAY",
        augmentation="nuzoo.training.augmentation.point_clouds.PointCloudAugmentation",
    ),
    Modality(
        name="detector-events",
        schema="nuzoo.files.events.detector_events.detector_event_schema",
        processor="nuzoo.processors.detector_events.feature_extraction_nu_detector_event.NuDetectorEventFeatureExtractor",
        reader="nuzoo.datasets_scripts.readers.fasercal.FaserCalFiles",
        display="nuzoo.evaluation.display.detector_events.display.DISPLAY",
        augmentation="nuzoo.training.augmentation.detector_events.DetectorEventAugmentation",
    ),
    Task(
        name="event-classification",
        recipe="nuzoo.training.recipe.Recipe",
        trainer="nuzoo.training.supervised.train",
        targets=("label",),
        takes_teacher=True,
        auto_class="AutoModelForImageClassification",
        evaluator="nuzoo.evaluation.tasks.event_classification.evaluator.EVALUATOR",
        explainer="nuzoo.evaluation.explain.explain_classifier.EXPLAINER",
        card="event_classification.md",
        pipeline_tag="image-classification",
        pipeline_name="neutrino-event-classification",
        pipeline="nuzoo.pipelines.event_classification.NeutrinoEventClassificationPipeline",
        pipeline_type="image",
    ),
    Task(
        name="instruction-tuning",
        recipe="nuzoo.training.vlm.recipe.VlmRecipe",
        trainer="nuzoo.training.vlm.instruction_tuning.train_vlm",
        targets=("label",),
    ),
    Task(
        name="hit-segmentation",
        recipe="nuzoo.training.recipe.Recipe",
        trainer="nuzoo.training.supervised.train",
        targets=("motif",),
        choice_of_targets="nuzoo.configuration.configuration_nu_point.target_of_hits",
        auto_class="AutoModelForSemanticSegmentation",
        evaluator="nuzoo.evaluation.tasks.hit_segmentation.evaluator.EVALUATOR",
        card="hit_segmentation.md",
        pipeline_tag="other",
        pipeline_name="hit-segmentation",
        pipeline="nuzoo.pipelines.hit_segmentation.HitSegmentationPipeline",
    ),
    Task(
        name="particle-segmentation",
        recipe="nuzoo.training.recipe.Recipe",
        trainer="nuzoo.training.supervised.train",
        targets=("particle", "pid"),
        choice_of_targets="nuzoo.configuration.query_decoder_config.targets_of_instances",
        auto_class="AutoModelForUniversalSegmentation",
        evaluator="nuzoo.evaluation.tasks.particle_segmentation.evaluator.EVALUATOR",
        card="particle_segmentation.md",
        pipeline_name="particle-segmentation",
        pipeline="nuzoo.pipelines.particle_segmentation.ParticleSegmentationPipeline",
    ),
    Task(
        name="point-proposal",
        recipe="nuzoo.training.recipe.Recipe",
        trainer="nuzoo.training.supervised.train",
        targets=("keypoint_kind", "keypoint_x", "keypoint_y", "keypoint_z"),
        auto_class="AutoModelForKeypointDetection",
        evaluator="nuzoo.evaluation.tasks.point_proposal.evaluator.EVALUATOR",
        card="point_proposal.md",
        pipeline_name="point-proposal",
        pipeline="nuzoo.pipelines.point_proposal.PointProposalPipeline",
    ),
    Task(
        name="particle-classification",
        recipe="nuzoo.training.recipe.Recipe",
        trainer="nuzoo.training.supervised.train",
        targets=("label",),
        choice_of_targets="nuzoo.configuration.configuration_nu_perceiver_image.target_of_particles",
        auto_class="AutoModelForImageClassification",
        evaluator="nuzoo.evaluation.tasks.particle_classification.evaluator.EVALUATOR",
        card="particle_classification.md",
        pipeline_tag="other",
        pipeline_name="particle-classification",
        pipeline="nuzoo.pipelines.particle_classification.ParticleClassificationPipeline",
    ),
    Task(
        name="event-reconstruction",
        recipe="nuzoo.training.recipe.Recipe",
        trainer="nuzoo.training.supervised.train",
        targets=("flavour", "charm", "vis_momentum", "jet_momentum", "primary_vertex"),
        evaluator="nuzoo.evaluation.tasks.event_reconstruction.evaluator.EVALUATOR",
        explainer="nuzoo.evaluation.explain.detector_events.explain_reconstruction.EXPLAINER",
        card="event_reconstruction.md",
        pipeline_name="neutrino-event-reconstruction",
        pipeline="nuzoo.pipelines.event_reconstruction.NeutrinoEventReconstructionPipeline",
    ),
    Task(
        name="pre-training",
        recipe="nuzoo.training.self_distillation.recipe.SelfDistillationRecipe",
        trainer="nuzoo.training.self_distillation.pretraining.pretrain",
        auto_class="AutoModelForPreTraining",
        evaluator="nuzoo.evaluation.tasks.pre_training.evaluator.EVALUATOR",
        card="pre_training.md",
        pipeline_tag="feature-extraction",
    ),
    Task(
        name="masked-autoencoding",
        recipe="nuzoo.training.masked_autoencoding.recipe.MaskedAutoencodingRecipe",
        trainer="nuzoo.training.masked_autoencoding.pretraining.pretrain_masked",
        auto_class="AutoModelForPreTraining",
        evaluator="nuzoo.evaluation.tasks.masked_autoencoding.evaluator.EVALUATOR",
        card="masked_autoencoding.md",
        pipeline_tag="feature-extraction",
    ),
    Task(
        name="masked-event-modelling",
        recipe="nuzoo.training.masked_event_modelling.recipe.MaskedEventRecipe",
        trainer="nuzoo.training.masked_event_modelling.pretraining.pretrain_events",
        choice_of_targets="nuzoo.configuration.configuration_nu_perceiver.truth_of_hits",
        auto_class="AutoModelForPreTraining",
        evaluator="nuzoo.evaluation.tasks.masked_event_modelling.evaluator.EVALUATOR",
        card="masked_event_modelling.md",
        pipeline_tag="feature-extraction",
    ),
    Architecture(
        model_type="nu_cnn",
        config="nuzoo.configuration.configuration_nu_cnn.NuCnnConfig",
        modality="pixel-maps",
        networks={"event-classification": "nuzoo.modeling.modeling_nu_cnn.NuCnnForEventClassification"},
        body="nuzoo.modeling.modeling_nu_cnn.NuCnnModel",
        recipes=(
            "nu_cnn",
            "nu_cnn_tiny",
            "nu_cnn_dune",
            "nu_cnn_dune_finetune",
            "nu_cnn_zoo",
            "nu_cnn_dune_zoo",
        ),
    ),
    Architecture(
        model_type="nu_vit",
        config="nuzoo.configuration.configuration_nu_vit.NuVitConfig",
        modality="pixel-maps",
        networks={"event-classification": "nuzoo.modeling.modeling_nu_vit.NuVitForEventClassification"},
        body="nuzoo.modeling.modeling_nu_vit.NuVitModel",
        recipes=("nu_vit", "nu_vit_tiny", "nu_vit_zoo"),
    ),
    Architecture(
        model_type="nu_vlm",
        config="nuzoo.configuration.configuration_nu_vlm.NuVlmConfig",
        modality="pixel-maps",
        networks={"event-classification": "nuzoo.modeling.modeling_nu_vlm.NuVlmForEventClassification"},
        processor="nuzoo.processors.vlm.processing_nu_vlm.NuVlmProcessor",
        recipes=("nu_vlm", "nu_vlm_tiny", "nu_vlm_zoo"),
    ),
    Architecture(
        model_type="nu_point",
        config="nuzoo.configuration.configuration_nu_point.NuPointConfig",
        modality="point-clouds",
        networks={
            "hit-segmentation": "nuzoo.modeling.modeling_nu_point.NuPointForSemanticSegmentation",
            "particle-segmentation": (
                "nuzoo.modeling.modeling_nu_point_instances.NuPointForUniversalSegmentation"
            ),
            "point-proposal": "nuzoo.modeling.modeling_nu_point_keypoints.NuPointForPointProposal",
            "pre-training": "nuzoo.modeling.modeling_nu_point_pretraining.NuPointForPreTraining",
        },
        body="nuzoo.modeling.modeling_nu_point.NuPointModel",
        recipes=(
            "nu_point_motif",
            "nu_point_motif_tiny",
            "nu_point_particles",
            "nu_point_particles_tiny",
            "nu_point_points_tiny",
            "nu_point_pretrain",
            "nu_point_pretrain_tiny",
        ),
    ),
    Architecture(
        model_type="nu_point_mae",
        config="nuzoo.configuration.configuration_nu_point_mae.NuPointMaeConfig",
        modality="point-clouds",
        networks={
            "hit-segmentation": "nuzoo.modeling.modeling_nu_point_mae.NuPointMaeForSemanticSegmentation",
            "masked-autoencoding": (
                "nuzoo.modeling.modeling_nu_point_mae_pretraining.NuPointMaeForPreTraining"
            ),
        },
        body="nuzoo.modeling.modeling_nu_point_mae.NuPointMaeModel",
        recipes=(
            "nu_point_mae_motif",
            "nu_point_mae_motif_tiny",
            "nu_point_mae_pretrain",
            "nu_point_mae_pretrain_tiny",
        ),
    ),
    Architecture(
        model_type="nu_unet",
        config="nuzoo.configuration.configuration_nu_unet.NuUnetConfig",
        modality="point-clouds",
        networks={"hit-segmentation": "nuzoo.modeling.modeling_nu_unet.NuUnetForSemanticSegmentation"},
        body="nuzoo.modeling.modeling_nu_unet.NuUnetModel",
        recipes=("nu_unet_motif", "nu_unet_motif_tiny"),
    ),
    Architecture(
        model_type="nu_perceiver",
        config="nuzoo.configuration.configuration_nu_perceiver.NuPerceiverConfig",
        modality="detector-events",
        networks={
            "event-reconstruction": (
                "nuzoo.modeling.modeling_nu_perceiver_reconstruction.NuPerceiverForEventReconstruction"
            ),
            "masked-event-modelling": (
                "nuzoo.modeling.modeling_nu_perceiver_pretraining.NuPerceiverForPreTraining"
            ),
        },
        body="nuzoo.modeling.modeling_nu_perceiver.NuPerceiverModel",
        recipes=(
            "nu_perceiver_fasercal",
            "nu_perceiver_fasercal_tiny",
            "nu_perceiver_mae",
            "nu_perceiver_mae_tiny",
            "nu_perceiver_rel",
            "nu_perceiver_rel_tiny",
        ),
    ),
    Architecture(
        model_type="nu_perceiver_image",
        config="nuzoo.configuration.configuration_nu_perceiver_image.NuPerceiverImageConfig",
        modality="point-clouds",
        networks={
            "particle-classification": (
                "nuzoo.modeling.modeling_nu_perceiver_image.NuPerceiverImageForParticleClassification"
            )
        },
        body="nuzoo.modeling.modeling_nu_perceiver_image.NuPerceiverImageModel",
        processor=(
            "nuzoo.processors.point_clouds.feature_extraction_nu_particle_image"
            ".NuParticleImageFeatureExtractor"
        ),
        transfers_from=("nu_perceiver",),
        recipes=(
            "nu_perceiver_scintillator",
            "nu_perceiver_scintillator_scratch",
            "nu_perceiver_scintillator_tiny",
            "nu_perceiver_pilarnet",
            "nu_perceiver_pilarnet_event",
            "nu_perceiver_pilarnet_tiny",
        ),
    ),
    Sample(
        name="lartpc-pixelmaps",
        modality="pixel-maps",
        tasks=("event-classification", "instruction-tuning"),
        builder="nuzoo.datasets_scripts.lartpc_pixelmaps.LArTPCPixelMaps",
        simulate="nuzoo.datasets_scripts.lartpc_pixelmaps.simulate_dataset",
        plan="nuzoo.datasets_scripts.lartpc_pixelmaps.PixelMapPlan",
        given="nuzoo.datasets_scripts.lartpc_pixelmaps.simulate_given",
        convert="nuzoo.datasets_scripts.lartpc_pixelmaps.convert_files",
        card="nuzoo.datasets_scripts.lartpc_pixelmaps.card_words",
    ),
    Sample(
        name="fasercal",
        modality="detector-events",
        tasks=("event-reconstruction", "masked-event-modelling"),
        builder="nuzoo.datasets_scripts.fasercal.FaserCal",
        simulate="nuzoo.datasets_scripts.fasercal.simulate_dataset",
        plan="nuzoo.datasets_scripts.fasercal.FaserCalPlan",
        given="nuzoo.datasets_scripts.fasercal.simulate_given",
        convert="nuzoo.datasets_scripts.fasercal.convert_files",
        card="nuzoo.datasets_scripts.fasercal.card_words",
    ),
    Sample(
        name="lartpc-cubes",
        modality="point-clouds",
        tasks=(
            "hit-segmentation",
            "particle-segmentation",
            "point-proposal",
            "particle-classification",
            "pre-training",
        ),
        builder="nuzoo.datasets_scripts.lartpc_cubes.LArTPCCubes",
        simulate="nuzoo.datasets_scripts.lartpc_cubes.simulate_dataset",
        plan="nuzoo.datasets_scripts.lartpc_cubes.CubesPlan",
        given="nuzoo.datasets_scripts.lartpc_cubes.simulate_given",
        convert="nuzoo.datasets_scripts.lartpc_cubes.convert_files",
        card="nuzoo.datasets_scripts.lartpc_cubes.card_words",
    ),
    Sample(
        name="pilarnet-m",
        modality="point-clouds",
        tasks=(
            "hit-segmentation",
            "particle-segmentation",
            "point-proposal",
            "particle-classification",
            "pre-training",
        ),
        builder="nuzoo.datasets_scripts.pilarnet_m.PILArNetM",
        convert="nuzoo.datasets_scripts.pilarnet_m.convert_files",
        card="nuzoo.datasets_scripts.pilarnet_m.card_words",
    ),
    Sample(
        name="pilarnet-2020",
        modality="point-clouds",
        tasks=("hit-segmentation", "particle-segmentation", "particle-classification", "pre-training"),
        convert="nuzoo.datasets_scripts.pilarnet_2020.convert_files",
        card="nuzoo.datasets_scripts.pilarnet_2020.card_words",
    ),
    Sample(
        name="scintillator-particles",
        modality="point-clouds",
        tasks=("particle-classification",),
        builder="nuzoo.datasets_scripts.scintillator_particles.ScintillatorParticles",
        simulate="nuzoo.datasets_scripts.scintillator_particles.simulate_dataset",
        plan="nuzoo.datasets_scripts.common.simulated_particles.ParticlePlan",
        convert="nuzoo.datasets_scripts.scintillator_particles.convert_files",
        card="nuzoo.datasets_scripts.scintillator_particles.card_words",
    ),
):
    _enter(_row)
