// What `npm audit --json` and `pip-audit -f json` say, as one form.

/**
 * @typedef {{ id: string, package: string, about: string }} Finding A known fault of a dependency; the id is that of its advisory.
 * @typedef {{ answered: true, findings: Finding[], unknown: string[] } | { answered: false, why: string }} Answer
 * `unknown`: packages that the registry could not tell of.
 */

/** @param {string} text @returns {Answer} */
export function npmAnswer(text) {
  const said = parse(text);
  if (!said?.vulnerabilities) return { answered: false, why: said?.message ?? "npm said nothing." };
  /** @type {Finding[]} */
  const findings = [];
  for (const { via } of Object.values(said.vulnerabilities)) {
    // A name stands for a package that is listed itself.
    for (const one of via) {
      if (typeof one === "string") continue;
      const id =
        String(one.url ?? one.source)
          .split("/")
          .at(-1) ?? "";
      findings.push({ id, package: one.name, about: `${one.severity}: ${one.title}` });
    }
  }
  return { answered: true, findings: once(findings), unknown: [] };
}

/** @param {string} text @returns {Answer} */
export function pipAnswer(text) {
  const said = parse(text);
  if (!Array.isArray(said?.dependencies)) return { answered: false, why: "pip-audit said nothing." };
  const skipped = said.dependencies.filter((/** @type {any} */ one) => one.skip_reason);
  if (skipped.length === said.dependencies.length)
    return { answered: false, why: skipped[0]?.skip_reason ?? "it was asked about no package." };
  /** @type {Finding[]} */
  const findings = said.dependencies.flatMap((/** @type {any} */ one) =>
    (one.vulns ?? []).map((/** @type {any} */ fault) => ({
      id: fault.id,
      package: `${one.name} ${one.version}`,
      about: `fixed in ${fault.fix_versions?.join(", ") || "no release"}: ${fault.description.split("\n")[0]}`,
    })),
  );
  return {
    answered: true,
    findings: once(findings),
    unknown: skipped.map((/** @type {any} */ one) => one.name),
  };
}

/**
 * Whether a build may go on, and what is to be said. Without an answer it may: the registry of a closed network has none.
 * @param {string} what @param {Answer} answer @param {{ id: string, reason: string }[]} accepted
 * @returns {{ ok: boolean, lines: string[] }}
 */
export function verdict(what, answer, accepted) {
  if (!answer.answered)
    return { ok: true, lines: [`${what}: NOT AUDITED, the registry here does not answer (${answer.why})`] };
  const reasons = new Map(accepted.map(({ id, reason }) => [id, reason]));
  const lines = answer.findings.map(({ id, package: name, about }) => {
    const reason = reasons.get(id);
    return reason ? `${what}: ${id} in ${name}, accepted: ${reason}` : `${what}: ${id} in ${name}, ${about}`;
  });
  if (answer.unknown.length > 0) lines.push(`${what}: nothing is known of ${answer.unknown.join(", ")}`);
  const bad = answer.findings.filter(({ id }) => !reasons.has(id)).length;
  lines.push(
    `${what}: ${answer.findings.length} known faults, ${bad} of them not accepted in scripts/audit/accepted.json`,
  );
  return { ok: bad === 0, lines };
}

/** @param {string} text @returns {any} */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {Finding[]} findings */
function once(findings) {
  return [...new Map(findings.map((one) => [`${one.id} ${one.package}`, one])).values()];
}
