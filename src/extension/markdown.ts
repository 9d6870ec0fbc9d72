/** Makes plain text of what came from file names and configs: no link, image, HTML or icon can come of it. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$&:]/g, "\\$&").replace(/\s+/g, " ");
}

/** A link that runs a command of ours with plain JSON arguments. */
export function commandLink(title: string, command: string, ...args: unknown[]): string {
  return `[${title}](command:${command}?${encodeURIComponent(JSON.stringify(args)).replace(/[()]/g, (c) => (c === "(" ? "%28" : "%29"))})`;
}
