import type { Described } from "./described.ts";

export const shells = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof shells)[number];

export const isShell = (word: unknown): word is Shell => shells.some((shell) => shell === word);

/** A word that may follow, and after which words: `path` is `""`, `score` or `labels merge`. */
interface Candidate {
  path: string;
  word: string;
  description: string;
}

/** Commands and options; for all else the shell completes files. No LEAF runs while it does. */
export function completionScript(shell: Shell, root: Described): string {
  const found = [...candidates(root, "")];
  return { bash, zsh, fish, powershell }[shell](found);
}

function* candidates(command: Described, path: string): Generator<Candidate> {
  for (const { name, description, ...rest } of command.commands) {
    yield { path, word: name, description };
    yield* candidates({ name, description, ...rest }, path ? `${path} ${name}` : name);
  }
  for (const { choices = [], description } of command.arguments)
    for (const word of choices) yield { path, word, description };
  for (const { flags, description } of command.options) {
    const long = /--[\w-]+/.exec(flags)?.[0];
    if (long) yield { path, word: long, description };
  }
}

/** The words that may follow each path, as lines of a shell's `case`. */
function cases(found: readonly Candidate[], line: (path: string, words: string) => string): string {
  const byPath = Map.groupBy(found, ({ path }) => path);
  return [...byPath].map(([path, of]) => line(path, of.map(({ word }) => word).join(" "))).join("\n");
}

/** Whether a word is a command after a path, in a POSIX shell: options and their values are passed over. */
const commandPath = (found: readonly Candidate[]) => {
  const steps = found.filter(({ word }) => !word.startsWith("-"));
  return steps.map(({ path, word }) => `      "${path}:${word}"`).join(" |\\\n");
};

function bash(found: readonly Candidate[]): string {
  return `_leaf() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path:$word" in
${commandPath(found)})
        path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases(found, (path, words) => `    "${path}") words="${words}" ;;`)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _leaf leaf`;
}

/** zsh runs bash's completion. */
function zsh(found: readonly Candidate[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(found)}`;
}

function fish(found: readonly Candidate[]): string {
  const quote = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = found.map(({ path, word, description }) => {
    const after = path
      ? path.split(" ").map((step) => `__fish_seen_subcommand_from ${step}`)
      : ["__fish_use_subcommand"];
    const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-a ${quote(word)}`;
    return `complete -c leaf -n ${quote(after.join("; and "))} ${what} -d ${quote(description)}`;
  });
  return lines.join("\n");
}

function powershell(found: readonly Candidate[]): string {
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const rows = found.map(
    ({ path, word, description }) => `    @(${[path, word, description].map(quote).join(", ")})`,
  );
  return `Register-ArgumentCompleter -Native -CommandName leaf -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $rows = @(
${rows.join(",\n")}
  )
  $path = ''
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    $word = $element.ToString()
    if ($element.Extent.EndOffset -lt $cursorPosition -and -not $word.StartsWith('-') -and
        ($rows | Where-Object { $_[0] -eq $path -and $_[1] -eq $word })) {
      $path = "$path $word".Trim()
    }
  }
  $rows | Where-Object { $_[0] -eq $path -and $_[1] -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[1], $_[1], 'ParameterValue', $_[2])
  }
}`;
}
