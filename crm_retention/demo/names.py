"""Names of customers and their people: Chinese, English and German, made from short lists in a fixed order."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

TERRITORIES = {"zh": "China", "en": "United Kingdom", "de": "Germany"}
PHONES = {"zh": "+86 21 5550 {0:04d}", "en": "+44 1632 960 {0:03d}", "de": "+49 30 5550 {0:04d}"}

# Segment -> customer group and industry.
SEGMENTS = {
	"hotel": ("Hotels", "Entertainment & Leisure"),
	"cafe": ("Cafés and Bakeries", "Food, Beverage & Tobacco"),
	"restaurant": ("Restaurants", "Food, Beverage & Tobacco"),
	"office": ("Offices", "Service"),
	"shop": ("Shops", "Retail & Wholesale"),
}

# Language -> segment -> the form of a name; {0} is a place, {1} a word of its own.
FORMS = {
	"zh": {
		"hotel": "{0}{1}酒店",
		"cafe": "{0}{1}咖啡",
		"restaurant": "{0}{1}餐饮管理有限公司",
		"office": "{0}{1}科技有限公司",
		"shop": "{0}{1}茶行",
	},
	"en": {
		"hotel": "{1} Hotel {0}",
		"cafe": "The {1} Café, {0}",
		"restaurant": "{1} Kitchen {0}",
		"office": "{0} {1} Offices Ltd",
		"shop": "{1} & Sons, {0}",
	},
	"de": {
		"hotel": "Hotel {1} {0}",
		"cafe": "Bäckerei {1}, {0}",
		"restaurant": "Gasthaus {1} {0}",
		"office": "{1} Büroservice {0} GmbH",
		"shop": "Feinkost {1} {0}",
	},
}
PLACES = {
	"zh": ["上海", "杭州", "成都", "深圳", "广州", "南京", "苏州", "厦门", "青岛", "西安"],
	"en": ["York", "Bath", "Leeds", "Bristol", "Oxford", "Exeter", "Durham", "Chester", "Lincoln", "Norwich"],
	"de": [
		"Berlin",
		"Hamburg",
		"Köln",
		"Leipzig",
		"Bremen",
		"Dresden",
		"Mainz",
		"Kassel",
		"Erfurt",
		"Lübeck",
	],
}
WORDS = {
	"zh": {
		"hotel": ["云栖", "湖滨", "望江", "金桂"],
		"cafe": ["拾光", "猫屋", "晨雾", "半日"],
		"restaurant": ["锦里", "小南国", "鼎丰", "渔歌"],
		"office": ["蓝湾", "启明", "远景", "智联"],
		"shop": ["清源", "福鼎", "同德", "雅集"],
	},
	"en": {
		"hotel": ["Harbour View", "The Old Mill", "Kingsway", "Rosewood"],
		"cafe": ["Copper Kettle", "Blue Door", "Corner", "Penny Lane"],
		"restaurant": ["Ember", "Saffron", "Green Fork", "Millstone"],
		"office": ["Ashford", "Lowe", "Northgate", "Beacon"],
		"shop": ["Hartley", "Fenwick", "Barlow", "Whitby"],
	},
	"de": {
		"hotel": ["Seeblick", "Zur Post", "Goldener Hirsch", "Lindenhof"],
		"cafe": ["Hoffmann", "Krüger", "Schäfer", "Vogel"],
		"restaurant": ["Alte Mühle", "Zum Anker", "Rössle", "Brunnen"],
		"office": ["Weber", "Neumann", "Brandt", "Richter"],
		"shop": ["Lehmann", "Köhler", "Sommer", "Busch"],
	},
}
PEOPLE = {
	"zh": (["王", "李", "张", "陈", "刘", "赵", "周", "吴"], ["芳", "伟", "静", "磊", "敏", "洋", "丽娜", "建国"]),
	"en": (["Emily", "James", "Sarah", "Oliver", "Grace", "Daniel"], ["Carter", "Hughes", "Bennett", "Shaw", "Reid"]),
	"de": (["Anna", "Lukas", "Katrin", "Jonas", "Miriam", "Stefan"], ["Schmidt", "Bauer", "Lange", "Wolf", "Franke"]),
}  # fmt: skip


@dataclass(frozen=True)
class Name:
	"""An organisation and the person we talk to there."""

	organisation: str
	first_name: str
	last_name: str
	language: str
	segment: str
	number: int

	@property
	def territory(self) -> str:
		return TERRITORIES[self.language]

	@property
	def email(self) -> str:
		return f"contact{self.number:04d}@example.com"

	@property
	def phone(self) -> str:
		return PHONES[self.language].format(self.number % 1000)


def get_names(count: int) -> list[Name]:
	"""So many different organisations, languages and segments mixed; the same list at every call."""
	rng = random.Random("names")
	pool = [
		(language, segment, FORMS[language][segment].format(place, word))
		for language, segments in FORMS.items()
		for segment in segments
		for place in PLACES[language]
		for word in WORDS[language][segment]
	]
	rng.shuffle(pool)
	names = []
	for number in range(count):
		language, segment, organisation = pool[number % len(pool)]
		branch = number // len(pool)
		if branch:
			organisation = f"{organisation} ({branch + 1})"
		firsts, lasts = PEOPLE[language]
		people = list(itertools.product(firsts, lasts))
		first, last = people[number % len(people)]
		if language == "zh":
			first, last = last, first  # the family name stands first in the list, as people write it
		names.append(Name(organisation, first, last, language, segment, number + 1))
	return names
