"""What the company sells, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
	"""An item: code, name, group and price in the company's currency."""

	code: str
	name: str
	group: str
	price: float


def _products(group: str, prefix: str, *rows: tuple[str, float]) -> list[Product]:
	return [Product(f"{prefix}-{n:02d}", name, group, price) for n, (name, price) in enumerate(rows, 1)]


PRODUCTS = (
	*_products("Coffee", "COF", ("Espresso Blend, 1 kg", 18.5), ("Filter Roast, 1 kg", 16.0),
		("Single Origin Yirgacheffe, 1 kg", 24.0), ("Decaffeinated, 1 kg", 19.5)),
	*_products("Tea", "TEA", ("Longjing Green Tea, 500 g", 32.0), ("Earl Grey, 1 kg", 21.0),
		("Jasmine Pearls, 500 g", 29.0), ("Herbal Selection, 100 bags", 14.0)),
	*_products("Machines", "MAC", ("Two-Group Espresso Machine", 3900.0), ("Grinder", 680.0),
		("Filter Brewer", 420.0), ("Water Boiler", 260.0)),
	*_products("Tableware", "TAB", ("Cups and Saucers, 12", 48.0), ("Tumblers, 36", 58.0),
		("Cutlery Set", 65.0), ("Serving Tray", 22.0)),
	*_products("Cleaning and Care", "CLE", ("Machine Cleaner, 1 kg", 17.0), ("Descaler, 5 l", 26.0),
		("Water Filter", 62.0), ("Cloths, 20", 9.0)),
	*_products("Training", "TRN", ("Barista Training, One Day", 540.0), ("Tasting for Teams", 180.0)),
)  # fmt: skip
EVERYDAY = tuple(item for item in PRODUCTS if item.group not in ("Machines", "Training"))
