"""Turn real detector files into a folder of Parquet shards that `datasets.load_dataset` reads.

Reads DUNE CVN files (.gz with .info), folders of <event>_xz.png, <event>_yz.png and <event>_pid.txt, HDF5
(images, pids), .npy and .npz arrays, and Parquet.
"""
