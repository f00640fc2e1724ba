"""`dersim fleet`: a fleet cut into shards that run on the workers of Dask distributed."""
