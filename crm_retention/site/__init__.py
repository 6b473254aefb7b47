"""The seam: what the engine needs of a site is read into a DuckDB of this process, and what it found is written back."""
