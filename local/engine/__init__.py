"""The AWS engine: ministack in process behind a layer of ours; runs in an environment of its own."""
