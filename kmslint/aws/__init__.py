"""Facts about AWS as data: actions, condition keys, partitions. Each module names its sources."""
