"""Lifetime model: BG/NBD for whether and how often a party buys again, Gamma-Gamma for how much.

P. Fader, B. Hardie, K. L. Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model, Marketing Science 24(2); P. Fader, B. Hardie (2013), The Gamma-Gamma Model of Monetary Value.

The likelihood needs iteration, so it is fitted with SciPy on the unique (frequency, recency, age) triples with
their counts; predictions come back as a small relation a row a triple. The model's unit of time is the week.
"""

from __future__ import annotations

import functools
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
DIGITS = 8  # decimals of the logarithms of the parameters
SPAN = 1e-4  # along which the curvature is taken
STEPS, FARTHEST = 12, 0.5  # Newton's steps, and how far one may go before the search is trusted instead

Array = npt.NDArray[np.float64]
Objective = Callable[[Array], tuple[float, Array]]


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
		"""E[Y(t) | x, t_x, T], Fader, Hardie and Lee (2005), equation 10, shape of the inputs."""
		alive = self.probability_alive(frequency, recency, age)
		return np.asarray(self.purchases_if_alive(weeks, frequency, age) * alive, dtype=float)

	def purchases_if_alive(self, weeks: float, frequency: Array, age: Array) -> Array:
		"""E[Y(t) | x, T, alive at T]: what is left of equation 10 without the recency, shape of the inputs.

		The hypergeometric function is taken after Euler's transformation, which stays finite for large x.
		"""
		r, a, b = self.r, self.a if abs(self.a - 1.0) > 1e-8 else 1.0 + 1e-8, self.b
		z = weeks / (self.alpha + age + weeks)
		left = hyp2f1(a + b - 1.0 - r, a - 1.0, a + b + frequency - 1.0, z) * (1.0 - z) ** (a - 1.0)
		return np.asarray((a + b + frequency - 1.0) / (a - 1.0) * (1.0 - left), dtype=float)


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
	"""frequency, recency (days from first to last purchase), age (days since the first) and n parties of each.

	In order, so that sums over them come out the same wherever they come from.
	"""
	buyers = signals.filter(signals.frequency.notnull())
	recency = days_between(buyers.last_purchase, buyers.first_purchase)
	grouped = buyers.group_by(frequency=buyers.frequency, recency=recency, age=buyers.tenure_days)
	return grouped.aggregate(n=buyers.count()).order_by("frequency", "recency", "age")


def values(signals: ir.Table) -> ir.Table:
	"""frequency, value (mean value of repeat purchase days, base currency) and n, of those who bought again;
	in order.
	"""
	repeaters = signals.filter((signals.frequency > 0) & (signals.repeat_value > 0))
	grouped = repeaters.group_by(frequency=repeaters.frequency, value=repeaters.repeat_value)
	return grouped.aggregate(n=repeaters.count()).order_by("frequency", "value")


def fit(triple: dict[str, Array], value: dict[str, Array], settings: LifetimeSettings) -> LifetimeModel:
	"""Fit both models; each that cannot be fitted is None, with its reason. Columns as ``triples``, ``values``."""
	parties = int(triple["n"].sum()) if len(triple["n"]) else 0
	reasons: list[str] = []

	def attempt(build: Callable[[], Any], name: str) -> Any:
		try:
			return build()
		except (FitError, ArithmeticError, ValueError) as error:
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


def fit_bgnbd(frequency: Array, recency: Array, age: Array, n: Array | None = None) -> BgNbd:
	"""Maximum likelihood; arrays of one shape, time in weeks, ``n`` parties of each row (1 by default).

	Raises FitError when the optimum lies at the edge, where the parameters mean nothing, or is not found.
	"""
	x, t_x, big_t = (np.asarray(array, dtype=float) for array in (frequency, recency, age))
	weight = np.ones_like(x) if n is None else np.asarray(n, dtype=float)
	scale = max(float(np.average(big_t, weights=weight)) / 10.0, 1e-6)
	objective = _bgnbd_objective(x, t_x, big_t, weight)
	theta, log_likelihood = _optimise(objective, np.log([0.5, scale, 1.0, 2.0]), float(weight.sum()))
	r, alpha, a, b = (float(value) for value in np.exp(theta))
	return BgNbd(r, alpha, a, b, log_likelihood, int(weight.sum()))


def _dot(a: Array, b: Array) -> float:
	"""The sum of products, in an order that does not depend on how many cores there are, as BLAS's does."""
	return float(np.einsum("i,i->", a, b))


