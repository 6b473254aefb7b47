"""Lifetime model: BG/NBD for whether and how often a party buys again, Gamma-Gamma for how much.

P. Fader, B. Hardie, K. L. Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model, Marketing Science 24(2); P. Fader, B. Hardie (2013), The Gamma-Gamma Model of Monetary Value.

The likelihood needs iteration, so it is fitted with SciPy on the unique (frequency, recency, age) triples with
their counts; predictions come back as a small relation a row a triple. The model's unit of time is the week.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import digamma, gammaln, hyp2f1

from .dates import days_between
from .signals import number
from .values import LIFETIME_RESULTS, LifetimeSettings

DAYS_PER_UNIT = 7.0
HORIZONS = (30, 90, 365)
STEP_DAYS = 30
# Beyond it a parameter says that parties do not differ, and the hypergeometric function loses its digits.
LIMIT = 1e3

Array = npt.NDArray[np.float64]


class FitError(Exception):
	"""The data cannot carry the model; the message says why."""


@dataclass(frozen=True)
class BgNbd:
	"""Fitted BG/NBD: purchase rates ~ Gamma(r, alpha), dropout probabilities ~ Beta(a, b); time in weeks."""

	r: float
	alpha: float
	a: float
	b: float
	log_likelihood: float
	n: int

	def probability_alive(self, frequency: Array, recency: Array, age: Array) -> Array:
		"""P(alive | x, t_x, T), shape of the inputs (x in purchases, t_x and T in weeks); 1 for x = 0."""
		return np.asarray(1.0 / (1.0 + self._dropout_odds(frequency, recency, age)), dtype=float)

	def _dropout_odds(self, x: Array, t_x: Array, age: Array) -> Array:
		repeated = np.maximum(x, 1.0)
		log_odds = np.log(self.a / (self.b + repeated - 1.0))
		log_odds += (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
		return np.where(x > 0, np.exp(np.minimum(log_odds, 700.0)), 0.0)

	def expected_purchases(self, weeks: float, frequency: Array, recency: Array, age: Array) -> Array:
		"""E[Y(t) | x, t_x, T], Fader, Hardie and Lee (2005), equation 10, shape of the inputs.

		The hypergeometric function is taken after Euler's transformation, which stays finite for large x.
		"""
		r, a, b = self.r, self.a if abs(self.a - 1.0) > 1e-8 else 1.0 + 1e-8, self.b
		z = weeks / (self.alpha + age + weeks)
		left = hyp2f1(a + b - 1.0 - r, a - 1.0, a + b + frequency - 1.0, z) * (1.0 - z) ** (a - 1.0)
		growth = (a + b + frequency - 1.0) / (a - 1.0) * (1.0 - left)
		return np.asarray(growth / (1.0 + self._dropout_odds(frequency, recency, age)), dtype=float)


@dataclass(frozen=True)
class GammaGamma:
	"""Fitted Gamma-Gamma: mean transaction value given p, q and v (called gamma in the note)."""

	p: float
	q: float
	v: float
	log_likelihood: float
	n: int

	def expected_value(self, frequency: Any, mean: Any) -> Any:
		"""E[M | x, m]: weighted mean of the population's and the party's own value; also an Ibis expression."""
		return self.p * (self.v + frequency * mean) / (self.p * frequency + self.q - 1.0)


@dataclass(frozen=True)
class LifetimeModel:
	"""What was fitted, on how many parties, and, where something was not, why."""

	bgnbd: BgNbd | None
	gamma_gamma: GammaGamma | None
	reasons: tuple[str, ...]
	parties: int

	def as_dict(self) -> dict[str, Any]:
		"""Plain data for a file or a run log; ``time_unit`` is the week."""
		return {
			"time_unit": "week",
			"parties": self.parties,
			"bgnbd": asdict(self.bgnbd) if self.bgnbd else None,
			"gamma_gamma": asdict(self.gamma_gamma) if self.gamma_gamma else None,
			"reasons": list(self.reasons),
		}


def triples(signals: ir.Table) -> ir.Table:
	"""frequency, recency (days from first to last purchase), age (days since the first) and n parties of each."""
	buyers = signals.filter(signals.frequency.notnull())
	recency = days_between(buyers.last_purchase, buyers.first_purchase)
	grouped = buyers.group_by(frequency=buyers.frequency, recency=recency, age=buyers.tenure_days)
	return grouped.aggregate(n=buyers.count())


def values(signals: ir.Table) -> ir.Table:
	"""frequency, value (mean value of repeat purchase days, base currency) and n, of those who bought again."""
	repeaters = signals.filter((signals.frequency > 0) & (signals.repeat_value > 0))
	grouped = repeaters.group_by(frequency=repeaters.frequency, value=repeaters.repeat_value)
	return grouped.aggregate(n=repeaters.count())


def fit(triple: dict[str, Array], value: dict[str, Array], settings: LifetimeSettings) -> LifetimeModel:
	"""Fit both models; each that cannot be fitted is None, with its reason. Columns as ``triples``, ``values``."""
	triple, value = in_order(triple), in_order(value)
	parties = int(triple["n"].sum()) if len(triple["n"]) else 0
	reasons: list[str] = []

	def attempt(build: Callable[[], Any], name: str) -> Any:
		try:
			return build()
		except FitError as error:
			reasons.append(f"{name}: {error}")
			return None

	def bgnbd() -> BgNbd:
		repeaters = int(triple["n"][triple["frequency"] > 0].sum())
		if parties < settings.min_parties:
			raise FitError(f"{parties} parties with a purchase, at least {settings.min_parties} are needed")
		if repeaters < settings.min_repeaters:
			raise FitError(f"{repeaters} parties bought again, at least {settings.min_repeaters} are needed")
		weeks = {name: triple[name] / DAYS_PER_UNIT for name in ("recency", "age")}
		return fit_bgnbd(triple["frequency"], weeks["recency"], weeks["age"], triple["n"])

	def gamma_gamma() -> GammaGamma:
		repeaters = int(value["n"].sum()) if len(value["n"]) else 0
		if repeaters < settings.min_repeaters:
			raise FitError(f"{repeaters} repeat values, at least {settings.min_repeaters} are needed")
		return fit_gamma_gamma(value["frequency"], value["value"], value["n"])

	return LifetimeModel(
		attempt(bgnbd, "BG/NBD"), attempt(gamma_gamma, "Gamma-Gamma"), tuple(reasons), parties
	)


def in_order(columns: dict[str, Array]) -> dict[str, Array]:
	"""Rows sorted by all columns: sums come out the same whatever order a database gave them in."""
	order = np.lexsort(tuple(columns.values()))
	return {name: array[order] for name, array in columns.items()}


def fit_bgnbd(frequency: Array, recency: Array, age: Array, n: Array | None = None) -> BgNbd:
	"""Maximum likelihood; arrays of one shape, time in weeks, ``n`` parties of each row (1 by default).

	Raises FitError when the optimum lies at the edge, where the parameters mean nothing, or is not found.
	"""
	x, t_x, big_t = (np.asarray(array, dtype=float) for array in (frequency, recency, age))
	weight = np.ones_like(x) if n is None else np.asarray(n, dtype=float)
	scale = max(float(np.average(big_t, weights=weight)) / 10.0, 1e-6)
	unique_x, place = np.unique(x, return_inverse=True)

	def objective(theta: Array) -> tuple[float, Array]:
		return _bgnbd_negative(np.exp(theta), x, t_x, big_t, weight, unique_x, place)

	start = np.log([0.5, scale, 1.0, 2.0])
	theta, log_likelihood = _optimise(objective, start, float(weight.sum()))
	r, alpha, a, b = (float(value) for value in np.exp(theta))
	return BgNbd(r, alpha, a, b, log_likelihood, int(weight.sum()))


def _bgnbd_negative(
	params: Array, x: Array, t_x: Array, age: Array, n: Array, unique_x: Array, place: npt.NDArray[np.intp]
) -> tuple[float, Array]:
	"""Mean negative log-likelihood and its gradient in the logarithms of r, alpha, a, b."""
	r, alpha, a, b = params
	u = unique_x
	first = (gammaln(r + u) - gammaln(r) + r * np.log(alpha))[place]
	second = (gammaln(a + b) + gammaln(b + u) - gammaln(b) - gammaln(a + b + u))[place]
	repeated = x > 0
	log_age, log_last = np.log(alpha + age), np.log(alpha + t_x)
	alive = -(r + x) * log_age
	gone = np.where(repeated, np.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0) - (r + x) * log_last, -np.inf)
	mix = np.logaddexp(alive, gone)
	weight_alive, weight_gone = np.exp(alive - mix), np.exp(gone - mix)
	total = float(n @ (first + second + mix))
	d_r = (
		(digamma(r + u) - digamma(r) + np.log(alpha))[place] - weight_alive * log_age - weight_gone * log_last
	)
	d_alpha = r / alpha - (r + x) * (weight_alive / (alpha + age) + weight_gone / (alpha + t_x))
	shared = digamma(a + b) - digamma(a + b + u)
	d_a = shared[place] + weight_gone / a
	d_b = (shared + digamma(b + u) - digamma(b))[place] - weight_gone / (b + np.maximum(x, 1.0) - 1.0)
	gradient = np.array([n @ d_r, n @ d_alpha, n @ d_a, n @ d_b]) * params
	size = float(n.sum())
	return -total / size, -gradient / size


def fit_gamma_gamma(frequency: Array, value: Array, n: Array | None = None) -> GammaGamma:
	"""Maximum likelihood on repeat buyers: frequency > 0, value > 0 in base currency, ``n`` parties of each row.

	Raises FitError as ``fit_bgnbd`` does, and when no mean value exists (q <= 1).
	"""
	x, m = np.asarray(frequency, dtype=float), np.asarray(value, dtype=float)
	weight = np.ones_like(x) if n is None else np.asarray(n, dtype=float)
	scale = float(np.average(m, weights=weight))
	relative = m / scale
	size = float(weight.sum())

	def objective(theta: Array) -> tuple[float, Array]:
		p, q, v = np.exp(theta)
		inside = np.log(x * relative + v)
		each = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
		each = each + (p * x - 1.0) * np.log(relative) + p * x * np.log(x) - (p * x + q) * inside
		both, own = digamma(p * x + q), digamma(p * x)
		d_p = x * (both - own + np.log(relative) + np.log(x) - inside)
		d_q = both - digamma(q) + np.log(v) - inside
		d_v = q / v - (p * x + q) / (x * relative + v)
		gradient = np.array([weight @ d_p, weight @ d_q, weight @ d_v]) * np.exp(theta)
		return -float(weight @ each) / size, -gradient / size

	theta, log_likelihood = _optimise(objective, np.log([2.0, 3.0, 2.0]), size)
	p, q, v = (float(value) for value in np.exp(theta))
	if q <= 1.0:
		raise FitError(f"the fitted q of {q:.3f} leaves no finite mean value")
	return GammaGamma(p, q, v * scale, log_likelihood - float(weight.sum()) * float(np.log(scale)), int(size))


def _optimise(
	objective: Callable[[Array], tuple[float, Array]], start: Array, size: float
) -> tuple[Array, float]:
	bounds = [(np.log(1e-6), np.log(LIMIT))] * len(start)
	options = {"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 20}
	with np.errstate(all="ignore"):
		found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
	steep = float(np.max(np.abs(found.jac))) if np.all(np.isfinite(found.jac)) else np.inf
	if not np.isfinite(found.fun) or steep > 1e-3:
		raise FitError("the fit did not converge")
	low, high = np.array(bounds).T
	if np.any(found.x <= low + 0.01) or np.any(found.x >= high - 0.01):
		raise FitError("the data do not determine the parameters (one runs to its limit)")
	return found.x, -float(found.fun) * size


def predictions(model: BgNbd, triple: dict[str, Array], settings: LifetimeSettings) -> dict[str, Any]:
	"""For each triple: probability_alive, expected_purchases_30d, _90d, _365d and discounted_purchases.

	``discounted_purchases`` sums expected purchases month by month (30 days) up to the horizon, each month
	divided by ``(1 + rate) ** (days at its end / 365)``.
	"""
	x = triple["frequency"].astype(float)
	t_x, age = triple["recency"] / DAYS_PER_UNIT, triple["age"] / DAYS_PER_UNIT
	result: dict[str, Any] = {name: triple[name].astype(np.int64) for name in ("frequency", "recency", "age")}
	result["probability_alive"] = model.probability_alive(x, t_x, age).round(6)
	reached: dict[int, Array] = {}

	def upto(days: int) -> Array:
		if days not in reached:
			reached[days] = model.expected_purchases(days / DAYS_PER_UNIT, x, t_x, age)
		return reached[days]

	for days in HORIZONS:
		result[f"expected_purchases_{days}d"] = upto(days).round(6)
	total, before = np.zeros_like(x), np.zeros_like(x)
	for end in month_ends(settings.horizon_days):
		total += (upto(end) - before) / (1.0 + settings.discount_rate) ** (end / 365.0)
		before = upto(end)
	result["discounted_purchases"] = total.round(6)
	return result


def month_ends(horizon_days: int) -> list[int]:
	"""Ends of the 30-day months up to the horizon, the last one cut to it."""
	return [*range(STEP_DAYS, horizon_days, STEP_DAYS), horizon_days]


def with_lifetime(signals: ir.Table, predicted: ir.Table | None, model: LifetimeModel) -> ir.Table:
	"""``signals`` with the columns of ``LIFETIME_RESULTS``, null where the model could not be fitted.

	``expected_value`` is base currency a purchase day; ``lifetime_value`` is ``expected_value`` times the
	discounted purchases, base currency over the horizon.
	"""
	if predicted is None:
		return signals.mutate(**{name: ibis.null("float64") for name in LIFETIME_RESULTS})
	keyed = signals.mutate(_recency=days_between(signals.last_purchase, signals.first_purchase))
	keys = [
		keyed.frequency == predicted.frequency,
		keyed["_recency"] == predicted.recency,
		keyed.tenure_days == predicted.age,
	]
	joined = keyed.left_join(predicted, keys).drop("_recency", "frequency_right", "recency", "age")
	exact = [name for name in predicted.columns if predicted[name].type().is_floating()]
	joined = joined.mutate(
		**{name: number(joined[name]) for name in exact}
	)  # a literal may be read an ulp off
	worth: ir.Value = ibis.null("float64")
	if model.gamma_gamma:
		x = joined.frequency.cast("float64")
		known = (x == 0) | (joined.repeat_value > 0)
		own = ibis.ifelse(x > 0, joined.repeat_value, 0.0)
		worth = ibis.ifelse(known, number(model.gamma_gamma.expected_value(x, own)), ibis.null("float64"))
	priced = joined.mutate(expected_value=worth)
	lifetime = number(priced.expected_value * priced.discounted_purchases)
	return priced.mutate(lifetime_value=lifetime).drop("discounted_purchases")


def results(signals: ir.Table, predicted: ir.Table | None, model: LifetimeModel) -> ir.Table:
	"""nr and the columns of ``LIFETIME_RESULTS``."""
	return with_lifetime(signals, predicted, model).select("nr", *LIFETIME_RESULTS)
