/** Single commands in the shell blocks of a Markdown page, without comments. */
export function shellCommands(page: string): string[] {
  const blocks = [...page.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].map((found) => found[1]!);
  return blocks
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .flatMap((line) => (line.startsWith("(") ? [line] : line.split("&&")))
    .map((command) => command.trim())
    .filter((command) => command !== "");
}