def _bgnbd_objective(x: Array, t_x: Array, age: Array, n: Array) -> Objective:
	"""Mean negative log-likelihood and its gradient in the logarithms of r, alpha, a, b.

	Most terms depend on one of x, t_x and T alone and are taken once for each of its values; what a row adds is
	the odds of having dropped out.
	"""
	u, of_x = np.unique(x, return_inverse=True)
	lasts, of_last = np.unique(t_x, return_inverse=True)
	ages, of_age = np.unique(age, return_inverse=True)
	parties = np.bincount(of_x, weights=n)
	others, size = np.maximum(u, 1.0) - 1.0, float(n.sum())

	def objective(theta: Array) -> tuple[float, Array]:
		r, alpha, a, b = np.exp(theta)
		rate = (r + u)[of_x]
		log_age, silence = np.log(alpha + ages)[of_age], np.log(alpha + lasts)[of_last]
		silence = log_age - silence
		dropped = np.where(u > 0, np.log(a) - np.log(b + others), -np.inf)
		odds = np.exp(np.minimum(dropped[of_x] + rate * silence, 700.0))
		gone = n * (odds / (1.0 + odds))
		gone_by_x = np.bincount(of_x, weights=gone)
		known = gammaln(r + u) - gammaln(r) + r * np.log(alpha)
		known = known + gammaln(a + b) + gammaln(b + u) - gammaln(b) - gammaln(a + b + u)
		total = parties @ known + _dot(n, np.log1p(odds) - rate * log_age)
		d_r = parties @ (digamma(r + u) - digamma(r) + np.log(alpha)) - _dot(n, log_age) + _dot(gone, silence)
		by_age, by_last = (1.0 / (alpha + ages))[of_age], (1.0 / (alpha + lasts))[of_last]
		d_alpha = size * r / alpha - _dot(n * rate, by_age) - _dot(gone * rate, by_last - by_age)
		shared = digamma(a + b) - digamma(a + b + u)
		d_a = parties @ shared + gone_by_x.sum() / a
		d_b = parties @ (shared + digamma(b + u) - digamma(b)) - gone_by_x @ (1.0 / (b + others))
		gradient = np.array([d_r, d_alpha, d_a, d_b]) * np.exp(theta)
		return -float(total) / size, -gradient / size

	return objective


def fit_gamma_gamma(frequency: Array, value: Array, n: Array | None = None) -> GammaGamma:
	"""Maximum likelihood on repeat buyers: frequency > 0, value > 0 in base currency, ``n`` parties of each row.

	Raises FitError as ``fit_bgnbd`` does, and when no mean value exists (q <= 1).
	"""
	x, m = np.asarray(frequency, dtype=float), np.asarray(value, dtype=float)
	weight = np.ones_like(x) if n is None else np.asarray(n, dtype=float)
	scale = float(np.average(m, weights=weight))
	size = float(weight.sum())
	objective = _gamma_gamma_objective(x, m / scale, weight)
	theta, log_likelihood = _optimise(objective, np.log([2.0, 3.0, 2.0]), size)
	p, q, v = (float(value) for value in np.exp(theta))
	if q <= 1.0:
		raise FitError(f"the fitted q of {q:.3f} leaves no finite mean value")
	return GammaGamma(p, q, v * scale, log_likelihood - float(weight.sum()) * float(np.log(scale)), int(size))


def _gamma_gamma_objective(x: Array, m: Array, n: Array) -> Objective:
	"""Mean negative log-likelihood and its gradient in the logarithms of p, q, v; sums that stay are taken once."""
	u, of_x = np.unique(x, return_inverse=True)
	parties = np.bincount(of_x, weights=n)
	spent, bought, size = x * m, n * x, float(n.sum())
	log_values, log_spent = _dot(n, np.log(m)), _dot(bought, np.log(spent))

	def objective(theta: Array) -> tuple[float, Array]:
		p, q, v = np.exp(theta)
		whole = spent + v
		log_whole, inverse = np.log(whole), 1.0 / whole
		once, often = _dot(n, log_whole), _dot(bought, log_whole)
		total = parties @ (gammaln(p * u + q) - gammaln(p * u)) + size * (q * np.log(v) - gammaln(q))
		total += p * log_spent - log_values - p * often - q * once
		both = digamma(p * u + q)
		d_p = (parties * u) @ (both - digamma(p * u)) + log_spent - often
		d_q = parties @ both + size * (np.log(v) - digamma(q)) - once
		d_v = size * q / v - p * _dot(bought, inverse) - q * _dot(n, inverse)
		gradient = np.array([d_p, d_q, d_v]) * np.exp(theta)
		return -float(total) / size, -gradient / size

	return objective


def _optimise(objective: Objective, start: Array, size: float) -> tuple[Array, float]:
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
	theta = _polish(objective, found.x)
	return theta, -float(objective(theta)[0]) * size


