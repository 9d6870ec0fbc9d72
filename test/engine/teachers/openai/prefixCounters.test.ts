import fc from "fast-check";
import { expect, it } from "vitest";
import {
  metricsUrl,
  prefixBetween,
  prefixCounters,
} from "../../../../src/engine/teachers/openai/prefixCounters.ts";
import { usageOf } from "../../../../src/engine/teachers/openai/tokens.ts";

/** As vLLM's documentation names them, in Prometheus' text format. */
const page = (engines: { hits: number; queries: number }[]) =>
  [
    "# HELP vllm:prefix_cache_queries_total Prefix cache queries, in terms of number of queried tokens.",
    "# TYPE vllm:prefix_cache_queries_total counter",
    ...engines.map(
      ({ queries }, i) => `vllm:prefix_cache_queries_total{engine="${i}",model_name="m"} ${queries}`,
    ),
    "# TYPE vllm:prefix_cache_queries_created gauge",
    'vllm:prefix_cache_queries_created{engine="0",model_name="m"} 1.764e+09',
    "# TYPE vllm:prefix_cache_hits_total counter",
    ...engines.map(({ hits }, i) => `vllm:prefix_cache_hits_total{engine="${i}",model_name="m"} ${hits}`),
    'vllm:external_prefix_cache_hits_total{engine="0",model_name="m"} 7.0',
    'vllm:prompt_tokens_total{engine="0",model_name="m"} 1234.0',
    "",
  ].join("\n");

const engine = fc.record({ hits: fc.nat(), queries: fc.nat() });

it("reads vLLM's counters over all engines, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(engine, { minLength: 1, maxLength: 4 }), (engines) => {
      const sum = (of: "hits" | "queries") => engines.reduce((total, one) => total + one[of], 0);
      expect(prefixCounters(page(engines))).toEqual({ hits: sum("hits"), queries: sum("queries") });
    }),
  );
  // Without engines, without the suffix that Prometheus' client adds, and of vLLM's first engine.
  expect(prefixCounters("vllm:prefix_cache_hits 2.5e+02\nvllm:prefix_cache_queries 1e3")).toEqual({
    hits: 250,
    queries: 1000,
  });
  expect(prefixCounters("vllm:gpu_prefix_cache_hits 1\nvllm:gpu_prefix_cache_queries 2\n")).toEqual({
    hits: 1,
    queries: 2,
  });
});

it("never fails on a page of any kind", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(prefixCounters(text)).toBeUndefined();
    }),
  );
  expect(prefixCounters("vllm:prefix_cache_hits_total 5")).toBeUndefined();
});

it("tells what lies between two looks; nothing where the server was started anew", () => {
  expect(prefixBetween({ hits: 5, queries: 20 }, { hits: 11, queries: 30 })).toEqual({ cached: 6, of: 10 });
  expect(prefixBetween({ hits: 5, queries: 20 }, { hits: 5, queries: 20 })).toBeUndefined();
  expect(prefixBetween({ hits: 5, queries: 20 }, { hits: 1, queries: 40 })).toBeUndefined();
});

it("finds the counters beside the API", () => {
  expect(metricsUrl("http://gpu:8000/v1/")).toBe("http://gpu:8000/metrics");
  expect(metricsUrl("http://gpu:8000/models/a")).toBe("http://gpu:8000/models/a/metrics");
});

it("an answer tells what the cache gave: as OpenAI has it, or as llama.cpp", () => {
  const usage = { prompt_tokens: 100, completion_tokens: 1 };
  const told = { input: 100, output: 1 };
  expect(usageOf({ usage })).toEqual(told);
  expect(usageOf({ usage: { ...usage, prompt_tokens_details: null } })).toEqual(told);
  expect(usageOf({ usage: { ...usage, prompt_tokens_details: { cached_tokens: 64 } } })).toEqual({
    ...told,
    cached: 64,
  });
  expect(usageOf({ usage, timings: { cache_n: 90, prompt_n: 10 } })).toEqual({ ...told, cached: 90 });
  expect(usageOf({ usage, timings: { cache_n: "many" } })).toEqual(told);
});
