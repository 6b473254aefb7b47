"""Demo data for a site: a believable company with three years of trade, or the CDNOW sample.

All of it follows from a fixed seed and the day ``as_of``. Nothing here is part of the product's daily work.
"""

from crm_retention.demo.cdnow import load_cdnow
from crm_retention.demo.load import create_demo_data, run_past_cycles

__all__ = ["create_demo_data", "load_cdnow", "run_past_cycles"]
