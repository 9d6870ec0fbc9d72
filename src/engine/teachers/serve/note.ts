type Reading = [pattern: RegExp, say: (match: RegExpExecArray) => string];

const percent = (match: RegExpExecArray, what: string) => `${what} ${match[1]} %`;

/** What lines of vLLM, SGLang, the hub's downloader and llama.cpp mean to someone who waits. */
const readings: Reading[] = [
  [
    /Loading (?:safetensors|pt|bin|gguf)?\s*checkpoint shards:.*?\|\s*(\d+)\/(\d+)/i,
    (m) => `loading weights ${m[1]}/${m[2]}`,
  ],
  [
    /(\S+\.(?:safetensors|bin|gguf|pt)):\s+(\d+)%\|/,
    (m) => `downloading ${m[1]!.split("/").at(-1)} ${m[2]} %`,
  ],
  [/Fetching (\d+) files:\s+(\d+)%\|.*?\|\s*(\d+)\//, (m) => `downloading files ${m[3]}/${m[1]}`],
  [/Downloading .*?:\s+(\d+)%\|/, (m) => percent(m, "downloading")],
  [/Resolved architecture/, () => "starting the engine"],
  [/Starting to load model|Load weight begin|load_model: loading model/, () => "loading the model"],
  [/Model loading took ([\d.]+ (?:GiB|GB))/, (m) => `weights loaded, ${m[1]}`],
  [/Load weight end/, () => "weights loaded"],
  [/Capturing CUDA graphs?.*?:\s+(\d+)%\|/i, (m) => percent(m, "capturing CUDA graphs")],
  [/Capture cuda graph begin/i, () => "capturing CUDA graphs"],
  [
    /Start(?:ing)? compil|Compiling a graph|torch\.compile takes|Dynamo bytecode transform/i,
    () => "compiling",
  ],
  [/Warming up|profile run|Encoder cache will be initialized/i, () => "warming up"],
  [/(?:GPU|CPU) KV cache size: ([\d,]+) tokens/, (m) => `room for ${m[1]} tokens`],
  [/llama_model_loader: loaded meta data/, () => "reading the model"],
  [/load_tensors: loading model tensors/, () => "loading weights"],
  [/warming up the model/i, () => "warming up"],
  [
    /Application startup complete|server is listening|init: listening on|fired up and ready/i,
    () => "started",
  ],
];

/** A short note for a line that tells how far a server's start is; undefined for all others. */
export function noteOf(line: string): string | undefined {
  for (const [pattern, say] of readings) {
    const match = pattern.exec(line);
    if (match) return say(match);
  }
  return undefined;
}
