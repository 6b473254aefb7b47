"""Every text has a Chinese translation that can be formatted as the original, and the template is up to date."""

from __future__ import annotations

import re

import frappe
import pytest
from babel.messages.pofile import read_po
from frappe.gettext import translate

APP = "crm_retention"
# words that name other things in ERPNext: servicing of equipment
SERVICING = ("维护计划单", "维护访问", "维修", "保养")


def catalog(locale=None):
	path = translate.get_po_path(APP, locale) if locale else translate.get_pot_path(APP)
	with open(path, "rb") as file:
		return read_po(file)


def texts(catalog):
	return {(message.id, message.context) for message in catalog if message.id}


def placeholders(text):
	return sorted(re.findall(r"\{\d*\}|</?\w+[^>]*>", text))


@pytest.mark.skipif(
	frappe.__version__.split(".")[0] != "15", reason="made with Frappe 15, whose extractors differ"
)
def test_template_is_up_to_date(monkeypatch):
	made = {}
	monkeypatch.setattr(translate, "get_is_gitignored_function_for_app", lambda _app: lambda _path: False)
	monkeypatch.setattr(translate, "write_catalog", lambda app, found, *_locale: made.update({app: found}))
	translate.generate_pot(APP)
	stored, found = texts(catalog()), texts(made[APP])
	advice = (
		"run `bench generate-pot-file --app crm_retention` and `bench update-po-files --app crm_retention`"
	)
	assert (sorted(found - stored, key=str), sorted(stored - found, key=str)) == ([], []), advice


def test_every_text_has_a_translation_with_the_same_placeholders():
	chinese = catalog("zh")
	for message in catalog():
		if not message.id:
			continue
		found = chinese.get(message.id, message.context)
		assert found, f"zh.po lacks {message.id!r}"
		assert found.string, f"{message.id!r} is not translated"
		assert not found.fuzzy, f"the translation of {message.id!r} is fuzzy"
		assert placeholders(found.string) == placeholders(message.id), message.id


def test_translations_speak_of_customers_and_not_of_equipment():
	for message in catalog("zh"):
		assert not any(word in message.string for word in SERVICING), message.string


@pytest.mark.parametrize(
	("text", "context", "translation"),
	[
		("Customer Tier", None, "客户分层"),
		("Customer Scorecard", None, "客户评分卡"),
		("Retention Signal", None, "客户指标"),
		("Lifecycle Stage", None, "生命周期阶段"),
		("Retention Profile", None, "客户成长档案"),
		("High Value", "Customer Tier", "高价值客户"),
		("Potential", "Customer Tier", "潜力客户"),
		("Potential", "Lifecycle Stage", "潜在客户"),
		("Recency", "Retention Profile", "最近购买间隔"),
		("Maintenance Plan", None, "客户维护计划"),
		("Touchpoint", None, "维护任务"),
		("My Day", None, "我的一天"),
		("Contacts Held Back", None, "触达抑制统计"),
		("Care Call", "Touchpoint Type", "关怀电话"),
		("Care Call", None, "关怀电话"),
		("Phone", "Contact Channel", "电话"),
		("Call", "Interaction Kind", "通话"),
		("Delivery", "Interaction Source", "交货"),
		("Spring Festival", "Care Occasion", "春节"),
		("No Offers After a Complaint", "Contact Rule", "投诉后不推优惠"),
		("Wake-Up", "Maintenance Plan", "唤醒"),
		("Needs Diagnosis", "Maintenance Plan Step", "需求诊断"),
		("Touchpoints by Status", None, "维护任务看板（按状态）"),
		("Withdraw", None, "撤回"),
	],
)
def test_site_speaks_chinese(text, context, translation):
	assert frappe._(text, lang="zh", context=context) == translation


@pytest.mark.parametrize(
	("text", "platform", "context", "translation"),
	[
		("Weight", "重量", "Customer Scorecard Criterion", "权重"),
		("Order", "排序", "Interaction Kind", "订单"),
	],
)
def test_words_of_the_platform_keep_its_translation(text, platform, context, translation):
	"""A text without context holds for the whole desk: the weight of goods is not the weight of a criterion."""
	assert frappe._(text, lang="zh") == platform
	assert frappe._(text, lang="zh", context=context) == translation


def test_plans_are_not_called_as_the_servicing_of_equipment_is():
	ours, theirs = (frappe._(name, lang="zh") for name in ("Maintenance Plan", "Maintenance Schedule"))
	assert ours != theirs
