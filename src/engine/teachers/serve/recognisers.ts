import type { Failure } from "../../../protocol/jobs.ts";
import type { Text } from "../../../protocol/text.ts";
import { say } from "../../../words/text.ts";

/** How a server ended, or how far it came. */
export interface ServerEnd {
  model: string;
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
  | "damagedModel"
  | "noNetwork"
  | "needsRemoteCode"
  | "unsupportedArchitecture"
  | "contextTooLong"
  | "gpuMemory"
  | "mainMemory"
  | "noGpu"
  | "precision"
  | "badArgument"
  | "notInstalled"
  | "diskFull";

export interface Recogniser {
  kind: FailureKind;
  /** A line of the log that only this failure writes; its first group that matched is `found`. */
  pattern: RegExp;
  code: Failure["code"];
  message(end: ServerEnd, found: string): Text;
  remedy(found: string): Text;
}

/**
 * What vLLM, SGLang, the hub's client and llama.cpp write when they cannot start. The more particular come first: a failure often
 * ends in the words of another. A healthy start writes its whole configuration: no pattern may fit a mere setting.
 */
export const recognisers: readonly Recogniser[] = [
  {
    kind: "portTaken",
    pattern: /address already in use|couldn't bind HTTP server socket|only one usage of each socket/i,
    code: "environment",
    message: (end) => say`Port ${end.port} is in use by another program.`,
    remedy: () => say`Leave out \`serve.port\`, so that a free one is chosen, or stop the other program.`,
  },
  {
    kind: "gatedModel",
    pattern:
      /access (?:a )?gated repo|is a gated repository|GatedRepoError|Access to model \S+ is restricted|awaiting a review from the repo authors/i,
    code: "environment",
    message: (end) =>
      say`The model ${end.model} is gated: its owner must give you access, and the hub must know you.`,
    remedy: () =>
      say`Ask for access on the model's page, then set the environment variable HF_TOKEN, or log in with \`hf auth login\`.`,
  },
  {
    kind: "modelNotFound",
    pattern:
      /is not a local folder (?:and is not|or) a valid|Repository Not Found for url|RepositoryNotFoundError|Repo id must be in the form|Repo id must use alphanumeric|Invalid repository ID or local directory|does not appear to have a file named config\.json|failed to open GGUF file '([^']+)'/i,
    code: "input",
    message: (end, found) => say`There is no model ${found || end.model}, or it is private.`,
    remedy: () =>
      say`Check \`serve\`: a hub id such as OpenGVLab/InternVL3_5-8B-HF, or a path relative to the config; for a private model set HF_TOKEN.`,
  },
  {
    kind: "damagedModel",
    pattern:
      /invalid magic characters|tensor '.*' data is not within the file bounds|SafetensorError|HeaderTooLarge|MetadataIncompleteBuffer/i,
    code: "input",
    message: (end) => say`The files of the model ${end.model} are damaged or incomplete.`,
    remedy: () => say`Download it again.`,
  },
  {
    kind: "noNetwork",
    pattern:
      /couldn't connect to '?https?:|LocalEntryNotFoundError|OfflineModeIsEnabled|cannot find the requested files in the (?:local|disk) cache|Name or service not known|Temporary failure in name resolution|Max retries exceeded with url|getaddrinfo failed/i,
    code: "environment",
    message: (end) => say`The model ${end.model} is not on this machine, and its hub cannot be reached.`,
    remedy: () =>
      say`Check the network, HTTPS_PROXY and HF_HUB_OFFLINE, or fetch the model elsewhere and name its folder in \`serve.model\`.`,
  },
  {
    kind: "needsRemoteCode",
    pattern:
      /(?:pass the argument|set the option) `?trust_remote_code=True|contains custom code which must be executed/i,
    code: "environment",
    message: (end) => say`The model ${end.model} comes with its own code, which the server does not run.`,
    remedy: () =>
      say`Take its variant for transformers (its name often ends in -HF); \`--trust-remote-code\` in \`serve.args\` would run that code.`,
  },
  {
    kind: "unsupportedArchitecture",
    pattern:
      /Model architectures? (\[.*?\]) (?:are not supported|failed to be inspected)|model type [`'](\S+?)[`'] but Transformers does not recognize|(\w+) has no vLLM implementation|unknown model architecture: '?([\w.-]+)|(\w+) is not supported\. Supported (?:archs|architectures)/i,
    code: "environment",
    message: (end, found) =>
      found
        ? say`The server does not know the architecture of ${end.model}: ${found}.`
        : say`The server does not know the architecture of ${end.model}.`,
    remedy: () => say`Update the server, or choose a model that it supports.`,
  },
  {
    kind: "contextTooLong",
    pattern:
      /KV cache is needed, which is larger than the available|is greater than the derived max_model_len|is larger than the maximum number of tokens that can be stored in KV cache/i,
    code: "environment",
    message: (end) =>
      say`The longest prompt that the server is to take does not fit ${end.model} or its memory.`,
    remedy: () => say`Add \`--max-model-len\` and \`8192\` to \`serve.args\`: a judgement takes far less.`,
  },
  {
    kind: "gpuMemory",
    pattern:
      /CUDA out of memory|HIP out of memory|OutOfMemoryError|less than desired GPU memory utilization|No available memory for the cache blocks|cudaMalloc failed: out of memory|unable to allocate (?:CUDA|ROCm|Vulkan|Metal|SYCL)\S* buffer|Please try to increase --mem-fraction-static/i,
    code: "environment",
    message: (end) => say`The accelerator has not enough free memory for ${end.model}.`,
    remedy: () =>
      say`Stop what else uses it (see \`leaf servers\` and \`nvidia-smi\`), or choose a smaller or quantised model; where others must stay, change vLLM's share with \`--gpu-memory-utilization\` in \`serve.args\`.`,
  },
  {
    kind: "mainMemory",
    pattern:
      /died unexpectedly \(exit code: -9\)|exitcode[:=] ?-9\b|less than desired CPU memory utilization|DefaultCPUAllocator: can't allocate|std::bad_alloc|Cannot allocate memory|unable to allocate CPU\S* buffer|^MemoryError|\bMemoryError$/,
    code: "environment",
    message: (end) => say`There is not enough main memory for the server to load ${end.model}.`,
    remedy: () => say`Free some memory, or choose a smaller or quantised model.`,
  },
  {
    kind: "noGpu",
    pattern:
      /Failed to infer device type|No CUDA GPUs are available|Found no NVIDIA driver|CUDA driver version is insufficient|no CUDA-capable device is detected/i,
    code: "environment",
    message: () => say`The server finds no accelerator that it can use.`,
    remedy: () =>
      say`Check the driver (\`nvidia-smi\`) and CUDA_VISIBLE_DEVICES, or use a server for CPUs such as llama.cpp.`,
  },
  {
    kind: "precision",
    pattern: /Bfloat16 is only supported on GPUs with compute capability/i,
    code: "environment",
    message: () => say`This GPU cannot compute in bfloat16.`,
    remedy: () => say`Add \`--dtype\` and \`half\` to \`serve.args\`.`,
  },
  {
    kind: "badArgument",
    pattern:
      /\berror: (unrecognized arguments: .*|argument .*|the following arguments are required: .*|ambiguous option: .*|invalid argument: .*|unknown argument: .*)/i,
    code: "config",
    message: (_end, found) =>
      say`The server does not understand \`serve.command\` or \`serve.args\`: ${found.slice(0, 160)}.`,
    remedy: () => say`Correct them; the server's own \`--help\` lists what it takes.`,
  },
  {
    kind: "notInstalled",
    pattern:
      /^(?:\(.*?\) )?ModuleNotFoundError: No module named '([\w.]+)'|^\S*python\S*: No module named ([\w.]+)/,
    code: "environment",
    message: (_end, found) => say`The server's Python lacks the Python package ${found}.`,
    remedy: (found) =>
      say`Install it where \`serve.command\` runs (\`pip install ${found.split(".")[0]!}\`), or name another interpreter there.`,
  },
  {
    kind: "diskFull",
    pattern: /No space left on device|Not enough free disk space/i,
    code: "environment",
    message: (end) => say`The disk is full: ${end.model} cannot be downloaded or loaded.`,
    remedy: () => say`Free some space, or move the hub's cache by setting HF_HOME.`,
  },
];
