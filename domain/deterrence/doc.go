// SPDX-License-Identifier: Apache-2.0

// Package deterrence holds the inequalities under which cheating loses money. The modules' parameters are valid only where
// they hold; each error says the inequality with its numbers.
//
// The tests of the package are the proof in both directions. They draw parameters that the inequalities accept and
// strategies of an attacker, play them through the functions that the chain pays and slashes by, and check what is stated
// here; and for each inequality they show parameters that it refuses and an attacker who would profit from them.
//
// # What is stated
//
// All money is in micro-units. take is the take that the attacker's own money paid.
//
//	attack                           holds under             bound on the attacker's net
//	1 wash trading                   CheckPayback,           10000·net <= −500·take, exactly, for one who owns every
//	                                 CheckTake               operator, settler, asset, stake and prober; beside honest
//	                                                         work of his own, 10000·net <= −500·take + 50000 per operator
//	2 idle capacity                  CheckLadder             0 money, 0 points; declared capacity has no score
//	3 sybils of an operator          none needed             0 at equal quality (points: 1 for each part, and a millionth
//	                                                         of the points); of a settler what a take of 1 stands for,
//	                                                         for each name
//	  with hidden controllers        CheckPayback            payback_cap · take: as if the work had been spread
//	  that shed failures             none needed             S at most that of the whole or of no outcomes (838,874 ppm)
//	4 the better of two seeds        CheckInflation          the claim / min(80, multiple): [GrindingBound]
//	  one beacon block by chance     CheckBeacon             < 0
//	5 inflated amounts               CheckInflation          < 0 for every part of every claim
//	6 withheld data, no answer       CheckInflation,         < 0
//	                                 CheckUnbonding
//	7 slander by one gateway         CheckFailureShare       no rival gains; half as many failures as others saw at most
//	8 a minority of the panel        CheckQuorum             medians within the honest range
//
// # What is not
//
// Bound 3 counts money: common control behind several names is seen only by governance, and a newcomer's S of 838,874 ppm
// is what a failing operator can always return to, at the price of his reputation. Bound 4 is for two seeds; one who can
// try many is bounded by his claim alone, until a reader of the published records finds what samples miss. Bound 7 is for
// one gateway; two that lie together raise each other's limit. Bound 8 needs 2·c + 1 revealed observations against c
// colluders: with 3 of 7 colluding all 4 others must reveal.
package deterrence
