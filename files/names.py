"""The name of every file that we write or look for, each once."""

CONFIG_FILE = "config.json"
CHECKSUMS_FILE = "checksums.json"
CARD_FILE = "README.md"
ATTRIBUTES_FILE = ".gitattributes"

PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
"""What transformers calls the file of a processor, newest name first."""

OWN_BASE_FOLDER = "base"
"""Where in the folder of a vision-language model its own base lies, if it has one."""

ADAPTER_FILE = "adapter_config.json"
CALIBRATION_FILE = "calibration.json"
"""Beside an adapter: the temperature of network and adapter together, which is not the network's."""

RECIPE_FILE = "recipe.yaml"
STATE_FILE = "trainer_state.json"
"""What `Trainer.save_state` writes when a run has ended; checkpoints have their own."""

TRAINING_ARGUMENTS_FILE = "training_args.json"
TRAINING_EVENTS_FILE = "training_events.parquet"
"""In the folder of a run: digests of the events that it was trained on."""

TRANSFER_FILE = "transfer.json"
"""In the folder of a run: what it loaded from a network of another type, and what not."""

LOCK_FILE = ".lock"
"""In a folder that a run is writing to; hidden, so that it is no part of a dataset or a repository."""

DETECTOR_FILE = "detector.yaml"
"""What a detector that is none of nuzoo's own looks like, beside the events that it recorded."""

PLAN_FILE = "plan.json"
MANIFEST_FILE = "manifest.json"
MANIFESTS_FOLDER = "manifests"
"""Folder of a dataset with the names of each split's events."""

REPORT_FOLDER = "report"
"""Where in the folder of a run `nuzoo evaluate` writes and `nuzoo publish` looks."""

RESULTS_FILE = "results.json"
PREDICTIONS_FILE = "predictions.parquet"
REPORT_FILE = "report.md"
GOLDEN_FILE = "test/golden.safetensors"

LEFT_OUT_FILE = "left-out.csv"
"""What a command left out, in its output folder; of an output file the end of its list's name."""

CONVERTING_FOLDER = ".converting"
"""In a dataset's folder, while files are converted: what is not complete yet."""

READING_FOLDER = ".reading"
"""In a dataset's folder, while workers read files: rows that wait for their turn."""
