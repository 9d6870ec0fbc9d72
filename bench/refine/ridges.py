"""python ridges.py JOB.json, as bench/refine.ts writes it. Prints Markdown tables of SRCC on test images."""

import json
import sys
from pathlib import Path

import msgspec
import numpy as np

from leaf.agreement import pearson, ranks
from leaf.contract.head import HeadNetwork
from leaf.head.fit import fit
from leaf.head.rows import Rated, read_features

# As many of the training images as calibration takes to standardise features by.
REFERENCE = 256


def main(job):
    for case in job["cases"]:
        rows = case["rows"]
        truth = np.array([row["truth"] for row in rows], float)
        test = np.array([row["test"] for row in rows])
        networks = [msgspec.convert(one, HeadNetwork) for one in case["networks"]]
        features = [read_features(one, len(rows)) for one in networks]
        real = np.array([np.nan if row["teacher"] is None else row["teacher"] for row in rows], float)
        measure(job, f"{case['config']}, its teacher", networks, features, real, truth, test)
        # No distilled student has learnt from a simulated one: its own network with its score left out.
        bare = [msgspec.structs.replace(one, scored=False) for one in networks]
        rng = np.random.default_rng(7)
        for aim in job["simulate"]:
            said = simulated(features[-1], truth, aim, rng)
            measure(job, f"{case['config']}, simulated teacher", bare, features, said, truth, test)


def simulated(x, truth, aim, rng):
    """Truth and errors, half of them a random function of the features, half noise; of SRCC `aim`."""
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    errors = x @ rng.normal(size=x.shape[1]), rng.normal(size=len(x))
    error = sum(one / one.std() for one in errors) / np.sqrt(2)
    low, high = 0.0, 50.0
    for _ in range(40):
        middle = (low + high) / 2
        said = truth / truth.std() + middle * error
        low, high = (middle, high) if srcc(said, truth) > aim else (low, middle)
    return said


def measure(job, name, networks, features, teacher, truth, test):
    train = np.flatnonzero(~test)
    known = train[~np.isnan(teacher[train])]
    told = not np.isnan(teacher[test]).any()
    print(
        f"\n{name}: {len(train)} training images, {len(known)} with its score, {test.sum()} test images",
        end="",
    )
    print(f"; SRCC of the teacher {srcc(teacher[test], truth[test]):.3f}\n" if told else "\n")
    print("| ratings | closed form | refined | gain | in how many draws | share | mean with the teacher |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in job["counts"]:
        plain, refined, shares, means = [], [], [], []
        for draw in range(job["draws"]):
            at = np.sort(np.random.default_rng(draw).choice(train, count, replace=False))
            one, _ = scores(networks, features, train, rated(at, truth))
            shown_to = rated(learnt(at, known, train, job["taught"]), teacher)
            two, facts = scores(networks, features, train, rated(at, truth), shown_to)
            plain.append(srcc(one[test], truth[test]))
            refined.append(srcc(two[test], truth[test]))
            shares.append(facts.refined.share)
            if told:
                both = one / one[train].std() + teacher / teacher[train].std()
                means.append(srcc(both[test], truth[test]))
        gain = np.subtract(refined, plain)
        print(
            f"| {count} | {shown(plain)} | {shown(refined)} | {gain.mean():+.3f} "
            f"[{gain.min():+.3f}, {gain.max():+.3f}] | {(gain > 0).sum()} of {len(gain)} | "
            f"{np.mean(shares):.2f} | {shown(means) if told else ''} |",
            flush=True,
        )


def learnt(at, known, train, taught):
    """Images whose teacher's scores are learnt: so many, or those that are rated or standardise the features."""
    if taught and len(known) > taught:
        return np.sort(np.random.default_rng(5).choice(known, taught, replace=False))
    return known if taught else np.intersect1d(known, np.concatenate([at, others(at, train)]))


def others(at, train):
    return np.setdiff1d(train, at)[: max(0, REFERENCE - len(at))]


def rated(at, targets):
    n = len(at)
    return Rated(at, targets[at], np.ones(n), at, np.full(n, -1))


def scores(networks, features, train, own, teacher=None):
    """Of all images by a head that has seen the rated ones, and others of the training images as the job has them."""
    known = [own.at, others(own.at, train), [] if teacher is None else teacher.at]
    seen = np.unique(np.concatenate(known).astype(int))
    given = [one for one in (own, teacher) if one is not None]
    inside = [Rated(np.searchsorted(seen, o.at), o.targets, o.weights, o.groups, o.folds) for o in given]
    found = fit(networks, [x[seen] for x in features], *inside)
    columns = [
        x[:, part.columns]
        for network, x in zip(networks, features, strict=True)
        for part in found.scaled.parts
        if part.network == network.name
    ]
    phi = (np.concatenate(columns, axis=1) - found.scaled.mean) / found.scaled.scale * found.root
    return found.posterior.predict(phi)[0], found.facts


def srcc(x, y):
    return pearson(ranks(np.asarray(x, float)), ranks(np.asarray(y, float))) or 0.0


def shown(values):
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


main(json.loads(Path(sys.argv[1]).read_text()))
