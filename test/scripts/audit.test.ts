import fc from "fast-check";
import { expect, test } from "vitest";
import { npmAnswer, pipAnswer, verdict } from "../../scripts/audit/answers.js";

const npm = JSON.stringify({
  auditReportVersion: 2,
  vulnerabilities: {
    minimatch: {
      via: [
        {
          source: 1,
          name: "minimatch",
          title: "ReDoS",
          url: "https://github.com/advisories/GHSA-1",
          severity: "high",
        },
      ],
    },
    "fast-glob": { via: ["minimatch"] },
  },
});
const pip = JSON.stringify({
  dependencies: [
    {
      name: "torch",
      version: "2.13.0",
      vulns: [{ id: "PYSEC-1", fix_versions: ["2.14.0"], description: "Bad.\nVery." }],
    },
    { name: "numpy", version: "2.4.6", vulns: [] },
    { name: "triton", skip_reason: "not found on PyPI" },
  ],
});

test("a known fault fails, unless its id is accepted with a reason", () => {
  const answers = [npmAnswer(npm), pipAnswer(pip)];
  expect(answers.map((one) => verdict("audit", one, []).ok)).toEqual([false, false]);
  expect(verdict("audit", answers[1]!, []).lines).toEqual([
    "audit: PYSEC-1 in torch 2.13.0, fixed in 2.14.0: Bad.",
    "audit: nothing is known of triton",
    "audit: 1 known faults, 1 of them not accepted in scripts/audit/accepted.json",
  ]);
  const accepted = [
    { id: "GHSA-1", reason: "only our own patterns" },
    { id: "PYSEC-1", reason: "not used" },
  ];
  expect(answers.map((one) => verdict("audit", one, accepted).ok)).toEqual([true, true]);
});

test("a registry without audits fails nothing, and is said", () => {
  const refused = JSON.stringify({ message: "405 Method Not Allowed", statusCode: 405, error: {} });
  const skipped = JSON.stringify({
    dependencies: [{ name: "a", skip_reason: "Dependency not found on PyPI" }],
  });
  for (const [answer, why] of [
    [npmAnswer(refused), "405 Method Not Allowed"],
    [npmAnswer(""), "npm said nothing."],
    [pipAnswer(skipped), "Dependency not found on PyPI"],
    [pipAnswer(""), "pip-audit said nothing."],
  ] as const) {
    expect(verdict("audit", answer, [])).toEqual({
      ok: true,
      lines: [`audit: NOT AUDITED, the registry here does not answer (${why})`],
    });
  }
});

test("no finding is lost: it fails or its reason is printed", () => {
  const ids = fc.uniqueArray(fc.stringMatching(/^GHSA-[a-z0-9]{4}$/), { maxLength: 8 });
  fc.assert(
    fc.property(ids, fc.func(fc.boolean()), (found, isAccepted) => {
      const via = found.map((id) => ({
        name: "p",
        title: "t",
        severity: "low",
        url: `https://github.com/advisories/${id}`,
      }));
      const accepted = found.filter(isAccepted).map((id) => ({ id, reason: `because of ${id}` }));
      const { ok, lines } = verdict(
        "npm",
        npmAnswer(JSON.stringify({ vulnerabilities: { p: { via } } })),
        accepted,
      );
      expect(ok).toBe(accepted.length === found.length);
      for (const id of found) expect(lines.some((line) => line.includes(id))).toBe(true);
    }),
  );
});
