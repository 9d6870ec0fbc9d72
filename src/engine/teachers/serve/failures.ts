import type { Failure } from "../../../protocol/jobs.ts";

/** How a server ended, as far as its start went. */
export interface ServerEnd {
  model: string;
  /** Name of the program. */
  program: string;
  port: number;
  /** The last lines of its log. */
  lines: readonly string[];
  /** Path of the log. */
  log: string;
  /** Of the process; both null while it still runs. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

export type FailureKind =
  | "portTaken"
  | "gatedModel"
  | "modelNotFound"
  | "noNetwork"
  | "unsupportedArchitecture"
  | "contextTooLong"
  | "gpuMemory"
  | "noGpu"
  | "precision"
  | "badArgument"
  | "notInstalled"
  | "diskFull"
  | "killed";

interface Recogniser {
  kind: FailureKind;
  /** What a line of the log looks like when this happened. */
  pattern: RegExp;
  code: Failure["code"];
  message(end: ServerEnd, match: RegExpExecArray): string;
  remedy(end: ServerEnd, match: RegExpExecArray): string;
}

/** The more particular come first: a failure often ends in the words of another. */
const recognisers: Recogniser[] = [
  {
    kind: "portTaken",
    pattern:
      /address already in use|couldn't bind HTTP server socket|EADDRINUSE|only one usage of each socket/i,
    code: "environment",
    message: (end) => `Port ${end.port} is in use by another program.`,
    remedy: () => "Leave out `serve.port`, so that a free one is chosen, or stop the other program.",
  },
  {
    kind: "gatedModel",
    pattern:
      /gated repo|GatedRepoError|Access to model \S+ is restricted|awaiting a review from the repo authors|403 (?:Client Error|Forbidden).*huggingface/i,
    code: "environment",
    message: (end) =>
      `The model ${end.model} is gated: its owner must give you access, and the hub must know you.`,
    remedy: () =>
      "Ask for access on the model's page, then set the environment variable HF_TOKEN, or log in with `hf auth login`.",
  },
  {
    kind: "modelNotFound",
    pattern:
      /is not a local folder and is not a valid model identifier|Repository Not Found|RepositoryNotFoundError|HFValidationError|Repo id must be in the form|does not appear to have a file named config\.json|failed to open GGUF file|No such file or directory.*\.gguf|gguf_init_from_file: failed to open|Invalid repository ID or local directory/i,
    code: "input",
    message: (end) => `There is no model ${end.model}, or it is private.`,
    remedy: () =>
      "Check `serve.model`: a hub id such as OpenGVLab/InternVL3_5-8B-HF, or a path relative to the config; for a private model set HF_TOKEN.",
  },
  {
    kind: "noNetwork",
    pattern:
      /couldn't connect to '?https?:|LocalEntryNotFoundError|OfflineModeIsEnabled|cannot find the requested files in the (?:local|disk) cache|Name or service not known|Temporary failure in name resolution|Max retries exceeded with url|getaddrinfo failed/i,
    code: "environment",
    message: (end) => `The model ${end.model} is not on this machine, and the model hub cannot be reached.`,
    remedy: () =>
      "Check the network or HTTPS_PROXY, or fetch the model elsewhere and name its folder in `serve.model`.",
  },
  {
    kind: "unsupportedArchitecture",
    pattern:
      /Model architectures? (\[.*?\]) (?:are not supported|failed to be inspected|has no vLLM implementation)|does not recognize this architecture|unknown model architecture: '?([\w.-]+)|(\w+) has no vLLM implementation|trust_remote_code=True/i,
    code: "environment",
    message: (end, match) =>
      `${end.program} does not know the architecture of ${end.model}${match[1] || match[2] || match[3] ? `: ${match[1] ?? match[2] ?? match[3]}` : ""}.`,
    remedy: (_end, match) =>
      /trust_remote_code/.test(match[0])
        ? "Take the variant of the model for transformers (its name often ends in -HF); `--trust-remote-code` in `serve.args` would run the model's own code."
        : "Update the server, or choose a model that it supports.",
  },
  {
    kind: "contextTooLong",
    pattern:
      /KV cache is needed, which is larger than the available|max(?:imum)? model length is (\d+)|The model's max seq len \(\d+\) is larger than the maximum number of tokens/i,
    code: "environment",
    message: (end) => `There is not enough memory for the longest prompt that ${end.model} takes.`,
    remedy: () => "Add `--max-model-len` and `8192` to `serve.args`: a judgement takes far less.",
  },
  {
    kind: "gpuMemory",
    pattern:
      /CUDA out of memory|OutOfMemoryError|Free memory on device .*less than desired|No available memory for the cache blocks|HIP out of memory|cudaMalloc failed: out of memory|unable to allocate \S+ buffer|Not enough memory\. Please try to increase --mem-fraction-static|failed to fit params to free device memory/i,
    code: "environment",
    message: (end) => `The accelerator has not enough free memory for ${end.model}.`,
    remedy: () =>
      "Stop what else uses it (`leaf servers`, `nvidia-smi`), or choose a smaller or quantised model, or lower `--gpu-memory-utilization` in `serve.args` if only its share is too large.",
  },
  {
    kind: "noGpu",
    pattern:
      /Failed to infer device type|No CUDA GPUs are available|Found no NVIDIA driver|CUDA driver version is insufficient|no CUDA-capable device|No platform detected/i,
    code: "environment",
    message: (end) => `${end.program} finds no accelerator that it can use.`,
    remedy: () =>
      "Check the driver (`nvidia-smi`) and CUDA_VISIBLE_DEVICES, or use a server for CPUs such as llama.cpp.",
  },
  {
    kind: "precision",
    pattern: /Bfloat16 is only supported on GPUs with compute capability|bfloat16.*not supported/i,
    code: "environment",
    message: () => "This GPU cannot compute in bfloat16.",
    remedy: () => "Add `--dtype` and `half` to `serve.args`.",
  },
  {
    kind: "badArgument",
    pattern:
      /error: (unrecognized arguments: .*|argument .*|the following arguments are required: .*)|error: (invalid argument: .*|unknown argument: .*)|ambiguous option: (.*)/i,
    code: "config",
    message: (end, match) =>
      `${end.program} does not take an argument of \`serve\`: ${(match[1] ?? match[2] ?? match[3])!.trim()}.`,
    remedy: () => "Correct `serve.command` or `serve.args`.",
  },
  {
    kind: "notInstalled",
    pattern: /ModuleNotFoundError: No module named '([\w.]+)'|No module named ([\w.]+)/,
    code: "environment",
    message: (end, match) => `${end.program} lacks the Python package ${match[1] ?? match[2]}.`,
    remedy: (_end, match) =>
      `Install it where \`serve.command\` runs (\`pip install ${(match[1] ?? match[2])!.split(".")[0]}\`), or name another interpreter there.`,
  },
  {
    kind: "diskFull",
    pattern: /No space left on device|not enough (?:free )?disk space/i,
    code: "environment",
    message: (end) => `The disk is full: ${end.model} cannot be downloaded or loaded.`,
    remedy: () => "Free some space, or move the hub's cache by setting HF_HOME.",
  },
  {
    kind: "killed",
    pattern:
      /died with exit code:? -9|exit code -9\b|signal SIGKILL|Out of memory: Killed process|exitcode: -9/i,
    code: "environment",
    message: (end) =>
      `The system killed ${end.program} while it loaded ${end.model}, most likely for want of memory.`,
    remedy: () => "Free main memory, or choose a smaller or quantised model.",
  },
];

