// A teacher's server that tells all it knows: its arguments, its environment and the key it was sent.
//   node echoServer.mjs <port> <refuse|answer> …
import { createServer } from "node:http";

const [port, mode] = process.argv.slice(2);
console.log("arguments", process.argv, "environment", JSON.stringify(process.env));

/** @param {Record<string, number>} probabilities */
const listed = (probabilities) =>
  Object.entries(probabilities).map(([token, p]) => ({ token, logprob: Math.log(p), bytes: null }));

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const known = `${request.headers.authorization} ${process.env.VLLM_API_KEY} ${process.argv.slice(4)}`;
  console.error("asked", request.url, known);
  if (request.url === "/health") return void response.end("{}");
  if (request.method === "GET") return void response.end('{"data":[]}');
  if (mode === "refuse") {
    response.writeHead(401).end(JSON.stringify({ error: { message: `wrong key: ${known}` } }));
    return;
  }
  const pictures = Buffer.concat(chunks).toString().split("image_url").length > 3;
  const list = listed(pictures ? { A: 0.7, B: 0.2 } : { good: 0.6, fair: 0.3, bad: 0.05 });
  response.end(
    JSON.stringify({
      choices: [
        {
          message: { role: "assistant", content: `blur ${known}` },
          logprobs: { content: [{ ...list[0], top_logprobs: list }] },
        },
      ],
      usage: { prompt_tokens: 10, completion_tokens: 1 },
    }),
  );
}).listen(Number(port), "127.0.0.1");
