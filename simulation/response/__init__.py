"""From deposited energy to what a dataset stores: charge, and one file for each way of recording it."""
