import { expect, it, onTestFinished } from "vitest";
import { labelText } from "../../../src/cli/commands/label.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { labelStage } from "../../../src/engine/pipeline/stages/label.ts";
import { count } from "../../../src/words/figure.ts";
import { inEnglish } from "../../../src/words/text.ts";
import { askedPhotos } from "../../support/askedPhotos.ts";
import { goodAnswer, picturesIn, startChatServer } from "../../support/chatServer.ts";

async function projectOf(teacher: string) {
  return openProject(await askedPhotos(teacher, "label: { pairsPerImage: 1 }\n"));
}

it("labelling ends with what the teacher was asked, and what that took", async () => {
  const server = await startChatServer();
  onTestFinished(() => server.close());
  const price = "price: { input: 10, output: 100, currency: EUR }";
  const project = await projectOf(`{ kind: openai, endpoint: "${server.url}", model: m, ${price} }`);
  const result = await labelStage(project, {});
  const requests = server.requests.length;
  expect(requests).toBeGreaterThan(4);
  // Of each: 100 tokens read, 1 written.
  const amount = (requests * (100 * 10 + 1 * 100)) / 1e6;
  expect(result.spent).toMatchObject({ requests, inputTokens: 100 * requests, outputTokens: requests });
  expect(result.spent!.cost!.amount).toBeCloseTo(amount, 9);
  expect(labelText(result)).toContain(
    `spent: ${requests} requests, ${count(101 * requests)} tokens, ${amount.toFixed(4)} EUR`,
  );
  const again = await labelStage(project, {});
  expect([server.requests.length, again.spent]).toEqual([requests, undefined]);
});

it("what was spent before labelling broke off is told as well", async () => {
  let questions = 0;
  const server = await startChatServer((request, response) => {
    if (++questions <= 6) return goodAnswer(request);
    response.writeHead(401).end();
    return undefined;
  });
  onTestFinished(() => server.close());
  const project = await projectOf(`{ kind: openai, endpoint: "${server.url}", model: m, concurrency: 1 }`);
  const notes: string[] = [];
  await expect(labelStage(project, { onNote: (note) => notes.push(inEnglish(note)) })).rejects.toThrow();
  expect(notes.join("\n")).toMatch(/^Spent: \d+ requests, \d+ tokens$/m);
});

it("a server that turns out to answer otherwise is planned with as what it is, once, and known from then on", async () => {
  // No log-probabilities: the answer is sampled, which makes it another teacher than was planned with.
  const server = await startChatServer((request) => {
    const content = picturesIn(request).length === 2 ? "A" : "good";
    return { choices: [{ message: { content } }], usage: { prompt_tokens: 10, completion_tokens: 1 } };
  });
  onTestFinished(() => server.close());
  const project = await projectOf(`{ kind: openai, endpoint: "${server.url}", model: m, samples: 4 }`);
  const notes: string[] = [];
  const result = await labelStage(project, { onNote: (note) => notes.push(inEnglish(note)) });
  expect(result.points).toEqual({ labelled: 4, reused: 0, failed: 0 });
  expect(notes.filter((note) => note.includes("estimated from 4 answers each"))).toHaveLength(1);
  // Two pairs in both orders; told before the first image is asked about.
  expect(notes).toContain(
    `${4 * (4 + 2 * result.pairs.labelled)} requests, about ${11 * 4 * (4 + 2 * result.pairs.labelled)} tokens`,
  );
  expect(result.spent!.requests).toBe(server.requests.length);
  const store = openLabels(project.labelsFile, { readOnly: true });
  expect(
    store
      .teachers()
      .map(({ points }) => points)
      .filter((points) => points > 0),
  ).toEqual([4]);
  const [teacher] = store.teachers().filter(({ points }) => points > 0);
  expect([...store.points(teacher!.fingerprint)].map(({ samples }) => samples)).toEqual(
    Array(4).fill({ n: 4, counts: [0, 4, 0, 0, 0] }),
  );
  store.close();
  const before = server.requests.length;
  expect(await labelStage(project, {})).toMatchObject({ points: { labelled: 0, reused: 4 } });
  expect(server.requests.length).toBe(before);
});

it("ends with what the server's prefix cache gave: by its answers", async () => {
  const server = await startChatServer((request) => ({
    ...goodAnswer(request),
    usage: { prompt_tokens: 100, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 75 } },
  }));
  onTestFinished(() => server.close());
  const project = await projectOf(`{ kind: openai, endpoint: "${server.url}", model: m }`);
  const result = await labelStage(project, {});
  const requests = server.requests.length;
  expect(result.spent!.prefix).toEqual({ cached: 75 * requests, of: 100 * requests });
  expect(labelText(result)).toContain(
    `tokens; the server had ${count(75 * requests)} of ${count(100 * requests)} input tokens in its prefix cache`,
  );
});

it("ends with what the server's prefix cache gave: by vLLM's own counters, since this run began", async () => {
  const server = await startChatServer();
  onTestFinished(() => server.close());
  server.owner = "vllm";
  const others = 5000;
  server.metrics = () =>
    `vllm:prefix_cache_queries_total{engine="0"} ${others + 100 * server.requests.length}\nvllm:prefix_cache_hits_total{engine="0"} ${60 * server.requests.length}\n`;
  const project = await projectOf(`{ kind: openai, endpoint: "${server.url}", model: m }`);
  const result = await labelStage(project, {});
  const { cached, of } = result.spent!.prefix!;
  // Those that found out what the server can do came before.
  const counted = of / 100;
  expect(counted).toBeGreaterThanOrEqual(4 + 2 * result.pairs.labelled);
  expect(counted).toBeLessThan(server.requests.length);
  expect(cached).toBe(60 * counted);
});
