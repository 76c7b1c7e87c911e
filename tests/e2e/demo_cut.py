"""The first years of the demo: the same profile and recordings, thresholds low enough that models come and go."""

SETTINGS = (
    "learner.trees=20",
    "train.auto_enable=200",
    "train.min_effective=100",
    "train.min_holdout_effective=20",
    "signal.baseline_may_act=true",  # so that there are signals, intents and fills before a model serves
    "store.segment_rows=4000",
    "store.segment_age=200d",
)


def inputs(recordings):
    return [recordings / "sp500_prices.csv.gz", recordings / "sp500_index.csv.gz"]


def arguments(files, to):
    return ["--profile", "demo", "--input", *files, "--to", to]