/** What the log says went wrong; the first recogniser with a line to its liking decides. */
export function recognise(
  end: Pick<ServerEnd, "lines"> & Partial<ServerEnd>,
): { kind: FailureKind; line: string } | undefined {
  const found = find(end.lines);
  return found && { kind: found.recogniser.kind, line: found.line };
}

function find(lines: readonly string[]) {
  for (const recogniser of recognisers) {
    for (const line of lines) {
      const match = recogniser.pattern.exec(line);
      if (match) return { recogniser, match, line };
    }
  }
  return undefined;
}

/** One sentence on why a server ended by itself, and the way out. */
export function explainEnd(end: ServerEnd): Failure {
  const found = find(end.lines);
  if (found) {
    const { recogniser, match } = found;
    return {
      code: recogniser.code,
      message: recogniser.message(end, match),
      remedy: `${recogniser.remedy(end, match)} Its log: ${end.log}`,
      file: end.log,
    };
  }
  // Nothing of ours kills a server that it waits for. 137: a shell or container tells of the same.
  if (end.signal === "SIGKILL" || end.exitCode === 137) {
    const killed = recognisers.find((one) => one.kind === "killed")!;
    const none = /$/.exec("")!;
    return {
      code: killed.code,
      message: killed.message(end, none),
      remedy: killed.remedy(end, none),
      file: end.log,
    };
  }
  const how = end.signal ? `was ended by ${end.signal}` : `ended with exit code ${end.exitCode}`;
  const last = lastTellingLine(end.lines);
  return {
    code: "failed",
    message: `${end.program} ${how} before it was ready${last ? `: ${last}` : ""}.`,
    remedy: `See its log: ${end.log}`,
    file: end.log,
  };
}

export function explainMissingProgram(program: string, log: string): Failure {
  const isVllm = /(^|[\\/])vllm$/.test(program);
  return {
    code: "environment",
    message: `There is no program ${program} to start the teacher's server.`,
    remedy: isVllm
      ? "Install vLLM (`pip install vllm`) and have it on the PATH, or name it with its folder in `serve.command`."
      : "Correct `serve.command`: a program on the PATH, or one with its folder.",
    file: log,
  };
}

export function explainNotReady(end: ServerEnd, startMinutes: number, note: string | null): Failure {
  return {
    code: "failed",
    message: `${end.program} was not ready within ${minutes(startMinutes)}${note ? ` (last: ${note})` : ""}.`,
    remedy: `Raise \`serve.startMinutes\` if it only needs longer, such as for a first download; otherwise see its log: ${end.log}`,
    file: end.log,
  };
}

export function explainCrashes(end: ServerEnd, times: number): Failure {
  const cause = find(end.lines) ? ` ${explainEnd(end).message}` : "";
  return {
    code: "failed",
    message: `The teacher's server ${end.program} ended ${times} times while it was in use.${cause}`,
    remedy: `See its log: ${end.log}`,
    file: end.log,
  };
}

function minutes(n: number): string {
  return n === 1 ? "1 minute" : `${n} minutes`;
}

/** The last line that names an error, else the last line. */
function lastTellingLine(lines: readonly string[]): string | undefined {
  const said = lines.map((line) => line.replace(/\s+/g, " ").trim()).filter((line) => /\w/.test(line));
  const line = said.findLast((one) => /\b\w*(error|exception)\b/i.test(one)) ?? said.at(-1);
  return line?.slice(0, 200).replace(/\.$/, "");
}
