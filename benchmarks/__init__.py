"""What the engine costs, as ratios whose two sides are measured in one run; see docs/benchmarks.md."""