def _polish(objective: Objective, theta: Array) -> Array:
	"""The optimum to ``DIGITS`` decimals: Newton's steps from where the search ended, which is a little beside it.

	Where exactly a search ends hangs on the last bit of every sum, and so on the machine. Rounded well above what is
	left of that, the same data give the same parameters anywhere, and a run that is killed and run again the same results.
	"""
	best = theta
	with np.errstate(all="ignore"):
		for _turn in range(STEPS):
			slopes = [
				(objective(best + way)[1] - objective(best - way)[1]) / (2 * SPAN) for way in _ways(best)
			]
			curvature = (np.array(slopes) + np.array(slopes).T) / 2
			try:
				np.linalg.cholesky(curvature)
				step = np.linalg.solve(curvature, objective(best)[1])
			except np.linalg.LinAlgError:  # no minimum that way: what the search found stays
				return _rounded(theta)
			if not np.all(np.isfinite(step)) or np.max(np.abs(step)) > FARTHEST:
				return _rounded(theta)
			best = best - step
			if np.max(np.abs(step)) < 10.0 ** -(DIGITS + 3):
				break
	return _rounded(best)


def _rounded(theta: Array) -> Array:
	return np.asarray(np.round(theta, DIGITS), dtype=float)


def _ways(theta: Array) -> Array:
	"""A small step along each parameter."""
	return np.asarray(np.eye(len(theta)) * SPAN, dtype=float)


def predictions(model: BgNbd, triple: dict[str, Array], settings: LifetimeSettings) -> dict[str, Any]:
	"""For each triple: probability_alive, expected_purchases_30d, _90d, _365d and discounted_purchases.

	``discounted_purchases`` sums expected purchases month by month (30 days) up to the horizon, each month
	divided by ``(1 + rate) ** (days at its end / 365)``. Recency bears on the probability alive only, so the
	hypergeometric function is taken once for each pair of frequency and age.
	"""
	x, days = triple["frequency"].astype(np.int64), triple["age"].astype(np.int64)
	pairs, of_pair = np.unique(x * (int(days.max(initial=0)) + 1) + days, return_inverse=True)
	pair_x, pair_days = np.divmod(pairs, int(days.max(initial=0)) + 1)

	@functools.cache
	def if_alive(horizon: int) -> Array:
		pair_age = pair_days / DAYS_PER_UNIT
		return model.purchases_if_alive(horizon / DAYS_PER_UNIT, pair_x.astype(float), pair_age)

	discounted, before = np.zeros(len(pairs)), np.zeros(len(pairs))
	for end in month_ends(settings.horizon_days):
		discounted += (if_alive(end) - before) / (1.0 + settings.discount_rate) ** (end / 365.0)
		before = if_alive(end)
	alive = model.probability_alive(x.astype(float), triple["recency"] / DAYS_PER_UNIT, days / DAYS_PER_UNIT)
	found: dict[str, Any] = {name: triple[name].astype(np.int64) for name in ("frequency", "recency", "age")}
	found["probability_alive"] = alive.round(6)
	for horizon in HORIZONS:
		found[f"expected_purchases_{horizon}d"] = (if_alive(horizon)[of_pair] * alive).round(6)
	found["discounted_purchases"] = (discounted[of_pair] * alive).round(6)
	return found


def month_ends(horizon_days: int) -> list[int]:
	"""Ends of the 30-day months up to the horizon, the last one cut to it."""
	return [*range(STEP_DAYS, horizon_days, STEP_DAYS), horizon_days]


def results(signals: ir.Table, predicted: ir.Table | None, model: LifetimeModel) -> ir.Table:
	"""nr and the columns of ``LIFETIME_RESULTS``, null where the model could not be fitted.

	``expected_value`` is base currency a purchase day; ``lifetime_value`` is ``expected_value`` times the
	discounted purchases, base currency over the horizon.
	"""
	if predicted is None:
		return signals.select("nr", **{name: ibis.null("float64") for name in LIFETIME_RESULTS})
	recency = days_between(signals.last_purchase, signals.first_purchase)
	known = signals.select("nr", "frequency", "repeat_value", recency=recency, age=signals.tenure_days)
	joined = known.left_join(predicted, ["frequency", "recency", "age"])
	# rounded once more because a database may read a number that was loaded as text an ulp off
	exact = {name: number(joined[name]) for name in predicted.columns if predicted[name].type().is_floating()}
	found = joined.select("nr", "frequency", "repeat_value", **exact)
	worth: ir.Value = ibis.null("float64")
	if model.gamma_gamma:
		x = found.frequency.cast("float64")
		own = ibis.ifelse(x > 0, found.repeat_value, 0.0)
		value = number(model.gamma_gamma.expected_value(x, own))
		worth = ibis.ifelse((x == 0) | (found.repeat_value > 0), value, ibis.null("float64"))
	priced = found.mutate(expected_value=worth)
	lifetime = number(priced.expected_value * priced.discounted_purchases)
	return priced.mutate(lifetime_value=lifetime).select("nr", *LIFETIME_RESULTS)
